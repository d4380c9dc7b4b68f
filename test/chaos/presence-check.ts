import type { Span } from './journal.ts';
import type { Recorder, Violation } from './report.ts';
import type { Sight } from './sight.ts';

/** What an undisturbed cluster may take until a true leaving is heard everywhere. */
const NEWS_LAG_MS = 3_000;
/** The same where Redis stood still or the hearer's node did. */
const DISTURBED_LAG_MS = 15_000;
const KEPT_MS = 60_000;
/** The cluster's TTL, and what a busy machine adds to it. */
const EMPTIED_MS = 5_000;

/** When something was done to Redis. */
export interface RedisHurt extends Span {
  /** It answered nobody meanwhile, so that news came late. */
  readonly still: boolean;
  /** What it held is gone; nodes enter their members again within one TTL. */
  readonly emptied?: boolean;
}

/** Who is in which room, as the clients know it of themselves, against what each of them is shown. */
export class PresenceCheck {
  readonly #recorder: Recorder;
  readonly #storyOf: (client: string) => string;
  readonly #everIn: (room: string) => ReadonlySet<string>;
  readonly hurts: RedisHurt[] = [];
  #sights: Sight[] = [];
  #suspicions: { hearer: Sight; stayer: Sight; user: string; at: number }[] = [];

  /** @param everIn the users who may be seen in a room at all */
  constructor(
    recorder: Recorder,
    storyOf: (client: string) => string,
    everIn: (room: string) => ReadonlySet<string>,
  ) {
    this.#recorder = recorder;
    this.#storyOf = storyOf;
    this.#everIn = everIn;
  }

  opened(sight: Sight): void {
    if (!sight.listed) return;
    this.#sights.push(sight);
    for (const user of sight.members ?? []) this.#mayBeSeen(sight, user);
    const own = sight.options.userId;
    if (sight.members?.has(own) !== true)
      this.#accuse('missing member', sight, `himself, ${own}, is not in the list that he was given`);
  }

  joined(sight: Sight, user: string): void {
    this.#recorder.count('presence announcements heard');
    this.#mayBeSeen(sight, user);
    if (sight.members?.has(user)) this.#accuse('joined though shown', sight, user);
    sight.members?.add(user);
  }

  left(sight: Sight, user: string, at = Date.now()): void {
    this.#recorder.count('presence announcements heard');
    if (user === sight.options.userId) this.#accuse('shown own leaving', sight, user);
    else if (sight.members?.has(user) !== true) this.#accuse('left though not shown', sight, user);
    else this.#hadReason(sight, user, at);
    sight.members?.delete(user);
  }

  /** User ids with a connection in a room. */
  truth(room: string): Set<string> {
    const here = this.#sights.filter((sight) => sight.base === room && sight.endedAt === null);
    return new Set(here.map((sight) => sight.options.userId));
  }

  /** Shown though gone, and there though not shown, over all clients. */
  differences(): { sight: Sight; kind: 'ghost member' | 'missing member'; user: string }[] {
    return this.#sights
      .filter((sight) => sight.endedAt === null)
      .flatMap((sight) => {
        const truth = this.truth(sight.base);
        const shown = sight.members ?? new Set<string>();
        return [
          ...[...shown]
            .filter((u) => !truth.has(u))
            .map((user) => ({ sight, kind: 'ghost member' as const, user })),
          ...[...truth]
            .filter((u) => !shown.has(u))
            .map((user) => ({ sight, kind: 'missing member' as const, user })),
        ];
      });
  }

  #mayBeSeen(sight: Sight, user: string): void {
    if (!this.#everIn(sight.base).has(user)) this.#accuse('stranger shown', sight, user);
  }

  /** Somebody with a connection all the while, on a node that lived all the while, has not left. */
  #hadReason(hearer: Sight, user: string, at: number): void {
    const { node } = hearer.options;
    const lagMs = this.#disturbed(node, at, true) ? DISTURBED_LAG_MS : NEWS_LAG_MS;
    const stayer = this.#sights.find((sight) => {
      const { options, subscribedAt } = sight;
      if (sight.base !== hearer.base || options.userId !== user || subscribedAt > at - lagMs) return false;
      const goneAt = Math.min(sight.endedAt ?? at + 1, options.node.endingAt ?? at + 1);
      if (goneAt <= at) return false;
      // A node that stood still past its lease is given up by the others, not by its own clients.
      return options.node === node || !options.node.frozeIn(at - lagMs, at);
    });
    if (stayer === undefined) return;
    // Whether his node was merely starved of the machine's time is known a little later.
    this.#suspicions.push({ hearer, stayer, user, at });
  }

  /** At a quiet point, when every node has told what it had to tell. */
  settle(now = Date.now()): void {
    for (const { hearer, stayer, user, at } of this.#suspicions.splice(0)) {
      const { client, node } = stayer.options;
      if (
        node.leaseLosses.some(
          (lostAt) => Math.abs(lostAt - at) < NEWS_LAG_MS && !this.#disturbed(node, lostAt),
        )
      )
        this.#recorder.count('stayers shown leaving whose node the machine starved');
      else if (this.#leftAnEmptiedStore(stayer, at))
        this.#recorder.count('stayers shown leaving by another tab, in a store that was emptied');
      else this.#accuse('stayer shown leaving', hearer, `${user}, who stays by ${client} at ${node.name}`);
    }
    for (const { sight, kind, user } of this.differences()) this.#accuse(kind, sight, user);
    this.#sights = this.#sights.filter(({ endedAt }) => endedAt === null || endedAt > now - KEPT_MS);
  }

  /** The store knew of the tab that left, and not again of the one that stays. */
  #leftAnEmptiedStore(stayer: Sight, at: number): boolean {
    const emptied = this.hurts.some(
      ({ emptied = false, from, to }) => emptied && from <= at && at <= (to ?? at) + EMPTIED_MS,
    );
    if (!emptied) return false;
    const { userId } = stayer.options;
    return this.#sights.some(({ base, options, endedAt }) => {
      if (base !== stayer.base || options.userId !== userId || options.client === stayer.options.client)
        return false;
      return Math.abs((options.node.endingAt ?? endedAt ?? 0) - at) < NEWS_LAG_MS;
    });
  }

  /** Whether a fault of ours explains that this node was late, or lost its lease. */
  #disturbed(node: Sight['options']['node'], at: number, stillOnly = false): boolean {
    const since = at - DISTURBED_LAG_MS;
    const hurts = this.hurts.filter(({ still }) => still || !stillOnly);
    return node.frozeIn(since, at) || hurts.some(({ from, to }) => from <= at && (to ?? at) >= since);
  }

  #accuse(kind: Violation, sight: Sight, text: string): void {
    const { client, wire, node } = sight.options;
    const shown = [...(sight.members ?? [])].join(' ');
    this.#recorder.violation(kind, `${client} on ${wire} at ${node.name}: ${text}; shows ${shown}`, () =>
      this.#storyOf(client),
    );
  }
}
