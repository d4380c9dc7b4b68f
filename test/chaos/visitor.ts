import type { SeededRandom } from '../support/seeded-random.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { EventCheck } from './event-check.ts';
import type { Journal } from './journal.ts';
import type { PresenceCheck } from './presence-check.ts';
import type { Recorder } from './report.ts';
import { type Casting, type Kind, userName } from './scene.ts';
import { Sight } from './sight.ts';

/** What all clients of a run share. */
export interface Company {
  readonly random: SeededRandom;
  readonly journal: Journal;
  readonly events: EventCheck;
  readonly presence: PresenceCheck;
  readonly recorder: Recorder;
  /** A living node, as a load balancer would choose it. */
  readonly pickNode: () => ClusterNode;
  /** Every sight, until it is settled. */
  readonly sights: Set<Sight>;
}

interface Command {
  readonly what: string;
  readonly at: number;
  readonly key: string | null;
}

/** Refusals that an outage explains; each is tried again, or forgotten as a lost message is. */
const WEATHER = new Set(['unavailable', 'auth_error', 'cancelled', 'restarting']);
const HISTORY_LENGTH = 40;
const LATELY_LENGTH = 15;

/** A client of the run: comes back by itself, says something now and then, and remembers all for the checks. */
export abstract class Visitor {
  readonly name: string;
  readonly userId: number;
  protected readonly company: Company;
  readonly #history: string[] = [];
  readonly #lately: string[] = [];
  readonly #sights = new Map<string, Sight>();
  readonly #commands = new Map<number, Command>();
  #spoken = 0;
  #commandId = 0;
  /** Should be connected and subscribed, as soon as it can. */
  wanted = false;
  node: ClusterNode | null = null;

  constructor({ name, userId }: Casting, company: Company) {
    this.name = name;
    this.userId = userId;
    this.company = company;
  }

  /** Comes, and comes back by itself from then on. */
  abstract enter(): void;
  /** Goes, for a while or for good. */
  abstract leave(): void;
  /** Cuts the transport as a lost network would. */
  abstract cut(): void;
  /** Whispers or sends something. */
  abstract speak(): void;
  /** Leaves one channel and subscribes again, where that can be done. */
  abstract flicker(): void;
  /** Connected, and subscribed to all that it wants. */
  abstract online(): boolean;

  get user(): { id: number; name: string } {
    return { id: this.userId, name: userName(this.userId) };
  }

  get sights(): readonly Sight[] {
    return [...this.#sights.values()];
  }

  story(): string {
    const node = this.node?.tail.slice(-15).map((line) => `    ${line}`) ?? [];
    return [`  ${this.name}, user ${this.userId}:`, ...this.#history.map((line) => `    ${line}`)]
      .concat('  heard last:', ...this.#lately.map((line) => `    ${line}`))
      .concat(node.length > 0 ? [`  ${this.node?.name} logged last:`, ...node] : [])
      .join('\n');
  }

  /** Commands of the living connection that wait longer than that for their answer. */
  unanswered(ms: number): string[] {
    const since = Date.now() - ms;
    return [...this.#commands.values()].filter(({ at }) => at < since).map(({ what }) => what);
  }

  protected tell(line: string): void {
    this.#remember(this.#history, line, HISTORY_LENGTH);
  }

  #remember(list: string[], line: string, length: number): void {
    list.push(`${new Date().toISOString().slice(11)} ${line}`);
    if (list.length > length) list.shift();
  }

  /** A message of its own, numbered, in the journal's book before it goes out. */
  protected nextKey(): string {
    const key = `${this.name}:${++this.#spoken}`;
    this.company.journal.begin(key);
    return key;
  }

  protected sight(wire: string): Sight | undefined {
    return this.#sights.get(wire);
  }

  protected opened(what: {
    wire: string;
    kind: Kind;
    raw: boolean;
    named: boolean;
    socketId: string;
    list: readonly string[] | null;
  }): void {
    if (this.node === null) return;
    const sight = new Sight({ ...what, client: this.name, userId: String(this.userId), node: this.node });
    sight.cursor = this.#cursorNow();
    this.#sights.set(what.wire, sight);
    this.company.sights.add(sight);
    this.company.presence.opened(sight);
    this.company.recorder.count('subscriptions opened');
    const list = what.list === null ? '' : `, shown ${what.list.join(' ')}`;
    this.tell(`subscribed to ${what.wire} at ${this.node.name}${list}`);
  }

  protected ended(wire: string): void {
    const sight = this.#sights.get(wire);
    if (sight === undefined) return;
    sight.endedAt = Date.now();
    this.#sights.delete(wire);
  }

  protected disconnected(why: string): void {
    this.tell(`disconnected from ${this.node?.name}: ${why}`);
    for (const wire of [...this.#sights.keys()]) this.ended(wire);
    this.#commands.clear();
    this.node = null;
  }

  protected heard(wire: string, id: string): void {
    const sight = this.#sights.get(wire);
    if (sight === undefined) return this.accuse('heard without subscription', `${id} on ${wire}`);
    const answered = ![...this.#commands.values()].some(({ what, key }) => what === 'send' && key === id);
    if (!answered) this.accuse('answer out of turn', `${id} came before its "sended"`);
    this.#remember(this.#lately, `${id} on ${wire}`, LATELY_LENGTH);
    this.company.events.arrived(sight, id);
  }

  protected toldOfGap(wire: string, reason: string): void {
    const sight = this.#sights.get(wire);
    if (sight === undefined) return this.accuse('heard without subscription', `a gap on ${wire}`);
    this.tell(`told of a gap on ${wire}: ${reason}`);
    this.company.events.toldOfGap(sight);
  }

  protected announced(wire: string, type: 'joined' | 'left', user: string): void {
    const sight = this.#sights.get(wire);
    if (sight === undefined) return this.accuse('heard without subscription', `${type} ${user} on ${wire}`);
    this.tell(`${type} ${user} on ${wire}`);
    this.company.presence[type](sight, user);
  }

  protected asked(what: string, key: string | null = null): number {
    this.#commands.set(++this.#commandId, { what, at: Date.now(), key });
    return this.#commandId;
  }

  /** @param code null where it was taken. @returns false where the connection that asked is gone */
  protected answered(id: number, code: string | null): boolean {
    const command = this.#commands.get(id);
    if (command === undefined) return false;
    this.#commands.delete(id);
    const { what, key } = command;
    this.company.recorder.count(code === null ? `${what} taken` : `${what} refused: ${code}`);
    if (code !== null) this.refused(what, code);
    else if (key !== null) this.company.journal.expect(key, this.name);
    return true;
  }

  protected refused(what: string, code: string): void {
    this.tell(`${what} refused: ${code}`);
    if (!WEATHER.has(code)) this.accuse('unexpected refusal', `${what}: ${code}`);
  }

  protected accuse(
    kind:
      | 'heard without subscription'
      | 'answer out of turn'
      | 'unexpected refusal'
      | 'unexpected close'
      | 'told not to come back',
    text: string,
  ): void {
    this.company.recorder.violation(kind, `${this.name} at ${this.node?.name}: ${text}`, () => this.story());
  }

  /** What was published long before it came cannot be owed to it. */
  #cursorNow(): number {
    const { entries } = this.company.journal;
    const since = Date.now() - 30_000;
    let index = entries.length;
    while (index > 0 && (entries[index - 1]?.heardAt ?? 0) > since) index--;
    return index;
  }
}
