import { afterAll, describe, expect, it } from 'vitest';
import { Certificates } from '../../support/certificates.ts';
import { configOf, mistakesOf } from './config-folder.ts';

const certificates = new Certificates();
afterAll(() => certificates.remove());
const own = certificates.issue('own');
const other = certificates.issue('other');
const URL = 'rediss://redis.test';
const FILES = {
  YAMABIKO_REDIS_TLS_CA: certificates.ca,
  YAMABIKO_REDIS_TLS_CERT: own.cert,
  YAMABIKO_REDIS_TLS_KEY: own.key,
};

describe('TLS to Redis', () => {
  it('takes the text of the files', () => {
    const { redis } = configOf({
      YAMABIKO_REDIS_URL: URL,
      ...FILES,
      YAMABIKO_REDIS_TLS_SERVERNAME: 'r.test',
    });
    expect(redis.tlsCa).toContain('BEGIN CERTIFICATE');
    expect(redis.tlsCert).toContain('BEGIN CERTIFICATE');
    expect(redis.tlsKey).toContain('PRIVATE KEY');
    expect(redis.tlsServername).toBe('r.test');
  });

  it.each([
    ['a file that is not there', { YAMABIKO_REDIS_TLS_CA: 'none.pem' }, /TLS_CA: cannot be read \(ENOENT\)/],
    ['a key as authority', { YAMABIKO_REDIS_TLS_CA: own.key }, /TLS_CA: holds no certificate/],
    [
      'a certificate as key',
      { YAMABIKO_REDIS_TLS_CERT: own.cert, YAMABIKO_REDIS_TLS_KEY: own.cert },
      /TLS_KEY: holds no private key/,
    ],
    [
      'the key of another certificate',
      { YAMABIKO_REDIS_TLS_CERT: own.cert, YAMABIKO_REDIS_TLS_KEY: other.key },
      /TLS_KEY: is not the key of/,
    ],
    ['a certificate without its key', { YAMABIKO_REDIS_TLS_CERT: own.cert }, /TLS_KEY: must be set too/],
    ['a key without its certificate', { YAMABIKO_REDIS_TLS_KEY: own.key }, /TLS_CERT: must be set too/],
  ])('refuses %s at the start', (_what, env, line) => {
    expect(mistakesOf({ env: { YAMABIKO_REDIS_URL: URL, ...env } })).toEqual([expect.stringMatching(line)]);
  });

  it('refuses files where the URL wants no TLS', () => {
    const env = { YAMABIKO_REDIS_URL: 'redis://redis.test', YAMABIKO_REDIS_TLS_CA: certificates.ca };
    expect(mistakesOf({ env })).toEqual([expect.stringContaining('does not begin with rediss')]);
  });
});

describe('The prefix', () => {
  it('may not take the hash tags of a Redis Cluster away', () => {
    const env = { YAMABIKO_REDIS_URL: 'redis+cluster://c1', YAMABIKO_REDIS_PREFIX: 'app{}:' };
    expect(mistakesOf({ env })).toEqual([expect.stringMatching(/YAMABIKO_REDIS_PREFIX: must not hold \{\}/)]);
    expect(configOf({ ...env, YAMABIKO_REDIS_PREFIX: 'app{x}:' }).redis.prefix).toBe('app{x}:');
    expect(configOf({ ...env, YAMABIKO_REDIS_URL: 'redis://c1' }).redis.prefix).toBe('app{}:');
  });
});
