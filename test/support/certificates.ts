import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
}

/** An authority of this test, and certificates that it signed: PEM files in a directory of their own. */
export class Certificates {
  readonly #dir = mkdtempSync(join(tmpdir(), 'yamabiko-certificates-'));
  readonly #authority: Certificate;

  constructor() {
    this.#authority = this.#create('authority', ['-x509', '-days', '2']);
  }

  /** The path of the authority's PEM file. */
  get ca(): string {
    return this.#authority.cert;
  }

  /** @param names as openssl writes them: `IP:127.0.0.1`, `DNS:redis.test` */
  issue(name: string, ...names: string[]): Certificate {
    const { cert: request, key } = this.#create(name, []);
    const cert = join(this.#dir, `${name}.signed.pem`);
    const extensions = join(this.#dir, `${name}.ext`);
    writeFileSync(extensions, names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`);
    const ca = ['-CA', this.#authority.cert, '-CAkey', this.#authority.key, '-CAcreateserial'];
    openssl('x509', '-req', '-in', request, '-out', cert, '-days', '2', '-extfile', extensions, ...ca);
    return { cert, key };
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #create(name: string, more: readonly string[]): Certificate {
    const [cert, key] = [join(this.#dir, `${name}.pem`), join(this.#dir, `${name}.key`)];
    const keyKind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl('req', ...keyKind, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`, ...more);
    return { cert, key };
  }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
