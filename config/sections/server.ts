import { integer, text } from '../kinds.ts';

export const serverSettings = {
  host: text({
    env: 'YAMABIKO_HOST',
    flag: '--host <address>',
    default: '0.0.0.0',
    defaultText: '0.0.0.0; in development mode 127.0.0.1',
    pattern: /^[^\s/]+$/,
    allowed: 'a host name or an IP address',
    doc: 'Address to listen on. In development mode only this machine is served, since the demo gives tokens to anybody.',
  }),
  port: integer({
    env: 'YAMABIKO_PORT',
    flag: '--port <number>',
    default: 6001,
    min: 0,
    max: 65_535,
    doc: "Port for HTTP, Socket.IO and WebSocket alike; 6001 is laravel-echo-server's. 0 takes any free port.",
  }),
  drainMs: integer({
    env: 'YAMABIKO_DRAIN_MS',
    unit: 'ms',
    default: 10_000,
    min: 0,
    max: 600_000,
    doc: 'Time for telling every client after SIGTERM. Clients are told in batches, so that they do not all come back at once.',
  }),
} as const;
