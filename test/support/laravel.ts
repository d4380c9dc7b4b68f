import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { TEST_SECRET } from './jwt.ts';

const APP = fileURLToPath(new URL('../laravel/app', import.meta.url));
const run = promisify(execFile);

export type FireKind =
  | 'public'
  | 'private'
  | 'presence'
  | 'encrypted'
  | 'many'
  | 'as'
  | 'others'
  | 'said'
  | 'queued'
  | 'notify'
  | 'model'
  | 'chat'
  | 'tweet'
  | 'job';

export interface FireOptions {
  readonly message?: string;
  /** Of chat, said, tweet, job: the channel, e.g. `chat:room1`. */
  readonly channel?: string;
  /** Of job: how many progress messages. */
  readonly steps?: number;
  /** Of chat: the one user it is for. */
  readonly to?: number;
  /** Of others and said: sent as `X-Socket-ID`. */
  readonly socketId?: string;
  /** Of model: the one thing that happens to it; without it all three do. Create's result is the id. */
  readonly step?: 'create' | 'update' | 'delete';
  /** Of model's update and delete: which one. */
  readonly id?: number;
}

export interface LaravelOptions {
  readonly redisPort: number;
  /** Default `laravel_database_`; '' is legal. */
  readonly redisPrefix?: string;
  readonly jwtSecret?: string;
  /** Requests that it serves at once. Default 4. */
  readonly workers?: number;
  /** More environment: SLOW_MS, JWT_TTL (seconds), PROGRESS_USLEEP (microseconds), QUEUE_CONNECTION, REDIS_CLIENT. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Who asks: a session's cookie (`login`), one of the two bearer tokens, or a guest (nothing). */
export interface Identity {
  readonly cookie?: string;
  readonly bearer?: 'alice-token' | 'bob-token' | (string & {});
}

/** A real Laravel 8.83 (test/laravel/app) under PHP's own server, with alice (1) and bob (2) in a fresh database. */
export class Laravel {
  readonly url: string;
  /** The auth endpoint of the web group: a guest gets 403. */
  readonly authUrl: string;
  /** The auth endpoint behind auth:api: a guest gets 401, or 302 without XHR headers. */
  readonly apiAuthUrl: string;
  readonly tokenUrl: string;
  readonly redisPrefix: string;
  readonly #port: number;
  readonly #storage: string;
  readonly #env: NodeJS.ProcessEnv;
  /** A test worker that ends early must not leave the server and its workers behind. */
  readonly #killAtExit = () => killGroup(this.#server);
  #server: ChildProcess | null = null;
  #stopped: Promise<void> | undefined;

  private constructor(port: number, storage: string, env: NodeJS.ProcessEnv) {
    this.url = `http://127.0.0.1:${port}`;
    this.authUrl = `${this.url}/broadcasting/auth`;
    this.apiAuthUrl = `${this.url}/api/broadcasting/auth`;
    this.tokenUrl = `${this.url}/yamabiko/token`;
    this.redisPrefix = env.REDIS_PREFIX ?? '';
    this.#port = port;
    this.#storage = storage;
    this.#env = env;
  }

  static async start(options: LaravelOptions): Promise<Laravel> {
    const storage = await mkdtemp(join(tmpdir(), 'yamabiko-laravel-'));
    const env = environment(options, storage);
    await run('php', ['artisan', 'setup'], { cwd: APP, env });
    // The port may be taken between asking for it and PHP's bind, which then exits: ask again.
    for (let attempt = 1; ; attempt++) {
      const laravel = new Laravel(await freePort(), storage, env);
      try {
        await laravel.up();
        return laravel;
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  }

  /** Starts PHP's server, after `down` too: on the same port, with the same users and sessions. */
  async up(): Promise<void> {
    const args = ['-S', `127.0.0.1:${this.#port}`, '-t', 'public', 'public/index.php'];
    // Detached: PHP_CLI_SERVER_WORKERS forks, and a kill of the parent alone orphans the workers.
    const server = spawn('php', args, {
      cwd: APP,
      env: this.#env,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#server = server;
    process.once('exit', this.#killAtExit);
    try {
      await this.#answering(server);
    } catch (error) {
      await this.down();
      throw error;
    }
  }

  /** Ends PHP with all its workers, as a crash does. */
  async down(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    const gone = new Promise((resolve) => server.once('close', resolve));
    killGroup(server);
    if (server.exitCode === null && server.signalCode === null) await gone;
    process.removeListener('exit', this.#killAtExit);
    this.#server = null;
  }

  /** Makes Laravel publish. Resolves when it has. */
  async fire(kind: FireKind, options: FireOptions = {}): Promise<unknown> {
    const { socketId, ...body } = options;
    const response = await this.post(
      `/fire/${kind}`,
      body,
      {},
      socketId === undefined ? {} : { 'X-Socket-ID': socketId },
    );
    if (!response.ok)
      throw new Error(`fire ${kind}: ${response.status} ${await response.text()}\n${await this.log()}`);
    return ((await response.json()) as { result: unknown }).result;
  }

  /** The Cookie header of a fresh session of that user (1 alice, 2 bob). */
  async login(userId: 1 | 2): Promise<string> {
    const response = await fetch(`${this.url}/login/${userId}`);
    if (!response.ok) throw new Error(`login: ${response.status} ${await response.text()}`);
    return response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';', 1)[0])
      .join('; ');
  }

  /** What `/yamabiko/token` gives for the channel, null where it is public. Throws where Laravel refuses. */
  async token(channel: string, identity: Identity = { bearer: 'alice-token' }): Promise<string | null> {
    const response = await this.post('/yamabiko/token', { channel }, identity);
    if (!response.ok) throw new Error(`token for ${channel}: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { token: string | null }).token;
  }

  /** A POST of JSON, as a page with Laravel's usual headers would send it. */
  post(
    path: string,
    body: unknown,
    identity: Identity = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        Accept: 'application/json',
        'Content-Type': 'application/json',
        'X-Requested-With': 'XMLHttpRequest',
        ...(identity.cookie === undefined ? {} : { Cookie: identity.cookie }),
        ...(identity.bearer === undefined ? {} : { Authorization: `Bearer ${identity.bearer}` }),
        ...headers,
      },
      body: JSON.stringify(body),
    });
  }

  /** Runs `php artisan`. @returns what it printed */
  async artisan(...args: string[]): Promise<string> {
    const { stdout } = await run('php', ['artisan', ...args], { cwd: APP, env: this.#env });
    return stdout.trim();
  }

  /** Laravel's own log, for error messages. */
  log(): Promise<string> {
    return readFile(join(this.#storage, 'logs/laravel.log'), 'utf8').catch(() => '');
  }

  /** Ends PHP with all its workers. A second call awaits the first. */
  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    await this.down();
    await rm(this.#storage, { recursive: true, force: true });
  }

  async #answering(server: ChildProcess): Promise<void> {
    let output = '';
    server.stderr?.on('data', (chunk: Buffer) => {
      output = (output + String(chunk)).slice(-2_000);
    });
    // PHP's server says so on stderr when it listens; "close" comes when it could not.
    await new Promise<void>((resolve, reject) => {
      server.stderr?.on('data', () => output.includes(') started') && resolve());
      server.once('error', reject);
      server.once('close', () => reject(new Error(`php -S ended: ${output}`)));
    });
    const response = await fetch(`${this.url}/up`);
    if (!response.ok) throw new Error(`Laravel answers ${response.status}: ${await response.text()}`);
  }
}

function environment(options: LaravelOptions, storage: string): NodeJS.ProcessEnv {
  const {
    redisPort,
    redisPrefix = 'laravel_database_',
    jwtSecret = TEST_SECRET,
    workers = 4,
    env = {},
  } = options;
  return {
    PATH: process.env.PATH,
    HOME: storage,
    STORAGE_DIR: storage,
    REDIS_PORT: String(redisPort),
    REDIS_PREFIX: redisPrefix,
    JWT_SECRET: jwtSecret,
    // One worker is no worker: PHP then serves by itself.
    ...(workers > 1 ? { PHP_CLI_SERVER_WORKERS: String(workers) } : {}),
    ...env,
  };
}

/** By the pid that we started, its whole group. */
function killGroup(server: ChildProcess | null): void {
  const pid = server?.pid;
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
