import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { parseRedisUrl } from '../server/domain/redis-url.ts';
import type { Mistake } from './mistake.ts';
import type { RawConfig } from './settings.ts';

interface Place {
  /** Relative paths start here. */
  readonly cwd: string;
  readonly nameOf: (path: string) => string;
}

type RedisValues = RawConfig['redis'];
const FILES = ['tlsCa', 'tlsCert', 'tlsKey'] as const;

/** Puts the text of the PEM files in the place of their paths, so that a wrong one is told at the start. */
export function withTlsFiles(
  redis: RedisValues,
  place: Place,
): { readonly redis: RedisValues; readonly mistakes: readonly Mistake[] } {
  const read: { -readonly [K in (typeof FILES)[number]]?: string } = {};
  const mistakes: Mistake[] = [];
  for (const name of FILES) {
    const path = redis[name];
    if (path === null) continue;
    const text = readPem(path, name, place);
    if (typeof text === 'string') read[name] = text;
    else mistakes.push(text);
  }
  if (mistakes.length === 0) mistakes.push(...unfit(read, place));
  return { redis: { ...redis, ...read }, mistakes };
}

/** What of the Redis settings does not go together. */
export function redisMistakes(redis: RedisValues, { nameOf }: Place): Mistake[] {
  const target = redis.url === null ? null : parseRedisUrl(redis.url);
  const mistakes: Mistake[] = [];
  const wrong = (name: keyof RedisValues, problem: string) =>
    mistakes.push({ setting: nameOf(`redis.${name}`), value: null, problem });
  for (const name of [...FILES, 'tlsServername'] as const)
    if (redis[name] !== null && target?.tls !== true)
      wrong(name, 'is for TLS, but YAMABIKO_REDIS_URL does not begin with rediss');
  if (redis.tlsCert !== null && redis.tlsKey === null)
    wrong(
      'tlsKey',
      'must be set too: YAMABIKO_REDIS_TLS_CERT is, and a certificate is nothing without its key',
    );
  if (redis.tlsKey !== null && redis.tlsCert === null)
    wrong(
      'tlsCert',
      'must be set too: YAMABIKO_REDIS_TLS_KEY is, and a key is nothing without its certificate',
    );
  // An empty hash tag is none: the keys of one room would lie on several nodes.
  if (target?.kind === 'cluster' && /^[^{]*\{\}/.test(redis.prefix))
    wrong(
      'prefix',
      'must not hold {} with Redis Cluster: it takes away the hash tag that keeps a room together',
    );
  return mistakes;
}

function readPem(path: string, name: (typeof FILES)[number], { cwd, nameOf }: Place): string | Mistake {
  const mistake = (problem: string): Mistake => ({ setting: nameOf(`redis.${name}`), value: null, problem });
  let text: string;
  try {
    text = readFileSync(resolve(cwd, path), 'utf8');
  } catch (error) {
    return mistake(
      `cannot be read (${(error as NodeJS.ErrnoException).code}): must be the path of a PEM file`,
    );
  }
  if (name === 'tlsKey') return text.includes('PRIVATE KEY') ? text : mistake('holds no private key in PEM');
  try {
    new X509Certificate(text);
    return text;
  } catch {
    return mistake('holds no certificate in PEM');
  }
}

/** A key of another certificate. OpenSSL's words show nothing of either. */
function unfit({ tlsCert, tlsKey }: { tlsCert?: string; tlsKey?: string }, { nameOf }: Place): Mistake[] {
  if (tlsCert === undefined || tlsKey === undefined) return [];
  try {
    createSecureContext({ cert: tlsCert, key: tlsKey });
    return [];
  } catch {
    const problem = 'is not the key of YAMABIKO_REDIS_TLS_CERT, or needs a passphrase';
    return [{ setting: nameOf('redis.tlsKey'), value: null, problem }];
  }
}
