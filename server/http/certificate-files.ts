import { readFileSync } from 'node:fs';
import { certificateEndsAtMs, certificateFault } from '../domain/certificate.ts';

export interface CertificateSettings {
  /** Whole paths of PEM files. */
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly tlsChain: string | null;
  readonly tlsPassphrase: string | null;
}

export interface ReadCertificate {
  /** As Node's TLS takes it. */
  readonly context: { readonly cert: string; readonly key: string; readonly passphrase?: string };
  readonly endsAtMs: number;
}

export interface UnreadCertificate {
  readonly file: string;
  readonly problem: string;
}

/**
 * The files of a certificate, which are replaced while the server runs: by certbot every two months, by a Secret's mount
 * through a symbolic link. Their text is compared and not their dates, which a copy may keep.
 */
export class CertificateFiles {
  readonly #settings: CertificateSettings;
  #seen = '';

  constructor(settings: CertificateSettings) {
    this.#settings = settings;
  }

  read(): ReadCertificate | UnreadCertificate {
    const { tlsCert, tlsKey, tlsChain, tlsPassphrase: passphrase } = this.#settings;
    const files = { cert: tlsCert, key: tlsKey, chain: tlsChain ?? tlsCert, passphrase: tlsKey };
    let texts: { cert: string; key: string; chain: string | null };
    try {
      const chain = tlsChain === null ? null : readText(tlsChain);
      texts = { cert: readText(tlsCert), key: readText(tlsKey), chain };
    } catch (error) {
      const { code = '', path = tlsCert } = error as NodeJS.ErrnoException;
      this.#seen = code;
      return { file: path, problem: `cannot be read (${code})` };
    }
    this.#seen = JSON.stringify(texts);
    const fault = certificateFault({ ...texts, passphrase });
    if (fault !== null) return { file: files[fault.of], problem: fault.problem };
    const { cert, key, chain } = texts;
    const context = {
      cert: chain === null ? cert : `${cert.trimEnd()}\n${chain}`,
      key,
      ...(passphrase !== null && { passphrase }),
    };
    return { context, endsAtMs: certificateEndsAtMs(cert) };
  }

  /** @returns null where nothing changed since they were last read, whether that could serve or not */
  readAnew(): ReadCertificate | UnreadCertificate | null {
    const before = this.#seen;
    const now = this.read();
    return this.#seen === before ? null : now;
  }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}
