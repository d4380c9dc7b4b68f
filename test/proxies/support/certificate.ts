import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a certificate for 127.0.0.1 that nobody but the test's clients trusts. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** Both in one file, as HAProxy wants them. */
  readonly bothFile: string;
  readonly pem: string;
}

export function makeCertificate(dir: string): Certificate {
  const file = (name: string) => join(dir, name);
  const [certFile, keyFile, bothFile] = [file('cert.pem'), file('key.pem'), file('both.pem')];
  const request = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1';
  execFileSync(
    'openssl',
    [
      'req',
      ...request.split(' '),
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      keyFile,
      '-out',
      certFile,
    ],
    { stdio: 'pipe' },
  );
  const pem = readFileSync(certFile, 'utf8');
  writeFileSync(bothFile, pem + readFileSync(keyFile, 'utf8'));
  return { certFile, keyFile, bothFile, pem };
}
