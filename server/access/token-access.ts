import type { ChannelKind } from '../domain/channel-name.ts';
import { isRejection, type Rejection, reject } from '../domain/outcome.ts';
import type { Grant } from '../domain/subscription.ts';
import type { Access, AccessQuestion } from './access.ts';
import { clientHeaders } from './client-headers.ts';
import type { TokenClaims } from './token-claims.ts';
import { claimedChannel, type TokenSettings, type TokenVerifier } from './token-verifier.ts';

const BEARER = /^Bearer +([^\s]+) *$/i;

/** By which right a token opens a channel; no token opens an encrypted one. */
const KINDS = {
  public: 'token',
  private: 'private',
  presence: 'presence',
  encrypted: null,
} as const satisfies Record<ChannelKind, Grant['kind'] | null>;

/** Who may by JWT (protocol.md sections 2 and 6, "Which auth"). Laravel is not asked. */
export class TokenAccess implements Access {
  readonly #verifier: TokenVerifier;
  readonly #settings: Pick<TokenSettings, 'clockToleranceMs' | 'enforceExpiry'>;

  constructor(verifier: TokenVerifier, settings: Pick<TokenSettings, 'clockToleranceMs' | 'enforceExpiry'>) {
    this.#verifier = verifier;
    this.#settings = settings;
  }

  async decide({ channel, auth }: AccessQuestion): Promise<Grant | Rejection | null> {
    const presented = presentedToken(auth, channel.base);
    if (presented === null) return null;
    const verified = await this.#verifier.verify(presented.token);
    if (isRejection(verified)) return verified;
    const { claims } = verified;
    const kind = KINDS[channel.kind];
    if (kind === null) return reject('forbidden', 'no token opens an encrypted channel');
    if (claims.channel !== channel.base) return reject('forbidden', 'the token opens another channel');
    return { ok: true, kind, channel, by: 'token', user: userOf(claims), expiresAtMs: this.#endOf(claims) };
  }

  #endOf(claims: TokenClaims): number | null {
    return this.#settings.enforceExpiry ? claims.expiresAtMs + this.#settings.clockToleranceMs : null;
  }
}

/**
 * The token that decides, or null where none does. `auth.token` decides whatever its type: a client that sends
 * null by mistake must hear of it, and not fall through to another right. A bearer token decides only if it
 * claims this very channel; any other is Laravel's (Passport, Sanctum).
 */
function presentedToken(auth: unknown, base: string): { readonly token: unknown } | null {
  if (typeof auth !== 'object' || auth === null) return null;
  if (Object.hasOwn(auth, 'token')) return { token: (auth as { token?: unknown }).token };
  const token = BEARER.exec(clientHeaders(auth)?.get('authorization') ?? '')?.[1];
  return token !== undefined && claimedChannel(token) === base ? { token } : null;
}

function userOf({ id, name }: TokenClaims): Grant['user'] {
  return { userIdJson: String(id), userInfoJson: JSON.stringify({ id, name }) };
}
