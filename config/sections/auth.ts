import { integer, url } from '../kinds.ts';

export const authSettings = {
  url: url({
    env: 'YAMABIKO_AUTH_URL',
    flag: '--auth-url <url>',
    default: null,
    defaultText: 'none',
    protocols: ['http:', 'https:'],
    doc: "Laravel's auth endpoint, the whole URL, for example `http://127.0.0.1:8000/broadcasting/auth`. Without it a private or presence channel opens by JWT only; in development mode the demo answers.",
  }),
  timeoutMs: integer({
    env: 'YAMABIKO_AUTH_TIMEOUT_MS',
    unit: 'ms',
    default: 10_000,
    min: 1,
    max: 120_000,
    doc: 'Time for an answer of Laravel, waiting and retries included; then the client hears `auth_error`.',
  }),
  concurrency: integer({
    env: 'YAMABIKO_AUTH_CONCURRENCY',
    unit: 'requests',
    default: 50,
    min: 1,
    max: 10_000,
    doc: 'Requests to Laravel at once: after a restart every client asks, and PHP workers are few.',
  }),
  queue: integer({
    env: 'YAMABIKO_AUTH_QUEUE',
    unit: 'requests',
    default: 10_000,
    min: 0,
    max: 1_000_000,
    doc: 'Requests that may wait for their turn; beyond it they are refused at once, so that memory stays bounded.',
  }),
  maxBodyBytes: integer({
    env: 'YAMABIKO_AUTH_MAX_BODY_BYTES',
    unit: 'bytes',
    default: 262_144,
    min: 64,
    max: 16_777_216,
    doc: 'Largest answer of Laravel that is read. A login page with everything on it is no answer.',
  }),
} as const;
