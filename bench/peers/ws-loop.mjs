import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { WebSocketServer } from 'ws';

// What anybody would write by hand: a set of sockets for each channel and one loop of `ws.send`. It checks nothing,
// counts nothing, and bounds nothing.
const [, , redisUrl] = process.argv;
const channels = new Map();
const http = createServer();
new WebSocketServer({ server: http, perMessageDeflate: false }).on('connection', (client, request) => {
  const channel = request.url.slice(1);
  if (!channels.has(channel)) channels.set(channel, new Set());
  const clients = channels.get(channel).add(client);
  client.on('close', () => clients.delete(client));
  client.send('connected');
});
const redis = new Redis(redisUrl);
redis.on('pmessage', (_pattern, channel, payload) => {
  const { data } = JSON.parse(payload);
  const message = JSON.stringify({ type: 'message', data });
  for (const client of channels.get(channel.slice('bench:'.length)) ?? []) client.send(message);
});
await redis.psubscribe('bench:*');
http.listen(0, '127.0.0.1', () => console.log(`listening on ${http.address().port}`));
