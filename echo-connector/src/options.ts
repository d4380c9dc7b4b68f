import type { io, ManagerOptions, SocketOptions } from 'socket.io-client';
import type { KeepPositions } from './position-keeper.ts';
import type { TokenSource } from './token-source.ts';
import type { Refusal } from './wire.ts';

/** `retries` and `ackTimeout` are left out: with them the client sends again by itself, and our sends are sent once. */
type SocketIoOptions = Partial<
  Omit<ManagerOptions & SocketOptions, 'auth' | 'host' | 'retries' | 'ackTimeout'>
>;

/** What `new Echo({...})` takes beside `broadcaster`; options of socket.io-client are passed on to it. */
export interface YamabikoOptions extends SocketIoOptions {
  /** Echo's own option: the class YamabikoConnector. */
  broadcaster?: unknown;
  /** Yamabiko's URL, e.g. `https://ws.example.com`. Default: the page's own origin. */
  host?: string | null | undefined;
  /** Where tokens come from. Default: a POST to `tokenEndpoint`. */
  token?: TokenSource | undefined;
  /** Laravel's token route, on the page's origin or as a whole URL. Default `/yamabiko/token`. */
  tokenEndpoint?: string | undefined;
  /** How long a token may take to come, in milliseconds, above 0. Default 10000 (10 seconds). */
  tokenTimeoutMs?: number | undefined;
  /**
   * How long the server may take to answer a subscribe or a send, and how long a send or a whisper waits for its
   * channel, in milliseconds, above 0. Default 20000: the server itself may wait for Laravel.
   */
  answerTimeoutMs?: number | undefined;
  /** First pause after a failed token or subscription, in milliseconds; doubled each time. Default 1000. */
  retryDelayMs?: number | undefined;
  /** Longest such pause, in milliseconds. Default 30000. */
  retryDelayMaxMs?: number | undefined;
  /** Headers for Laravel, on the token request and, where the source gives no token, for private channels. */
  auth?: { headers: Record<string, string> } | undefined;
  csrfToken?: string | null | undefined;
  bearerToken?: string | null | undefined;
  /** Where event classes live, `false` for nowhere. Default `App.Events`. */
  namespace?: string | false | undefined;
  /**
   * Keeps each channel's position in the tab's sessionStorage, so that after a reload the first subscribe brings what
   * was missed in between. Default false: a page that loads its state anew needs none of it.
   */
  keepPositions?: boolean | KeepPositions | undefined;
  /** Told of every channel's refusal: for pages whose hooks give no access to `.error()`. */
  onError?: ((error: Refusal & { readonly channel: string }) => void) | undefined;
  /** The function `io` of socket.io-client, where the page brings its own. */
  client?: typeof io | undefined;
  /** Echo's own option. */
  withoutInterceptors?: boolean | undefined;
}

/** The options with every default in place. A type and not an interface, so that Echo's own option types fit it. */
export type ResolvedOptions = {
  readonly host: string | null;
  readonly token: TokenSource | undefined;
  readonly tokenEndpoint: string;
  readonly tokenTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly retryDelayMs: number;
  readonly retryDelayMaxMs: number;
  readonly auth: { readonly headers: Readonly<Record<string, string>> };
  readonly csrfToken: string | null;
  readonly bearerToken: string | null;
  readonly namespace: string | false;
  readonly keepPositions: boolean | KeepPositions;
  readonly onError: YamabikoOptions['onError'];
  readonly client: typeof io | undefined;
  readonly withCredentials: boolean;
} & UnusedEchoOptions;

/** Nothing reads these; Echo's types of a channel ask for them. */
type UnusedEchoOptions = {
  /** Echo wants the name of one of its own drivers here, and ours has none. */
  readonly broadcaster: never;
  readonly authEndpoint: string;
  readonly userAuthentication: { readonly endpoint: string; readonly headers: Record<string, string> };
  readonly key: string | null;
};

/** Fills in what is missing; copies, so that nothing is shared between two instances. */
export function resolveOptions(options: YamabikoOptions): ResolvedOptions {
  return {
    host: options.host ?? null,
    token: options.token,
    tokenEndpoint: options.tokenEndpoint ?? '/yamabiko/token',
    tokenTimeoutMs: options.tokenTimeoutMs ?? 10_000,
    answerTimeoutMs: options.answerTimeoutMs ?? 20_000,
    retryDelayMs: options.retryDelayMs ?? 1000,
    retryDelayMaxMs: options.retryDelayMaxMs ?? 30_000,
    auth: { headers: { ...options.auth?.headers } },
    csrfToken: options.csrfToken ?? null,
    bearerToken: options.bearerToken ?? null,
    namespace: options.namespace ?? 'App.Events',
    keepPositions: options.keepPositions ?? false,
    onError: options.onError,
    client: options.client,
    withCredentials: options.withCredentials ?? false,
    broadcaster: options.broadcaster as never,
    authEndpoint: '',
    userAuthentication: { endpoint: '', headers: {} },
    key: null,
  };
}

/** What goes to socket.io-client: its own options, and none of ours (a token has no business there). */
export function socketOptions(options: YamabikoOptions): SocketIoOptions {
  const own = { ...options } as Record<string, unknown>;
  for (const name of [...Object.keys(resolveOptions({})), ...foreignOptions]) {
    if (name !== 'withCredentials') delete own[name];
  }
  return own;
}

/** What else Echo and its hooks put into the options, and what must not reach socket.io-client. */
const foreignOptions = ['withoutInterceptors', 'Pusher', 'retries', 'ackTimeout'];
