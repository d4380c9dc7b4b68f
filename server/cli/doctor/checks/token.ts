import { reservedNames } from '../../../../config/reserved-names.ts';
import { TokenVerifier } from '../../../access/token-verifier.ts';
import { isRejection } from '../../../domain/outcome.ts';
import { type Check, fault, ok } from '../check.ts';

/** A token that Laravel gave, against the keys that are set here. */
export const tokenCheck: Check = {
  name: 'token',
  run: async ({ token, config }) => {
    if (token === null) return [];
    if (config.development)
      return [
        fault(
          'no secret is set, so each start makes one of its own',
          'set YAMABIKO_JWT_SECRET to the secret that Laravel signs with',
        ),
      ];
    const { clockToleranceSeconds, publicKey, ...jwt } = config.jwt;
    const verifier = new TokenVerifier(
      {
        ...jwt,
        publicKeys: publicKey === null ? [] : [publicKey],
        clockToleranceMs: clockToleranceSeconds * 1000,
      },
      reservedNames(config),
    );
    const verified = await verifier.verify(token.trim());
    if (isRejection(verified)) {
      const wrongKey = verified.message.includes('signature');
      return [
        fault(
          `it would be refused, ${verified.code}: ${verified.message}`,
          wrongKey
            ? "YAMABIKO_JWT_SECRET must be, byte for byte, the secret of Laravel's config (php artisan config:clear after a change)"
            : 'let Laravel sign `id` (integer), `name`, `channel` (without private- or presence-), `iat`, `exp`',
        ),
      ];
    }
    const { claims } = verified;
    const leftSeconds = Math.round((claims.expiresAtMs - Date.now()) / 1000);
    return [ok(`it opens ${claims.channel} for user ${claims.id}, ${leftSeconds} s more`)];
  },
};
