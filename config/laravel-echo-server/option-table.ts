import type { OldOption } from './old-option.ts';
import { httpApiOptions } from './options/http-api.ts';
import { laravelOptions } from './options/laravel.ts';
import { portOptions } from './options/port.ts';
import { presenceOptions } from './options/presence.ts';
import { redisOptions } from './options/redis.ts';
import { socketIoOptions } from './options/socketio.ts';

/** Every option of laravel-echo-server 1.6.3, with what becomes of it. */
export const oldOptions: readonly OldOption[] = [
  ...portOptions,
  ...laravelOptions,
  ...redisOptions,
  ...presenceOptions,
  ...httpApiOptions,
  ...socketIoOptions,
];

/** Its variables, from `.env` too: dist/cli/cli.js of the package. */
export const oldVariables: Readonly<Record<string, string>> = {
  LARAVEL_ECHO_SERVER_AUTH_HOST: 'authHost',
  LARAVEL_ECHO_SERVER_DEBUG: 'devMode',
  LARAVEL_ECHO_SERVER_HOST: 'host',
  LARAVEL_ECHO_SERVER_PORT: 'port',
  LARAVEL_ECHO_SERVER_REDIS_HOST: 'databaseConfig.redis.host',
  LARAVEL_ECHO_SERVER_REDIS_PORT: 'databaseConfig.redis.port',
  LARAVEL_ECHO_SERVER_REDIS_PASSWORD: 'databaseConfig.redis.password',
  LARAVEL_ECHO_SERVER_PROTO: 'protocol',
  LARAVEL_ECHO_SERVER_SSL_CERT: 'sslCertPath',
  LARAVEL_ECHO_SERVER_SSL_KEY: 'sslKeyPath',
  LARAVEL_ECHO_SERVER_SSL_CHAIN: 'sslCertChainPath',
  LARAVEL_ECHO_SERVER_SSL_PASS: 'sslPassphrase',
};
