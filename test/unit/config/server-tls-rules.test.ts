import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Certificate, Certificates } from '../../support/certificates.ts';
import { folderWith, loaded, mistakesOf, SECRET } from './config-folder.ts';

let authority: Certificates;
let good: Certificate;
let other: Certificate;
beforeAll(() => {
  authority = new Certificates();
  good = authority.issue('good', 'IP:127.0.0.1');
  other = authority.issue('other', 'IP:127.0.0.1');
});
afterAll(() => authority.remove());

const told = (env: Record<string, string>) => mistakesOf({ env: { YAMABIKO_JWT_SECRET: SECRET, ...env } });

describe("the server's own certificate", () => {
  it('is kept by its path, since the file is read again later', () => {
    const env = {
      YAMABIKO_TLS_CERT: good.cert,
      YAMABIKO_TLS_KEY: good.key,
      YAMABIKO_TLS_CHAIN: authority.ca,
    };
    const { config } = loaded({ env });
    expect(config.server).toMatchObject({ tlsCert: good.cert, tlsKey: good.key, tlsChain: authority.ca });
  });

  it('is found from the working directory', () => {
    const files = {
      'c.pem': readFileSync(good.cert, 'utf8'),
      'k.pem': readFileSync(good.key, 'utf8'),
      'yamabiko.config.json': '{"server":{"tlsCert":"c.pem","tlsKey":"./k.pem"}}',
    };
    const { tlsCert, tlsKey } = loaded({ files }).config.server;
    expect([tlsCert, tlsKey].map((path) => path?.replace(/^\/.*\//, '(whole)/'))).toEqual([
      '(whole)/c.pem',
      '(whole)/k.pem',
    ]);
  });

  it.each([
    [
      'a path where nothing is',
      () => ({ YAMABIKO_TLS_CERT: '/nowhere.pem', YAMABIKO_TLS_KEY: good.key }),
      'YAMABIKO_TLS_CERT: cannot be read (ENOENT): must be the path of a PEM file [/nowhere.pem]',
    ],
    [
      'a key in place of the certificate',
      () => ({ YAMABIKO_TLS_CERT: good.key, YAMABIKO_TLS_KEY: good.key }),
      'YAMABIKO_TLS_CERT: holds no certificate in PEM',
    ],
    [
      'a certificate in place of the key',
      () => ({ YAMABIKO_TLS_CERT: good.cert, YAMABIKO_TLS_KEY: good.cert }),
      'YAMABIKO_TLS_KEY: holds no private key in PEM',
    ],
    [
      "another certificate's key",
      () => ({ YAMABIKO_TLS_CERT: good.cert, YAMABIKO_TLS_KEY: other.key }),
      'YAMABIKO_TLS_KEY: is the key of another certificate',
    ],
    [
      'a chain that is none',
      () => ({ YAMABIKO_TLS_CERT: good.cert, YAMABIKO_TLS_KEY: good.key, YAMABIKO_TLS_CHAIN: good.key }),
      'YAMABIKO_TLS_CHAIN: holds no certificate in PEM',
    ],
    [
      'a certificate without its key',
      () => ({ YAMABIKO_TLS_CERT: good.cert }),
      'YAMABIKO_TLS_KEY: must be set too',
    ],
    [
      'a key without its certificate',
      () => ({ YAMABIKO_TLS_KEY: good.key }),
      'YAMABIKO_TLS_CERT: must be set too: a key',
    ],
    [
      'a passphrase alone',
      () => ({ YAMABIKO_TLS_PASSPHRASE: 'x' }),
      'YAMABIKO_TLS_CERT: must be set too: a passphrase',
    ],
    [
      'an encrypted key without a passphrase',
      () => ({ YAMABIKO_TLS_CERT: good.cert, YAMABIKO_TLS_KEY: encrypted() }),
      'YAMABIKO_TLS_PASSPHRASE: must be set: the private key is encrypted',
    ],
    [
      'a wrong passphrase',
      () => ({
        YAMABIKO_TLS_CERT: good.cert,
        YAMABIKO_TLS_KEY: encrypted(),
        YAMABIKO_TLS_PASSPHRASE: 'another',
      }),
      'YAMABIKO_TLS_PASSPHRASE: does not open the private key [null]',
    ],
  ])('tells %s', (_what, env, line) => {
    expect(told(env())).toEqual([expect.stringContaining(line)]);
  });

  it('shows nothing of a key that was pasted in place of its path', () => {
    const key = readFileSync(good.key, 'utf8');
    expect(told({ YAMABIKO_TLS_CERT: good.cert, YAMABIKO_TLS_KEY: key }).join()).not.toContain(
      key.slice(40, 60),
    );
  });

  it('may have ended: the server starts, and warns', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 86_400_000 });
    onTestFinished(() => void vi.useRealTimers());
    const env = { YAMABIKO_TLS_CERT: good.cert, YAMABIKO_TLS_KEY: good.key, YAMABIKO_JWT_SECRET: SECRET };
    expect(loaded({ env }).warnings).toContainEqual(
      expect.stringMatching(/^YAMABIKO_TLS_CERT: the certificate ended on \d{4}-/),
    );
  });
});

function encrypted(): string {
  const file = join(folderWith({}), 'encrypted.key');
  execFileSync('openssl', ['ec', '-in', good.key, '-out', file, '-aes256', '-passout', 'pass:opens'], {
    stdio: 'pipe',
  });
  return file;
}
