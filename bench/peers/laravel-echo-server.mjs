import echo from 'laravel-echo-server';

const [, , redisUrl, authUrl, port] = process.argv;
const redis = new URL(redisUrl);
const auth = new URL(authUrl);
await echo.run({
  authHost: auth.origin,
  authEndpoint: auth.pathname,
  databaseConfig: { redis: { host: redis.hostname, port: redis.port, keyPrefix: 'laravel_database_' } },
  host: '127.0.0.1',
  port,
  socketio: { pingInterval: 3_600_000, pingTimeout: 3_600_000 },
});
console.log(`listening on ${port}`);
