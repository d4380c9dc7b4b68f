import { isIP } from 'node:net';
import { z } from 'zod';
import { integer, list, parseUrl, setting, text } from '../kinds.ts';

export interface AppKey {
  readonly id: string;
  readonly key: string;
}

const APP = /^([A-Za-z0-9_.-]+):(\S+)$/;

function parseApps(written: readonly string[], context: z.RefinementCtx): readonly AppKey[] {
  const apps: AppKey[] = [];
  for (const pair of written) {
    const [, id, key] = APP.exec(pair) ?? [];
    if (id === undefined || key === undefined || apps.some((app) => app.id === id))
      context.addIssue({ code: 'custom', message: 'no id:key pair, or an id twice' });
    else apps.push({ id, key });
  }
  return apps;
}

const writtenApps = z.union([
  z.array(z.string()),
  z
    .record(z.string(), z.string())
    .transform((byId) => Object.entries(byId).map(([id, key]) => `${id}:${key}`)),
  z.string().transform((value) => value.split(',').map((pair) => pair.trim())),
]);

function isOrigin(value: string): boolean {
  const parsed = parseUrl(value);
  return parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.origin === value.toLowerCase();
}

/** An address, or a range as `10.0.0.0/8`. */
function isAddressRange(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

export const httpSettings = {
  apps: setting<readonly AppKey[], readonly AppKey[]>(
    {
      env: 'YAMABIKO_APPS',
      default: [],
      defaultText: "none: laravel-echo-server's HTTP API is closed",
      secret: true,
      doc: "Apps that may use laravel-echo-server's HTTP API, each with its key: publish events, read channels and their users.",
    },
    {
      kind: 'pairs',
      allowed: '`id:key`, or several separated by commas; ids of letters, digits, `_`, `.`, `-`, each once',
      schema: writtenApps.transform(parseApps),
      show: (apps) => apps.map(({ id }) => `${id}:***`),
    },
  ),
  origins: list({
    env: 'YAMABIKO_ORIGINS',
    flag: '--origins <list>',
    default: [],
    defaultText: 'none: pages of the same host, on any port',
    item: z
      .string()
      .refine((value) => value === '*' || isOrigin(value))
      .transform((value) => value.toLowerCase()),
    allowed: '`*` or a list of origins such as `https://www.example.com` (no path, no final slash)',
    doc: 'Pages of other hosts that may connect. `*` opens it to the pages of everybody.',
  }),
  trustedProxies: list({
    env: 'YAMABIKO_TRUSTED_PROXIES',
    default: [],
    defaultText: 'none',
    item: z.string().refine(isAddressRange),
    allowed: 'a list of IP addresses or ranges such as `10.0.0.0/8`',
    doc: 'Proxies whose `X-Forwarded-For` is believed. From anybody else it could be forged.',
  }),
  metricsKey: text({
    env: 'YAMABIKO_METRICS_KEY',
    default: null,
    defaultText: 'none: `/metrics` answers this machine only',
    secret: true,
    pattern: /^[\x21-\x7e]+$/,
    allowed: 'text of visible ASCII characters',
    doc: 'Key with which `/metrics` may be read from another machine, as `Authorization: Bearer <key>`.',
  }),
  maxBodyBytes: integer({
    env: 'YAMABIKO_HTTP_MAX_BODY_BYTES',
    unit: 'bytes',
    default: 1_048_576,
    min: 1_024,
    max: 104_857_600,
    doc: 'Largest body of a request to the HTTP API; a bigger one is answered 413.',
  }),
  maxHeaderBytes: integer({
    env: 'YAMABIKO_HTTP_MAX_HEADER_BYTES',
    unit: 'bytes',
    default: 32_768,
    min: 4_096,
    max: 1_048_576,
    doc: "Request line and headers of one request together; more is answered 431. Laravel's cookies and a token must fit.",
  }),
  maxUrlBytes: integer({
    env: 'YAMABIKO_HTTP_MAX_URL_BYTES',
    unit: 'bytes',
    default: 16_384,
    min: 1_024,
    max: 1_048_576,
    doc: 'Longest address of a request or upgrade; a longer one is answered 413. The token of a raw client in a browser is in it.',
  }),
  requestTimeoutMs: integer({
    env: 'YAMABIKO_HTTP_REQUEST_TIMEOUT_MS',
    unit: 'ms',
    default: 60_000,
    min: 1_000,
    max: 3_600_000,
    doc: 'Time for a whole request with its body, noticed at most 5 s late; then it is answered 408. Its answer, as a long poll, may take longer.',
  }),
  keepAliveTimeoutMs: integer({
    env: 'YAMABIKO_HTTP_KEEP_ALIVE_MS',
    unit: 'ms',
    default: 75_000,
    min: 1_000,
    max: 3_600_000,
    doc: 'How long an idle HTTP connection is kept: longer than a proxy in front keeps it, or the proxy finds it cut (502).',
  }),
  maxSockets: integer({
    env: 'YAMABIKO_HTTP_MAX_SOCKETS',
    unit: 'sockets',
    default: 50_000,
    min: 1,
    max: 10_000_000,
    doc: 'TCP connections of all kinds; the next is closed at once. Two for each of `connection.maxConnections`, as polling needs them, and some for what has not said yet what it is. The limit on open files must be above it.',
  }),
} as const;
