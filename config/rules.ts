import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Mistake } from './mistake.ts';
import { readPublicKey } from './public-key.ts';
import { type Algorithm, HMAC_ALGORITHMS, PUBLIC_KEY_ALGORITHMS } from './sections/jwt.ts';
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

/** Bytes of a secret by algorithm: RFC 7518 section 3.2, the size of the hash at least. */
const SECRET_BYTES: Partial<Record<Algorithm, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** The rules that concern more than one setting: protocol.md section 9, and what follows from them. */
export function applyRules(values: RawConfig, about: Circumstances): Ruled {
  const { jwt } = values;
  const hasKey = jwt.secrets.length > 0 || jwt.publicKey !== null || jwt.jwksUrl !== null;
  const development = about.nodeEnv !== 'production' && !hasKey;
  const chosen: string[] = [];
  const choose = <T>(path: string, value: T): T => {
    chosen.push(path);
    return value;
  };
  const key = jwt.publicKey === null ? null : readPublicKey(jwt.publicKey, jwt.algorithms, about);
  const hostOpen = about.isGiven('server.host') || !development;
  const config: Config = {
    ...values,
    development,
    server: hostOpen ? values.server : { ...values.server, host: choose('server.host', '127.0.0.1') },
    redis: { ...values.redis, broadcastPrefix: values.redis.broadcastPrefix ?? values.redis.prefix },
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
    ...missingKey(hasKey, about),
    ...shortSecrets(values, about),
    ...unboundAlgorithms(values, about),
    ...(key !== null && 'problem' in key ? [key] : []),
  ];
  return { config, mistakes, warnings: warningsOf(config), chosen };
}

function missingKey(hasKey: boolean, { nodeEnv, nameOf }: Circumstances): Mistake[] {
  if (hasKey || nodeEnv !== 'production') return [];
  const problem = `must be set in production (or YAMABIKO_JWT_PUBLIC_KEY, or YAMABIKO_JWKS_URL): the secret that Laravel signs tokens with, of at least 32 bytes`;
  return [{ setting: nameOf('jwt.secrets'), value: null, problem }];
}

function shortSecrets({ jwt }: RawConfig, { nameOf }: Circumstances): Mistake[] {
  const [algorithm, bytes] = jwt.algorithms.reduce<readonly [string, number]>(
    (most, candidate) => {
      const needed = SECRET_BYTES[candidate] ?? 0;
      return needed > most[1] ? [candidate, needed] : most;
    },
    ['HS256', 0],
  );
  return jwt.secrets.flatMap((secret, index) => {
    const length = Buffer.byteLength(secret);
    if (length >= bytes) return [];
    const which = jwt.secrets.length > 1 ? `secret ${index + 1} of ${jwt.secrets.length}` : 'the secret';
    const problem = `${which} has ${length} bytes, but ${algorithm} needs ${bytes * 8} bits: at least ${bytes} bytes`;
    return [{ setting: nameOf('jwt.secrets'), value: null, problem }];
  });
}

/** A key without an algorithm for it would refuse every token, and nobody would know why. */
function unboundAlgorithms({ jwt }: RawConfig, { nameOf }: Circumstances): Mistake[] {
  const lacks = (bound: readonly Algorithm[]) =>
    !bound.some((algorithm) => jwt.algorithms.includes(algorithm));
  const setting = nameOf('jwt.algorithms');
  const value = jwt.algorithms.join(', ');
  const mistakes: Mistake[] = [];
  if (jwt.secrets.length > 0 && lacks(HMAC_ALGORITHMS))
    mistakes.push({
      setting,
      value,
      problem: `must hold one of ${HMAC_ALGORITHMS.join(', ')} for the secret`,
    });
  if ((jwt.publicKey !== null || jwt.jwksUrl !== null) && lacks(PUBLIC_KEY_ALGORITHMS))
    mistakes.push({
      setting,
      value,
      problem: `must hold one of ${PUBLIC_KEY_ALGORITHMS.join(', ')} for the public key`,
    });
  return mistakes;
}

function warningsOf(config: Config): string[] {
  if (config.development)
    return isLoopback(config.server.host)
      ? []
      : [
          `development mode listens on ${config.server.host} (YAMABIKO_HOST): whoever reaches it may take a token from the demo; set YAMABIKO_JWT_SECRET`,
        ];
  const warnings: string[] = [];
  if (config.redis.url === null)
    warnings.push(
      'YAMABIKO_REDIS_URL is not set: events stay on this node, and what Laravel writes to Redis is not heard',
    );
  if (config.auth.url === null)
    warnings.push('YAMABIKO_AUTH_URL is not set: private and presence channels need a JWT');
  return warnings;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
