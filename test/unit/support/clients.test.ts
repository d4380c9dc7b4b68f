import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { ConnectorClient } from '../../support/connector-client.ts';
import { EchoClient } from '../../support/echo-client.ts';
import { EventQueue } from '../../support/event-queue.ts';
import { RawClient } from '../../support/raw-client.ts';
import { CLIENT_VERSIONS, type Transport } from '../../support/socket-io.ts';
import { WireClient } from '../../support/wire-client.ts';

// The clients themselves, against the smallest servers: a fault of theirs must not look like one of Yamabiko.
const http = createServer();
const io = new Server(http, { allowEIO3: true });
const raw = new WebSocketServer({ noServer: true });
let url = '';

beforeAll(async () => {
  io.on('connection', serveEcho);
  raw.on('connection', (socket, request) => {
    socket.send(JSON.stringify({ type: 'connected', path: request.url }));
    socket.on('message', (text) => socket.send(JSON.stringify({ type: 'sended', text: String(text) })));
  });
  http.on('upgrade', (request, socket, head) => {
    if (request.url?.startsWith('/raw'))
      raw.handleUpgrade(request, socket, head, (client) => raw.emit('connection', client, request));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});

afterAll(async () => {
  raw.close();
  await io.close();
});

function serveEcho(socket: Socket): void {
  socket.on('subscribe', ({ channel, auth }, ack) => {
    if (channel === 'private-closed') socket.emit('subscription_error', channel, 403);
    else socket.emit('subscription_succeeded', channel, { auth });
    if (channel.startsWith('presence-'))
      socket.emit('presence:subscribed', channel, [{ user_id: 1, user_info: { id: 1 }, socketId: '1.1' }]);
    ack?.({ ok: true, channel, cookie: socket.handshake.headers.cookie });
  });
  socket.on('client event', ({ channel, event, data }) => socket.emit(event, channel, data));
}

describe('an event queue', () => {
  it('keeps what it passed over', async () => {
    const queue = new EventQueue<string>('somebody');
    queue.push('a');
    queue.push('b');
    expect(await queue.next((item) => item === 'b')).toBe('b');
    expect(queue.unread()).toEqual(['a']);
  });

  it('tells what did arrive when it waited in vain', async () => {
    const queue = new EventQueue<string>('somebody');
    queue.push('another');
    await expect(queue.next((item) => item === 'b', 'the b', 10)).rejects.toThrow(
      /somebody waited for the b, but nothing.*\n.*Unread:\n {2}'another'/,
    );
  });

  it('fails at once when nothing more can come', async () => {
    const queue = new EventQueue<string>('somebody');
    const waiting = queue.next();
    queue.end('it was closed');
    await expect(waiting).rejects.toThrow('it was closed');
    await expect(queue.next()).rejects.toThrow('it was closed');
  });
});

describe('the raw client', () => {
  it('reads and sends frames, and tells how it was closed', async () => {
    const client = await RawClient.join({ url, path: '/raw', token: 'a token', query: { since: '' } });
    expect(client.connected.path).toBe('/raw?token=a+token&since=');
    expect(await client.request({ message: 'hi' }, 7)).toEqual({
      type: 'sended',
      text: '{"data":{"message":"hi"},"id":7}',
    });
    for (const socket of raw.clients) socket.close(4401, 'expired');
    expect(await client.closed()).toEqual({ code: 4401, reason: 'expired' });
    await expect(client.next()).rejects.toThrow('the server closed with 4401 expired');
  });
});

const doors = CLIENT_VERSIONS.flatMap((version) =>
  (['websocket', 'polling'] as Transport[]).map((transport) => ({ version, transports: [transport] })),
);

describe.each(doors)('socket.io-client $version by $transports', (door) => {
  it('gets acks and events, sends its cookie, and comes back after a cut', async () => {
    const client = await WireClient.open({ url, ...door, headers: { Cookie: 'session=1' } });
    expect(client.socket.io.engine.transport.name).toBe(door.transports[0]);
    const answer = await client.subscribe('presence-chat', { token: 't' });
    expect(answer).toEqual({ ok: true, channel: 'presence-chat', cookie: 'session=1' });
    expect(await client.next()).toEqual({
      event: 'subscription_succeeded',
      args: ['presence-chat', { auth: { token: 't' } }],
    });
    expect(await client.next('presence:subscribed')).toMatchObject({ args: ['presence-chat', [{}]] });
    const id = client.id;
    client.cut();
    await client.next('disconnect');
    await client.connected();
    expect(client.id).not.toBe(id);
    client.close();
  });

  it('carries Echo', async () => {
    const client = await EchoClient.open({ url, ...door, bearer: 'b', authHeaders: { X: 'y' } });
    const chat = client.join('chat', '.App\\Happened').listenForWhisper('typing');
    expect(await chat.next('here')).toEqual({ name: 'here', payload: [{ id: 1 }] });
    expect(await client.settled('presence-chat')).toEqual({
      ok: true,
      info: { auth: { headers: { X: 'y', Authorization: 'Bearer b' } } },
    });
    client.private('closed');
    expect(await client.settled('private-closed')).toEqual({ ok: false, status: 403 });
    chat.whisper('typing', { who: 'me' });
    expect(await chat.next()).toEqual({ name: 'whisper typing', payload: { who: 'me' } });
    expect(chat.unread()).toEqual([]);
    client.close();
  });
});

describe('the connector client', () => {
  it('hears what its channel was told', async () => {
    const client = await ConnectorClient.open({ url, token: 'a token' });
    expect(await client.statuses.next()).toBe('connected');
    const chat = client.join('chat');
    await chat.next('subscribed');
    expect(await chat.next('here')).toEqual({ name: 'here', payload: [{ id: 1 }] });
    client.close();
  });
});
