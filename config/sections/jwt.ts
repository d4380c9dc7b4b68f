import { z } from 'zod';
import { boolean, integer, list, setting, showText, url } from '../kinds.ts';

/** Algorithms by the kind of key they are bound to; a token never chooses across this line. */
export const HMAC_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
export const PUBLIC_KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;
const ALGORITHMS = [...HMAC_ALGORITHMS, ...PUBLIC_KEY_ALGORITHMS] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

const isPem = (value: string) => value.startsWith('-----BEGIN ');
/** A wrong value here may well be the private key. */
const showKey = (value: unknown) =>
  typeof value === 'string' && !value.includes('-----') ? showText(value) : '(PEM text)';

export const jwtSettings = {
  secrets: list({
    env: 'YAMABIKO_JWT_SECRET',
    default: [],
    defaultText: 'none; in development mode random for each run',
    secret: true,
    item: z.string().min(1),
    allowed: 'one secret, or several separated by commas, each of at least 32 bytes',
    doc: 'Secret that Laravel signs tokens with (HS256), taken as it is written. Several while you change it: the first signs, each verifies.',
  }),
  publicKey: setting<string | null, null>(
    {
      env: 'YAMABIKO_JWT_PUBLIC_KEY',
      default: null,
      defaultText: 'none',
      doc: 'Public key for RS256, ES256 or EdDSA, where Laravel signs with a private one: the path of a PEM file, or its text (`\\n` may stand for a line end).',
    },
    {
      kind: 'PEM',
      allowed: 'the path of a PEM file with a public key, or its text',
      schema: z
        .string()
        .trim()
        .min(1)
        .transform((value) => (isPem(value) ? value.replaceAll('\\n', '\n') : value)),
      show: (value) => (value === null ? null : showKey(value)),
      showRaw: showKey,
    },
  ),
  jwksUrl: url({
    env: 'YAMABIKO_JWKS_URL',
    default: null,
    defaultText: 'none',
    protocols: ['https:', 'http:'],
    doc: 'Where to fetch the public keys (a JWK Set) of an identity provider. `jku`, `jwk` and `x5u` in a token are never followed.',
  }),
  algorithms: list<Algorithm>({
    env: 'YAMABIKO_JWT_ALGORITHMS',
    default: ['HS256', 'RS256', 'ES256', 'EdDSA'],
    item: z.enum(ALGORITHMS),
    allowed: `a list of ${ALGORITHMS.join(', ')}`,
    doc: 'Algorithms that a token may be signed with. Those of HMAC count for secrets only, the others for public keys only.',
  }),
  clockToleranceSeconds: integer({
    env: 'YAMABIKO_JWT_CLOCK_TOLERANCE_SECONDS',
    unit: 's',
    default: 5,
    min: 0,
    max: 300,
    doc: 'How far the clocks of Laravel and this machine may differ, for `exp` and `iat`.',
  }),
  enforceExpiry: boolean({
    env: 'YAMABIKO_JWT_ENFORCE_EXPIRY',
    default: true,
    doc: 'Whether a membership ends when its token does. If false, `exp` is checked at the door only.',
  }),
} as const;
