import type { RedisSettings } from '../../server/broker/redis/redis-connections.ts';
import type { Synced } from '../../server/broker/replication/replication-link.ts';
import { ReplicationReader } from '../../server/broker/replication/replication-reader.ts';
import { until } from './yamabiko.ts';

export interface EarOptions extends Partial<RedisSettings> {
  readonly url: string;
  readonly silenceMs?: number;
  readonly wants?: (name: string) => boolean;
}

export interface Told {
  readonly name: string;
  readonly payload: string;
  readonly offset: number;
}

/** A reader of this test, and all that it told. */
export class Ear {
  readonly told: Told[] = [];
  readonly synced: Synced[] = [];
  readonly lost: string[] = [];
  readonly failed: Error[] = [];
  /** All that it told, in one order: `synced`, `lost`, or a payload. */
  readonly story: string[] = [];
  readonly reader: ReplicationReader;

  constructor({ silenceMs, wants = () => true, ...settings }: EarOptions) {
    this.reader = new ReplicationReader({
      settings: { prefix: '', broadcastPrefix: '', commandTimeoutMs: 5000, ...settings },
      ...(silenceMs === undefined ? {} : { silenceMs }),
      wants: (name) => wants(name.toString()),
      onSynced: (synced) => {
        this.synced.push(synced);
        this.story.push(synced.continued ? 'goes on' : 'begins');
      },
      onPublish: ({ name, payload, offset }) => {
        this.told.push({ name: name.toString(), payload: payload.toString(), offset });
        this.story.push(payload.toString());
      },
      onLost: ({ message }) => {
        this.lost.push(message);
        this.story.push('lost');
      },
      onFailed: (error) => this.failed.push(error),
    });
  }

  get payloads(): string[] {
    return this.told.map(({ payload }) => payload);
  }

  /** Resolves when it has synced so often. */
  async syncedTimes(times: number): Promise<Synced> {
    await until(
      () => this.synced.length >= times,
      () => `synced ${times} times: ${this.failed.at(-1)}`,
      30_000,
    );
    return this.synced[times - 1] as Synced;
  }

  async heard(payload: string): Promise<void> {
    await until(() => this.payloads.includes(payload), `${payload} is heard`, 30_000);
  }
}
