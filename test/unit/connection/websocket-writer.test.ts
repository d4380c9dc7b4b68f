import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { TickCork } from '../../../server/connection/tick-cork.ts';
import { writeWebSocketFrame } from '../../../server/connection/websocket-writer.ts';
import { webSocketTextFrame } from '../../../server/domain/frame.ts';

// Against the ws that is installed: when its inner members move, this fails and not production.
describe('a prepared frame written past ws', () => {
  let server: WebSocketServer;
  let ours: WebSocket;
  let client: WebSocket;
  const heard: string[] = [];
  const tickCork = new TickCork();

  beforeAll(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.on('message', (bytes) => heard.push(String(bytes)));
    const [[webSocket]] = await Promise.all([accepted, once(client, 'open')]);
    ours = webSocket;
  });
  afterAll(() => {
    client?.terminate();
    server?.close();
  });

  const write = (text: string) => writeWebSocketFrame(ours, webSocketTextFrame(text), tickCork);
  const heardAll = async (count: number) => {
    while (heard.length < count) await once(client, 'message');
  };

  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])(
    'arrives whole, with %i bytes of payload',
    async (size) => {
      heard.length = 0;
      const text = `${'é'.repeat(Math.floor(size / 2))}${'x'.repeat(size % 2)}`;
      expect(Buffer.byteLength(text)).toBe(size);
      expect(write(text)).toBe(true);
      await heardAll(1);
      expect(heard).toEqual([text]);
    },
  );

  it("keeps its order among ws's own frames", async () => {
    heard.length = 0;
    for (let n = 0; n < 300; n++) {
      if (n % 3 === 0) ours.send(`${n}`);
      else write(`${n}`);
      if (n % 10 === 0) ours.ping();
    }
    await heardAll(300);
    expect(heard).toEqual(Array.from({ length: 300 }, (_, n) => `${n}`));
  });

  it("counts in ws's bufferedAmount, by which a slow reader is known", async () => {
    client.pause();
    const frame = 'x'.repeat(100_000);
    while (ours.bufferedAmount < 1_000_000) write(frame);
    heard.length = 0;
    client.resume();
    await once(client, 'message');
  });

  it('goes nowhere once the WebSocket closes, and ws closes behind what was written', async () => {
    heard.length = 0;
    expect(write('last')).toBe(true);
    const closed = once(client, 'close');
    ours.close(4001, 'why');
    expect(write('too late')).toBe(false);
    expect((await closed)[0]).toBe(4001);
    expect(heard.at(-1)).toBe('last');
    expect(write('far too late')).toBe(false);
  });
});
