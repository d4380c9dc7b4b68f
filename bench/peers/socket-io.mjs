import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';

// What one writes by hand in an afternoon: rooms of Socket.IO, and Laravel's events emitted into them, either on each
// node to its own clients (`local`) or by one node through redis-adapter's broadcast (`adapter`).
const [, , redisUrl, way] = process.argv;
const PREFIX = 'laravel_database_';
const noPings = { pingInterval: 3_600_000, pingTimeout: 3_600_000 };
const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false, ...noPings });
if (way === 'adapter') {
  const pub = new Redis(redisUrl);
  io.adapter(createAdapter(pub, pub.duplicate()));
}
io.on('connection', (socket) => {
  socket.on('subscribe', ({ channel }, ack) => {
    socket.join(channel);
    ack?.({ ok: true });
  });
  socket.on('unsubscribe', ({ channel }) => socket.leave(channel));
});
const redis = new Redis(redisUrl);
redis.on('pmessage', (_pattern, name, payload) => {
  const { event, data } = JSON.parse(payload);
  const channel = name.slice(PREFIX.length);
  (way === 'adapter' ? io : io.local).to(channel).emit(event, channel, data);
});
await redis.psubscribe(`${PREFIX}*`);
http.listen(0, '127.0.0.1', () => console.log(`listening on ${http.address().port}`));
