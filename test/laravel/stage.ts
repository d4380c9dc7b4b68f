import { Redis } from 'ioredis';
import { ConnectorClient, type ConnectorClientOptions } from '../support/connector-client.ts';
import { EchoClient, type EchoClientOptions } from '../support/echo-client.ts';
import { type Identity, Laravel, type LaravelOptions } from '../support/laravel.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko } from '../support/yamabiko.ts';
import { type Publication, SYNC_CHANNEL } from './transcript.ts';

export type Settings = Readonly<Record<string, string>>;

/** A real Redis, a real Laravel that writes to it, and our server between them: nothing here is played. */
export class Stage {
  readonly redis: RedisServer;
  readonly laravel: Laravel;
  readonly #servers: Running[] = [];
  readonly #subscriber: Redis;
  readonly #published: Publication[] = [];
  readonly #closings: Array<() => unknown> = [];

  private constructor(redis: RedisServer, laravel: Laravel, subscriber: Redis) {
    this.redis = redis;
    this.laravel = laravel;
    this.#subscriber = subscriber;
    subscriber.on('pmessage', (_pattern, channel, payload) => this.#published.push({ channel, payload }));
  }

  /** @param settings of the first server; its auth endpoint is Laravel's in the web group */
  static async open(
    laravelOptions: Omit<LaravelOptions, 'redisPort'> = {},
    settings: Settings = {},
  ): Promise<Stage> {
    const redis = await RedisServer.start();
    const laravel = await Laravel.start({ redisPort: redis.port, ...laravelOptions });
    const stage = new Stage(redis, laravel, new Redis(redis.port, '127.0.0.1'));
    try {
      await stage.#subscriber.psubscribe('*');
      await stage.serve(settings);
      return stage;
    } catch (error) {
      // A server that does not start must not leave PHP and Redis behind, which keep the test's process alive.
      await stage.close();
      throw error;
    }
  }

  /** The first server. */
  get server(): Running {
    const [first] = this.#servers;
    if (first === undefined) throw new Error('this stage has no server yet');
    return first;
  }

  /** All that was published since the last `clear`, as a plain Redis subscriber heard it. */
  async published(): Promise<readonly Publication[]> {
    // Its answer comes after every push that is under way.
    await this.#subscriber.ping();
    return this.#published.filter(({ channel }) => !channel.includes(SYNC_CHANNEL));
  }

  /** An event as Laravel would publish it, past Laravel. */
  async publish(channel: string, event: string): Promise<void> {
    const payload = JSON.stringify({ event, data: {}, socket: null });
    await this.redis.client.publish(`${this.laravel.redisPrefix}${channel}`, payload);
  }

  /** One more server on the same Redis. */
  async serve(settings: Settings = {}): Promise<Running> {
    const server = await startYamabiko({
      YAMABIKO_REDIS_URL: this.redis.url,
      YAMABIKO_REDIS_PREFIX: this.laravel.redisPrefix,
      YAMABIKO_AUTH_URL: this.laravel.authUrl,
      ...settings,
    });
    this.#servers.push(server);
    return server;
  }

  /** A page with Echo's built-in connector; closed by `clear`, as all that follow. */
  async page(options: Partial<EchoClientOptions> = {}): Promise<EchoClient> {
    const client = await EchoClient.open({ url: this.server.url, ...options });
    this.#closings.push(() => client.close());
    return client;
  }

  /** A page with our connector and its default source of tokens, Laravel's own route. */
  async connectorPage(
    { bearer, cookie }: Identity,
    { options = {}, ...more }: Partial<ConnectorClientOptions> = {},
  ): Promise<ConnectorClient> {
    const client = await ConnectorClient.open({
      url: this.server.url,
      ...more,
      ...(cookie === undefined ? {} : { cookie }),
      options: {
        tokenEndpoint: this.laravel.tokenUrl,
        ...(bearer === undefined ? {} : { bearerToken: bearer }),
        ...options,
      },
    });
    this.#closings.push(() => client.close());
    return client;
  }

  /** A connection that subscribes by hand. */
  async wire({
    cookie,
    server = this.server,
  }: {
    cookie?: string;
    server?: Running;
  } = {}): Promise<WireClient> {
    const headers = cookie === undefined ? {} : { headers: { Cookie: cookie } };
    const client = await WireClient.open({ url: server.url, ...headers });
    this.#closings.push(() => client.close());
    return client;
  }

  /** A raw session by a JWT that Laravel signs. */
  async rawSession(
    room: string,
    identity: Identity,
    server: Running = this.server,
  ): ReturnType<typeof RawClient.join> {
    const token = (await this.laravel.token(room, identity)) ?? '';
    const client = await RawClient.join({ url: server.url, token });
    this.#closings.push(() => client.close());
    return client;
  }

  /** Ends a story: its clients go, and then nothing may be held any more. */
  async clear(): Promise<void> {
    for (const close of this.#closings.splice(0).reverse()) await close();
    for (const server of this.#servers) await server.settledToZero();
    this.#published.length = 0;
  }

  async close(): Promise<void> {
    this.#subscriber.disconnect();
    for (const server of this.#servers) await server.stop();
    await this.laravel.stop();
    await this.redis.stop();
  }
}
