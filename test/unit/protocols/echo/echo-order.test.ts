import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket as NetSocket } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { TickCork } from '../../../../server/connection/tick-cork.ts';
import { EchoTransport } from '../../../../server/protocols/echo/echo-transport.ts';
import { encodeEvent } from '../../../../server/protocols/echo/encode.ts';

interface Engine {
  sendPacket(type: string): void;
  transport: { socket: { _socket: NetSocket } };
}

// Against the Socket.IO and Engine.IO that are installed: prepared frames go past their queues.
describe('what an Echo client is sent in one turn', () => {
  let http: HttpServer;
  let io: Server;
  let client: WebSocket;
  let socket: Socket;
  let transport: EchoTransport;
  let heard: string[];

  beforeAll(async () => {
    http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    io = new Server(http, { pingInterval: 100_000 });
  });
  afterAll(async () => void (await io?.close()));
  afterEach(() => void client?.terminate());
  beforeEach(async () => {
    const texts: string[] = [];
    heard = texts;
    const { port } = http.address() as AddressInfo;
    client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
    const accepted = new Promise<Socket>((resolve) => io.once('connection', resolve));
    await once(client, 'message');
    client.send('40');
    await once(client, 'message');
    socket = await accepted;
    client.on('message', (bytes) => texts.push(String(bytes)));
    transport = new EchoTransport(socket, {
      tickCork: new TickCork(),
      wires: () => [],
      unreadBytes: () => 0,
    });
  });

  const event = (n: number) => transport.write(encodeEvent('told', 'news', String(n), null));
  const told = (n: number) => `42["told","news",${n}]`;
  const engine = () => socket.conn as unknown as Engine;
  const heardAll = async (count: number) => {
    while (heard.length < count) await once(client, 'message');
  };

  it('comes in its order: events, an ack, a ping, a message of the library, an event', async () => {
    client.send('420["ask"]');
    const ack = await new Promise<(answer: string) => void>((resolve) => socket.once('ask', resolve));
    event(1);
    event(2);
    ack('yes');
    event(3);
    engine().sendPacket('ping');
    event(4);
    socket.emit('direct', 5);
    event(6);
    event(7);
    await heardAll(9);
    const [acked, pinged, direct] = ['430["yes"]', '2', '42["direct",5]'];
    expect(heard).toEqual([told(1), told(2), acked, told(3), pinged, told(4), direct, told(6), told(7)]);
  });

  it('leaves in one write', async () => {
    const net = engine().transport.socket._socket;
    const [alone, together] = [vi.spyOn(net, '_write'), vi.spyOn(net as Required<NetSocket>, '_writev')];
    for (let n = 0; n < 10; n++) event(n);
    await heardAll(10);
    expect(heard).toEqual(Array.from({ length: 10 }, (_, n) => told(n)));
    expect([alone.mock.calls.length, together.mock.calls.length]).toEqual([1, 0]);
  });

  it('counts against a slow reader before it has left', () => {
    const before = transport.bufferedBytes();
    event(1);
    const one = transport.bufferedBytes() - before;
    expect(one).toBeGreaterThan(told(1).length);
    event(2);
    expect(transport.bufferedBytes() - before).toBe(2 * one);
  });

  it('comes before the end of the connection', async () => {
    event(1);
    event(2);
    const closed = once(client, 'close');
    transport.close({ code: 'restarting', message: '' });
    await closed;
    expect(heard).toEqual([told(1), told(2)]);
  });
});
