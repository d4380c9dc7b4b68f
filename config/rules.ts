import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Mistake } from './mistake.ts';
import { readPublicKey } from './public-key.ts';
import { redisMistakes, withTlsFiles } from './redis-rules.ts';
import { withServerTls } from './server-tls-rules.ts';
import type { Config, RawConfig } from './settings.ts';

/** What the rules need to know besides the values. */
export interface Circumstances {
  readonly nodeEnv: string | undefined;
  readonly cwd: string;
  /** Whether people read the log: standard output is a terminal. */
  readonly terminal: boolean;
  /** Whether the value of a path was given, or is the default. */
  readonly isGiven: (path: string) => boolean;
  /** A setting's name as the person wrote it; its variable where he wrote none. */
  readonly nameOf: (path: string) => string;
}

export interface Ruled {
  readonly config: Config;
  readonly mistakes: readonly Mistake[];
  /** Allowed, but hardly what is wanted in production: a sentence each. */
  readonly warnings: readonly string[];
  /** Paths whose value development mode chose. */
  readonly chosen: readonly string[];
}

/** HS256 asks for a key of the hash's size at least (RFC 7518 section 3.2). */
const MIN_SECRET_BYTES = 32;

/** The rules that concern more than one setting: protocol.md section 9, and what follows from them. */
export function applyRules(values: RawConfig, about: Circumstances): Ruled {
  const { jwt } = values;
  const hasKey = jwt.secrets.length > 0 || jwt.publicKey !== null || jwt.jwksUrl !== null;
  const development = about.nodeEnv !== 'production' && !hasKey && jwt.required;
  const chosen: string[] = [];
  const choose = <T>(path: string, value: T): T => {
    chosen.push(path);
    return value;
  };
  const key = jwt.publicKey === null ? null : readPublicKey(jwt.publicKey, about);
  const tls = withTlsFiles(values.redis, about);
  const { server, ...serverTls } = withServerTls(values.server, about);
  const hostOpen = about.isGiven('server.host') || !development;
  const config: Config = {
    ...values,
    development,
    server: hostOpen ? server : { ...server, host: choose('server.host', '127.0.0.1') },
    redis: { ...tls.redis, broadcastPrefix: values.redis.broadcastPrefix ?? values.redis.prefix },
    jwt: {
      ...jwt,
      secrets: development ? choose('jwt.secrets', [randomBytes(32).toString('base64url')]) : jwt.secrets,
      publicKey: key !== null && 'pem' in key ? key.pem : null,
    },
    log: {
      ...values.log,
      format: values.log.format ?? (about.terminal || development ? 'pretty' : 'json'),
    },
  };
  const mistakes = [
    ...missingKey(hasKey || !jwt.required, about),
    ...serverTls.mistakes,
    ...(key !== null && 'problem' in key ? [key] : []),
    ...tls.mistakes,
    ...redisMistakes(values.redis, about),
    ...missingWebhookSecret(values, about),
    ...missingAskUrl(values, about),
  ];
  return {
    config,
    mistakes,
    warnings: [...warningsOf(config), ...serverTls.warnings, ...shortSecrets(values, about)],
    chosen,
  };
}

function missingKey(hasKey: boolean, { nodeEnv, nameOf }: Circumstances): Mistake[] {
  if (hasKey || nodeEnv !== 'production') return [];
  const problem = `must be set in production (or YAMABIKO_JWT_PUBLIC_KEY, or YAMABIKO_JWKS_URL; or YAMABIKO_JWT_REQUIRED=false, without JWT channels): the secret that Laravel signs tokens with, of at least ${MIN_SECRET_BYTES} bytes`;
  return [{ setting: nameOf('jwt.secrets'), value: null, problem }];
}

function missingWebhookSecret({ webhooks }: RawConfig, { nameOf }: Circumstances): Mistake[] {
  if ((webhooks.url === null && webhooks.askUrl === null) || webhooks.secrets.length > 0) return [];
  const path = webhooks.url === null ? 'webhooks.askUrl' : 'webhooks.url';
  const problem = `must be set where ${nameOf(path)} is: without it anybody could tell Laravel anything`;
  return [{ setting: nameOf('webhooks.secrets'), value: null, problem }];
}

/** A channel whose every message would be refused. */
function missingAskUrl({ webhooks, channels }: RawConfig, { nameOf }: Circumstances): Mistake[] {
  const asking = Object.entries(channels.definitions).filter(([, { ask }]) => ask === true);
  if (webhooks.askUrl !== null || asking.length === 0) return [];
  const problem = `must be set where a channel definition says \`ask\` (${asking.map(([name]) => name).join(', ')})`;
  return [{ setting: nameOf('webhooks.askUrl'), value: null, problem }];
}

/** A warning and no mistake: apps that signed with a short one for years must still be able to move here. */
function shortSecrets({ jwt }: RawConfig, { nameOf }: Circumstances): string[] {
  return jwt.secrets.flatMap((secret, index) => {
    const length = Buffer.byteLength(secret);
    if (length >= MIN_SECRET_BYTES) return [];
    const which = jwt.secrets.length > 1 ? `secret ${index + 1} of ${jwt.secrets.length}` : 'the secret';
    return [
      `${nameOf('jwt.secrets')}: ${which} has ${length} bytes; HS256 asks for ${MIN_SECRET_BYTES} at least, and who has a token can guess a short one`,
    ];
  });
}

function warningsOf(config: Config): string[] {
  if (config.development)
    return isLoopback(config.server.host)
      ? []
      : [
          `development mode listens on ${config.server.host} (YAMABIKO_HOST): whoever reaches it may take a token from the demo; set YAMABIKO_JWT_SECRET`,
        ];
  const { secrets, publicKey, jwksUrl } = config.jwt;
  const keyless = secrets.length === 0 && publicKey === null && jwksUrl === null;
  const warnings: string[] = [];
  if (config.redis.url === null)
    warnings.push(
      'YAMABIKO_REDIS_URL is not set: events stay on this node, and what Laravel writes to Redis is not heard',
    );
  if (config.webhooks.url !== null && config.redis.url === null)
    warnings.push(
      'YAMABIKO_REDIS_URL is not set: what Laravel has not been told yet is forgotten at a restart',
    );
  if (config.auth.url === null)
    warnings.push(
      keyless
        ? 'YAMABIKO_AUTH_URL is not set and no key for tokens is: only public channels can be joined'
        : 'YAMABIKO_AUTH_URL is not set: private and presence channels need a JWT',
    );
  return warnings;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
