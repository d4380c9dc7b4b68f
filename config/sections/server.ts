import { z } from 'zod';
import { integer, setting, showText, text } from '../kinds.ts';

/** Read, held together and read again by `server-tls-rules.ts` and the port. */
const pemPath = (row: { env: string; doc: string }) =>
  setting<string | null, null>(
    { ...row, default: null, defaultText: 'none' },
    {
      kind: 'PEM file',
      allowed: 'the path of a PEM file',
      // A key pasted in place of its path must not be shown.
      schema: z.string().trim().min(1).max(1_000),
      showRaw: (raw) => (typeof raw === 'string' && raw.includes('-----') ? '(PEM text)' : showText(raw)),
      show: (value) => (value?.includes('-----') ? '(PEM text)' : value),
    },
  );

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
  tlsCert: pemPath({
    env: 'YAMABIKO_TLS_CERT',
    doc: "Path of this server's certificate: with it and `tlsKey` the port speaks https and wss only. A proxy in front does it as well. Read again when it changes, and no connection is cut.",
  }),
  tlsKey: pemPath({
    env: 'YAMABIKO_TLS_KEY',
    doc: 'Path of the private key of `tlsCert`.',
  }),
  tlsChain: pemPath({
    env: 'YAMABIKO_TLS_CHAIN',
    doc: "Path of the intermediate certificates, where `tlsCert` does not hold them too (Let's Encrypt's `fullchain.pem` does).",
  }),
  tlsPassphrase: text({
    env: 'YAMABIKO_TLS_PASSPHRASE',
    default: null,
    defaultText: 'none',
    secret: true,
    pattern: /^.+$/s,
    allowed: 'text',
    doc: 'Passphrase of `tlsKey`, where it is encrypted.',
  }),
  tlsCheckMs: integer({
    env: 'YAMABIKO_TLS_CHECK_MS',
    unit: 'ms',
    default: 10_000,
    min: 50,
    max: 86_400_000,
    doc: 'How often those files are looked at. New ones that do not fit each other, as when half of them is written, are not taken: the old certificate serves on, and the log says why.',
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
