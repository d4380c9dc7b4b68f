// What a page with laravel-echo 1.16 may write. Never run: tsc reads it.
import Echo from 'laravel-echo-v1';
import { YamabikoConnector, type YamabikoEcho } from '../../echo-connector/src/index.ts';

// Its CommonJS build is typed as if `default` were a property of the import; with a bundler `new Echo` is enough.
const echo = new Echo.default({
  broadcaster: YamabikoConnector,
  host: 'https://ws.example.com',
  token: (channel: string) => `token of ${channel}`,
}) as unknown as YamabikoEcho;

echo.join('chat:1').here((users: Array<{ id: number }>) => users.length);
