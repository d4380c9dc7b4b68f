import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { TickCork } from '../../../server/connection/tick-cork.ts';
import { WebSocketOutlet } from '../../../server/connection/websocket-outlet.ts';
import { webSocketTextFrame } from '../../../server/domain/frame.ts';

// Against the ws that is installed: when its inner members move, this fails and not production.
describe('prepared frames written past ws', () => {
  let server: WebSocketServer;
  let ours: WebSocket;
  let client: WebSocket;
  let outlet: WebSocketOutlet;
  const heard: string[] = [];
  const tickCork = new TickCork();

  beforeAll(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    await once(server, 'listening');
  });
  afterAll(() => void server?.close());
  beforeEach(async () => {
    const accepted = once(server, 'connection');
    client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.on('message', (bytes) => heard.push(String(bytes)));
    const [[webSocket]] = await Promise.all([accepted, once(client, 'open')]);
    ours = webSocket;
    outlet = new WebSocketOutlet(tickCork);
    heard.length = 0;
  });
  afterEach(() => void client?.terminate());

  const write = (text: string) => outlet.write(ours, webSocketTextFrame(text));
  const socketOf = () => (ours as unknown as { _socket: Socket })._socket;
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const heardAll = async (count: number) => {
    while (heard.length < count) await once(client, 'message');
  };

  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])(
    'arrive whole, with %i bytes of payload',
    async (size) => {
      const text = `${'é'.repeat(Math.floor(size / 2))}${'x'.repeat(size % 2)}`;
      expect(Buffer.byteLength(text)).toBe(size);
      write(text);
      await heardAll(1);
      expect(heard).toEqual([text]);
    },
  );

  it('leave in one write for each turn', async () => {
    const written = vi.spyOn(socketOf(), '_write');
    for (const text of ['a', 'b', 'c']) write(text);
    expect(written).not.toHaveBeenCalled();
    expect(outlet.gathers).toBe(true);
    await turn();
    expect(written).toHaveBeenCalledTimes(1);
    expect(outlet.gathers).toBe(false);
    write('d');
    await turn();
    expect(written).toHaveBeenCalledTimes(2);
    await heardAll(4);
    expect(heard).toEqual(['a', 'b', 'c', 'd']);
  });

  it("keep their order among ws's own frames, for which they make way", async () => {
    for (let n = 0; n < 300; n++) {
      if (n % 3 !== 0) {
        write(`${n}`);
        continue;
      }
      outlet.makeWay();
      ours.send(`${n}`);
    }
    await heardAll(300);
    expect(heard).toEqual(Array.from({ length: 300 }, (_, n) => `${n}`));
  });

  it('make way in one system call with what comes behind them', async () => {
    const [alone, together] = [
      vi.spyOn(socketOf(), '_write'),
      vi.spyOn(socketOf() as Required<Socket>, '_writev'),
    ];
    write('a');
    outlet.makeWay();
    ours.send('b');
    write('c');
    await turn();
    await heardAll(3);
    expect(heard).toEqual(['a', 'b', 'c']);
    expect([alone.mock.calls.length, together.mock.calls.length]).toEqual([0, 1]);
  });

  it('count as waiting while they are gathered, on top of what has not left yet', async () => {
    client.pause();
    while (ours.bufferedAmount < 500_000) ours.send('x'.repeat(100_000));
    const before = ours.bufferedAmount;
    write('x'.repeat(98));
    expect(outlet.bytes).toBe(before + 100);
    write('x'.repeat(98));
    expect(outlet.bytes).toBe(before + 200);
    await turn();
    expect(ours.bufferedAmount).toBe(before + 200);
    expect(outlet.bytes).toBe(0);
  });

  it('do not wait for the end of the turn where they are many: who reads would be taken for slow', async () => {
    const frames = 3_000;
    const [waited, left] = [[] as number[], vi.spyOn(socketOf(), '_write')];
    for (let n = 0; n < frames; n++) {
      write('x'.repeat(98));
      waited.push(outlet.gathers ? outlet.bytes : ours.bufferedAmount);
    }
    expect(Math.max(...waited)).toBeLessThan(70_000);
    expect(left.mock.calls.length).toBeGreaterThan(3);
    await heardAll(frames);
  });

  it('go nowhere once the WebSocket closes, and ws closes behind what made way', async () => {
    write('last');
    const closed = once(client, 'close');
    outlet.makeWay();
    ours.close(4001, 'why');
    write('too late');
    expect(outlet.gathers).toBe(false);
    expect((await closed)[0]).toBe(4001);
    expect(heard).toEqual(['last']);
    write('far too late');
    expect(outlet.gathers).toBe(false);
  });

  it('are dropped where the WebSocket closes before the turn is over, and nothing is thrown', async () => {
    const closed = once(client, 'close');
    write('too late');
    ours.close(4001);
    await turn();
    expect((await closed)[0]).toBe(4001);
    expect(heard).toEqual([]);
  });
});
