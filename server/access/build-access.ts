import type { ReservedNames } from '../domain/channel-name.ts';
import type { Access } from './access.ts';
import { AccessChain } from './access-chain.ts';
import { LaravelAccess, type LaravelObserver } from './laravel-access.ts';
import { PublicAccess } from './public-access.ts';
import { TokenAccess } from './token-access.ts';
import { type TokenSettings, TokenVerifier } from './token-verifier.ts';

export interface AccessParts {
  readonly token: Omit<TokenSettings, 'publicKeys'> & { readonly publicKey: string | null };
  readonly reserved: ReservedNames;
  readonly laravel: {
    readonly url: string | null;
    readonly timeoutMs: number;
    readonly maxBodyBytes: number;
    readonly concurrency: number;
    readonly queue: number;
    readonly queueTimeoutMs: number;
    readonly cacheMs: number;
    readonly breakerFailures: number;
    readonly breakerPauseMs: number;
  };
  /** Asked at the first question where no URL is configured; null: nobody stands in for Laravel. */
  defaultAuthUrl(): string | null;
  readonly log: LaravelObserver['logger'];
  readonly onRequest: NonNullable<LaravelObserver['onRequest']>;
  readonly onCached: NonNullable<LaravelObserver['onCached']>;
}

/** What is held towards Laravel now. */
export interface LaravelStanding {
  /** Questions that wait for their turn. */
  readonly waiting: number;
  /** Whether it is left alone for a while, since it did not answer. */
  readonly isGivenUp: boolean;
}

export interface BuiltAccess extends Access {
  laravel(): LaravelStanding;
  stop(): Promise<void>;
}

/** Token, public, Laravel: asked in this order. */
export function buildAccess({ token, reserved, ...parts }: AccessParts): BuiltAccess {
  const settings = { ...token, publicKeys: token.publicKey === null ? [] : [token.publicKey] };
  const laravel = new LaterLaravel(() => buildLaravel(parts));
  const tokens = new TokenAccess(new TokenVerifier(settings, reserved), settings);
  const chain = new AccessChain([tokens, new PublicAccess(), laravel]);
  return {
    decide: (question) => chain.decide(question),
    laravel: () => laravel.standing(),
    stop: () => laravel.stop(),
  };
}

function buildLaravel(parts: Omit<AccessParts, 'token' | 'reserved'>): LaravelAccess | null {
  const { laravel, log, onRequest, onCached } = parts;
  const authUrl = laravel.url ?? parts.defaultAuthUrl();
  if (authUrl === null) return null;
  const breaker = { failures: laravel.breakerFailures, pauseMs: laravel.breakerPauseMs };
  return new LaravelAccess(
    { ...laravel, authUrl, maxQueued: laravel.queue, breaker },
    { logger: log, onRequest, onCached },
  );
}

const NOTHING_HELD: LaravelStanding = { waiting: 0, isGivenUp: false };

/** Built at the first question: the address of a development server is known only when it listens. */
class LaterLaravel implements Access {
  readonly #build: () => LaravelAccess | null;
  #laravel: LaravelAccess | null | undefined;

  constructor(build: () => LaravelAccess | null) {
    this.#build = build;
  }

  async decide(...question: Parameters<Access['decide']>): ReturnType<Access['decide']> {
    this.#laravel ??= this.#build();
    return (await this.#laravel?.decide(...question)) ?? null;
  }

  standing(): LaravelStanding {
    return this.#laravel ?? NOTHING_HELD;
  }

  async stop(): Promise<void> {
    await this.#laravel?.stop();
  }
}
