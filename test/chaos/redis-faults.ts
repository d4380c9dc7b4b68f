import type { RedisServer } from '../support/redis-server.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { RedisHurt } from './presence-check.ts';

export interface RedisFaultsOptions {
  readonly redis: RedisServer;
  readonly random: SeededRandom;
  /** Where it is told when Redis was hurt. */
  readonly hurts: RedisHurt[];
  readonly tell: (line: string) => void;
  readonly pause: (lowMs: number, highMs: number) => Promise<void>;
}

interface RedisClient {
  readonly id: string;
  readonly name: string;
  readonly subscribed: boolean;
}

export class RedisFaults {
  readonly #options: RedisFaultsOptions;
  #hurt = false;

  constructor(options: RedisFaultsOptions) {
    this.#options = options;
  }

  /** One at a time: two would be one, harder to tell of. */
  get possible(): boolean {
    return !this.#hurt;
  }

  /** One of each row: who hears for the log, and who hears on plain Pub/Sub. */
  killSubscriber(): Promise<void> {
    return this.#killClients('a subscriber of each row', (clients) =>
      this.#oneOf(clients.filter(isEar)).concat(this.#oneOf(clients.filter(isPlainSubscriber))),
    );
  }

  killSubscribers(): Promise<void> {
    return this.#killClients('all subscribers', (clients) =>
      clients.filter((client) => isEar(client) || isPlainSubscriber(client)),
    );
  }

  /** Who reads the log. */
  killReader(): Promise<void> {
    return this.#killClients('a reader of the log', (clients) => this.#oneOf(clients.filter(isReader)));
  }

  async killNormal(): Promise<void> {
    await this.#hurting({ still: false }, async () => {
      this.#options.tell('CLIENT KILL TYPE normal');
      await this.#options.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal');
    });
  }

  async pauseRedis(): Promise<void> {
    const { redis, tell, pause } = this.#options;
    await this.#hurting({ still: true }, async () => {
      tell('SIGSTOP Redis');
      redis.pause();
      await pause(1_000, 3_000);
      redis.resume();
      tell('SIGCONT Redis');
    });
  }

  async sleepRedis(): Promise<void> {
    const seconds = this.#options.random.between(1, 3).toFixed(2);
    await this.#hurting({ still: true }, async () => {
      this.#options.tell(`DEBUG SLEEP ${seconds}`);
      await this.#options.redis.client.call('DEBUG', 'SLEEP', seconds);
    });
  }

  async flushRedis(): Promise<void> {
    await this.#hurting({ still: false, emptied: true }, async () => {
      this.#options.tell('FLUSHALL');
      await this.#options.redis.client.flushall();
    });
  }

  async crashRedis(): Promise<void> {
    const { redis, tell, pause } = this.#options;
    await this.#hurting({ still: true, emptied: true }, async () => {
      tell('kill -9 Redis');
      await redis.kill();
      await pause(200, 2_000);
      await redis.restart();
      tell('Redis is back, empty');
    });
  }

  #oneOf(clients: readonly RedisClient[]): RedisClient[] {
    return clients.length === 0 ? [] : [this.#options.random.pick(clients)];
  }

  async #killClients(
    whom: string,
    choose: (clients: readonly RedisClient[]) => readonly RedisClient[],
  ): Promise<void> {
    const { redis, tell } = this.#options;
    await this.#hurting({ still: false }, async () => {
      const lines = String(await redis.client.call('CLIENT', 'LIST'))
        .trim()
        .split('\n');
      const chosen = choose(lines.map(clientOf));
      tell(`CLIENT KILL of ${whom} (${chosen.length})`);
      await Promise.all(chosen.map(({ id }) => redis.client.call('CLIENT', 'KILL', 'ID', id)));
    });
  }

  async #hurting(what: Pick<RedisHurt, 'still' | 'emptied'>, hurt: () => Promise<void>): Promise<void> {
    const span: RedisHurt = { from: Date.now(), to: null, ...what };
    this.#options.hurts.push(span);
    this.#hurt = true;
    try {
      await hurt();
    } finally {
      span.to = Date.now();
      this.#hurt = false;
    }
  }
}

function clientOf(line: string): RedisClient {
  const field = (name: string) => new RegExp(`(?:^| )${name}=(\\S*)`).exec(line)?.[1] ?? '';
  return { id: field('id'), name: field('name'), subscribed: field('sub') !== '0' || field('psub') !== '0' };
}

const isEar = ({ name }: RedisClient) => name === 'yamabiko-log';
const isPlainSubscriber = ({ name, subscribed }: RedisClient) => name === 'yamabiko-subscriber' && subscribed;
const isReader = ({ name, subscribed }: RedisClient) => name === 'yamabiko-subscriber' && !subscribed;
