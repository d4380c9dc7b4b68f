import type { Roster } from '../broker/roster/roster.ts';
import type { ChannelName } from '../domain/channel-name.ts';
import type { Member } from '../domain/member.ts';

/** Subscriptions by wire name; a raw session counts under its X. */
export type ChannelCounts = ReadonlyMap<string, number>;

export interface QueryParts {
  /** This node's own. */
  readonly hub: { counts(): ChannelCounts };
  /** What each of the other nodes counts. @throws UnavailableError where they cannot be asked */
  readonly peers: { ask(question: 'counts'): Promise<readonly ChannelCounts[]> };
  readonly roster: Pick<Roster, 'members'>;
  /** The room whose members a presence channel shows: X for presence-X, unless X's definition keeps Echo out. */
  roomOf(channel: ChannelName): string | null;
}

export interface ChannelState {
  readonly subscriptionCount: number;
  readonly occupied: boolean;
  /** Users in the whole room, whatever their way in; on a presence channel only. */
  readonly userCount?: number;
}

/** Answers what an application asks about its channels, over all nodes (protocol.md section 7). */
export class AnswerQuery {
  readonly #parts: QueryParts;

  constructor(parts: QueryParts) {
    this.#parts = parts;
  }

  async status(): Promise<{ subscriptionCount: number }> {
    const counts = await this.#countsOfAll();
    return { subscriptionCount: [...counts.values()].reduce((sum, count) => sum + count, 0) };
  }

  /** Every channel with a subscription whose wire name begins with `prefix`, taken literally. */
  async channels(prefix: string): Promise<ReadonlyMap<string, ChannelState>> {
    const states = new Map<string, ChannelState>();
    for (const [wire, subscriptionCount] of await this.#countsOfAll())
      if (wire.startsWith(prefix)) states.set(wire, { subscriptionCount, occupied: true });
    return states;
  }

  async channel(channel: ChannelName): Promise<ChannelState> {
    const [counts, members] = await Promise.all([this.#countsOfAll(), this.users(channel)]);
    const subscriptionCount = counts.get(channel.wire) ?? 0;
    if (channel.kind !== 'presence') return { subscriptionCount, occupied: subscriptionCount > 0 };
    // Raw sessions of X are in the room of presence-X without a subscription of it.
    const userCount = members.length;
    return { subscriptionCount, occupied: subscriptionCount > 0 || userCount > 0, userCount };
  }

  /** Each user once; nobody where the channel shows nobody. */
  async users(channel: ChannelName): Promise<readonly Member[]> {
    const room = channel.kind === 'presence' ? this.#parts.roomOf(channel) : null;
    return room === null ? [] : (await this.#parts.roster.members(room)).members;
  }

  async #countsOfAll(): Promise<Map<string, number>> {
    const { hub, peers } = this.#parts;
    const others = await peers.ask('counts');
    const total = new Map<string, number>();
    for (const counts of [hub.counts(), ...others])
      for (const [wire, count] of counts) if (count > 0) total.set(wire, (total.get(wire) ?? 0) + count);
    return total;
  }
}
