import { createPrivateKey, X509Certificate } from 'node:crypto';

/** PEM texts of what a TLS server shows and proves. */
export interface CertificateTexts {
  readonly cert: string;
  readonly key: string;
  /** Intermediate certificates, where `cert` does not hold them; null: none. */
  readonly chain: string | null;
  /** Of an encrypted key; null: none. */
  readonly passphrase: string | null;
}

export interface CertificateFault {
  readonly of: 'cert' | 'key' | 'chain' | 'passphrase';
  /** Goes on after the setting's name and shows nothing of what the file holds. */
  readonly problem: string;
}

/**
 * What keeps these from serving TLS, or null. Asked at the start, where it ends it, and at each reload, where the old
 * ones stay: OpenSSL would take a key that fits no certificate, and every handshake would fail.
 */
export function certificateFault({
  cert,
  key,
  chain,
  passphrase,
}: CertificateTexts): CertificateFault | null {
  const leaf = readCertificate(cert);
  if (leaf === null) return { of: 'cert', problem: 'holds no certificate in PEM' };
  if (chain !== null && readCertificate(chain) === null)
    return { of: 'chain', problem: 'holds no certificate in PEM' };
  if (!key.includes('PRIVATE KEY-----')) return { of: 'key', problem: 'holds no private key in PEM' };
  const encrypted = key.includes('ENCRYPTED');
  if (encrypted && passphrase === null)
    return { of: 'passphrase', problem: 'must be set: the private key is encrypted' };
  try {
    const privateKey = createPrivateKey({ key, ...(passphrase !== null && { passphrase }) });
    return leaf.checkPrivateKey(privateKey)
      ? null
      : { of: 'key', problem: 'is the key of another certificate' };
  } catch {
    return encrypted
      ? { of: 'passphrase', problem: 'does not open the private key' }
      : { of: 'key', problem: 'holds a private key that cannot be read' };
  }
}

/** When the certificate ends, in milliseconds since 1970; NaN for text that holds none. */
export function certificateEndsAtMs(cert: string): number {
  return Date.parse(readCertificate(cert)?.validTo ?? '');
}

function readCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}
