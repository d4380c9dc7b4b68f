import { z } from 'zod';
import { boolean, integer, list, setting, showText, url } from '../kinds.ts';

/** What the keys of a JWK Set may verify. HS256 is bound to secrets, a PEM's algorithm to its kind of key. */
const JWKS_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;
type JwksAlgorithm = (typeof JWKS_ALGORITHMS)[number];

const isPem = (value: string) => value.startsWith('-----BEGIN ');
/** A wrong value here may well be the private key. */
const showKey = (value: unknown) =>
  typeof value === 'string' && !value.includes('-----') ? showText(value) : '(PEM text)';

export const jwtSettings = {
  required: boolean({
    env: 'YAMABIKO_JWT_REQUIRED',
    default: true,
    doc: 'Whether a key for tokens must be set. If false and none is, no token opens anything: Laravel alone decides, as with laravel-echo-server, and there is no development mode.',
  }),
  secrets: list({
    env: 'YAMABIKO_JWT_SECRET',
    default: [],
    defaultText: 'none; in development mode random for each run',
    secret: true,
    item: z.string().min(1),
    allowed: 'one secret, or several separated by commas; each should have at least 32 bytes',
    doc: 'Secret that Laravel signs tokens with (HS256), taken as it is written. Several while you change it: the first signs, each verifies.',
  }),
  publicKey: setting<string | null, null>(
    {
      env: 'YAMABIKO_JWT_PUBLIC_KEY',
      default: null,
      defaultText: 'none',
      doc: 'Public key (RSA: RS256, P-256: ES256, Ed25519: EdDSA), where Laravel signs with a private one: the path of a PEM file, or its text (`\\n` may stand for a line end).',
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
  jwksAlgorithms: list<JwksAlgorithm>({
    env: 'YAMABIKO_JWKS_ALGORITHMS',
    default: JWKS_ALGORITHMS,
    item: z.enum(JWKS_ALGORITHMS),
    allowed: `a list of ${JWKS_ALGORITHMS.join(', ')}`,
    doc: 'Algorithms that the keys of `jwksUrl` may verify. A secret verifies HS256 only, a PEM what its kind of key is for: a token never chooses.',
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
