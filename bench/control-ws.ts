import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { type WebSocket, WebSocketServer } from 'ws';

/**
 * The control row: what anybody would write by hand. One Redis channel, one loop of `ws.send`. It checks nothing,
 * counts nothing, and bounds nothing.
 */
const [, , redisUrl = ''] = process.argv;
const clients = new Set<WebSocket>();
const redis = new Redis(redisUrl);
const http = createServer();
new WebSocketServer({ server: http, perMessageDeflate: false }).on('connection', (client) => {
  clients.add(client);
  client.on('close', () => clients.delete(client));
  client.send('connected');
});
redis.on('message', (_channel, payload) => {
  const { data } = JSON.parse(payload) as { data: unknown };
  const message = JSON.stringify({ type: 'message', data });
  for (const client of clients) client.send(message);
});
await redis.subscribe('bench');
http.listen(0, '127.0.0.1', () => process.stdout.write(`${(http.address() as AddressInfo).port}\n`));
