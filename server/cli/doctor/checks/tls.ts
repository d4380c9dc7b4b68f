import { readFileSync } from 'node:fs';
import { certificateEndsAtMs } from '../../../domain/certificate.ts';
import { type Check, fault, note, ok, warning } from '../check.ts';

const SOON_MS = 14 * 86_400_000;

/** The server's own certificate; that it fits its key is settled before any check. */
export const tlsCheck: Check = {
  name: 'tls',
  run: async ({ config: { server }, appUrl }) => {
    if (server.tlsCert === null)
      return appUrl?.startsWith('https:') === true
        ? [
            note(
              'this server speaks plain HTTP, and pages of https must reach it by https',
              'let the proxy in front speak TLS, or set YAMABIKO_TLS_CERT and YAMABIKO_TLS_KEY',
            ),
          ]
        : [];
    const endsAtMs = certificateEndsAtMs(readFileSync(server.tlsCert, 'utf8'));
    const on = new Date(endsAtMs).toISOString().slice(0, 10);
    if (endsAtMs < Date.now())
      return [fault(`the certificate ended on ${on}`, 'renew it; the running server takes it by itself')];
    return endsAtMs < Date.now() + SOON_MS
      ? [warning(`the certificate ends on ${on}`, 'renew it; the running server takes it by itself')]
      : [ok(`the certificate is good until ${on}`)];
  },
};
