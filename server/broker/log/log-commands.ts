import type { Redis } from 'ioredis';
import { UnavailableError } from '../../domain/outcome.ts';
import type { Position } from '../../domain/position.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import type { ReplicationPlace } from '../replication/backlog.ts';
import type { LogNames } from './log-names.ts';
import { APPEND, MARK, OPEN, OWN, PROBE, RESTORE, TRY } from './log-scripts.ts';

export interface LogMessage {
  readonly name: Buffer;
  readonly payload: Buffer;
  /** Where it stands in the replication stream, if it was heard there. */
  readonly place: ReplicationPlace | null;
}

export type Appended =
  | { readonly outcome: 'taken'; readonly last: number; readonly fresh: number }
  | { readonly outcome: 'other_epoch' }
  | { readonly outcome: 'hole'; readonly last: number }
  /** The stream holds later ids than its head tells: somebody else has written to it. */
  | { readonly outcome: 'foreign' };

/** The last place of the log; null where there is none. */
export type Head = Position | null;

type Script = (...args: (string | number | Buffer)[]) => Promise<unknown>;

interface Scripts {
  yamabikoLogAppend: Script;
  yamabikoLogOpen: Script;
  yamabikoLogRestore: Script;
  yamabikoLogOwn: Script;
  yamabikoLogMark: Script;
  yamabikoLogProbe: Script;
  yamabikoLogTry: Script;
}

const STREAM_IS_AHEAD = /equal or smaller than the target stream top/;

/** What is done to the log's keys. All of it throws UnavailableError where Redis did not answer, the outcome unknown. */
export class LogCommands {
  readonly #connections: RedisConnections;
  readonly #names: LogNames;

  constructor(connections: RedisConnections, names: LogNames) {
    this.#connections = connections;
    this.#names = names;
    const { command } = connections;
    command.defineCommand('yamabikoLogAppend', { numberOfKeys: 2, lua: APPEND });
    command.defineCommand('yamabikoLogOpen', { numberOfKeys: 2, lua: OPEN });
    command.defineCommand('yamabikoLogRestore', { numberOfKeys: 1, lua: RESTORE });
    command.defineCommand('yamabikoLogOwn', { numberOfKeys: 1, lua: OWN });
    command.defineCommand('yamabikoLogMark', { numberOfKeys: 1, lua: MARK });
    command.defineCommand('yamabikoLogProbe', { numberOfKeys: 1, lua: PROBE });
    command.defineCommand('yamabikoLogTry', { numberOfKeys: 2, lua: TRY });
  }

  /** @param keepFrom what comes before it may be forgotten; null: nothing */
  async append(
    { epoch, index }: Position,
    messages: readonly LogMessage[],
    keepFrom: string | null,
  ): Promise<Appended> {
    const { head, stream } = this.#names;
    const end = messages.at(-1)?.place ?? null;
    const args = messages.flatMap(({ name, payload }) => [name, payload]);
    try {
      const reply = await this.#call((redis) =>
        redis.yamabikoLogAppend(
          head,
          stream,
          String(epoch),
          index,
          keepFrom ?? '',
          end?.replid ?? '',
          end?.offset ?? '',
          ...args,
        ),
      );
      const [verdict, last, fresh] = (reply as unknown[]).map(Number);
      if (verdict === 1) return { outcome: 'taken', last: last ?? 0, fresh: fresh ?? 0 };
      return verdict === -2 ? { outcome: 'hole', last: last ?? 0 } : { outcome: 'other_epoch' };
    } catch (error) {
      if (error instanceof UnavailableError && STREAM_IS_AHEAD.test(String((error.cause as Error)?.message)))
        return { outcome: 'foreign' };
      throw error;
    }
  }

  /** @param seen what the caller takes for the head. @returns the new epoch, or null where the head is another one */
  async open(seen: Head, lowest: number, name: string, payload: string): Promise<number | null> {
    const { head, stream } = this.#names;
    const [epoch, index] = seen === null ? ['', ''] : [String(seen.epoch), String(seen.index)];
    const reply = await this.#call((redis) =>
      redis.yamabikoLogOpen(head, stream, epoch, index, lowest, name, payload),
    );
    return reply === '' ? null : Number(reply);
  }

  /** Only where the head is gone. @returns whether it was */
  async restore({ epoch, index }: Position): Promise<boolean> {
    const reply = await this.#call((redis) =>
      redis.yamabikoLogRestore(this.#names.head, String(epoch), index),
    );
    return reply === 1;
  }

  /** @returns whether the prefix is held by a deployment that has one of these marks, from now on */
  async own(marks: readonly string[], forMs: number): Promise<boolean> {
    return (await this.#call((redis) => redis.yamabikoLogOwn(this.#names.owner, forMs, ...marks))) === 1;
  }

  async mark(nonce: string): Promise<void> {
    await this.#call((redis) => redis.yamabikoLogMark(this.#names.unheard, this.#names.marker, nonce));
  }

  /** @throws Error what Redis answered */
  async probe(channel: string, token: string): Promise<void> {
    const { command } = this.#connections;
    try {
      await (command as unknown as Scripts).yamabikoLogProbe(this.#names.unheard, channel, token);
    } catch (err) {
      if (this.#connections.refusal(err) === null) throw err;
      // What a script was denied Redis does not say: asked plainly, it names the right that is missing.
      await command.publish(channel, token);
    }
  }

  async head(): Promise<Head> {
    const [epoch, index] = await this.#call((_scripts, redis) =>
      redis.hmget(this.#names.head, 'epoch', 'index'),
    );
    return epoch && index ? { epoch: Number(epoch), index: Number(index) } : null;
  }

  /** The head, and where what comes after it stands in the replication stream, if that was read. */
  async headWithPlace(): Promise<{ readonly at: Position; readonly place: ReplicationPlace | null } | null> {
    const [epoch, index, replid, offset] = await this.#call((_scripts, redis) =>
      redis.hmget(this.#names.head, 'epoch', 'index', 'replid', 'offset'),
    );
    if (!epoch || !index) return null;
    const at = { epoch: Number(epoch), index: Number(index) };
    return { at, place: replid && offset ? { replid, offset: Number(offset) } : null };
  }

  async handOver(): Promise<void> {
    await this.#call((_scripts, redis) =>
      redis.xadd(this.#names.handover, 'MAXLEN', '~', 10, '*', 'by', 'yamabiko'),
    );
  }

  /** @throws Error what this Redis does not know, or does not allow */
  async try(): Promise<void> {
    const { trial } = this.#names;
    const { command } = this.#connections;
    await (command as unknown as Scripts).yamabikoLogTry(`${trial}:head`, trial);
    await command.call('XREAD', 'COUNT', 1, 'STREAMS', trial, '0');
  }

  #call<T>(run: (scripts: Scripts, redis: Redis) => Promise<T>): Promise<T> {
    return this.#connections.callBus((command) => run(command as unknown as Scripts, command));
  }
}
