import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { Journal } from './journal.ts';
import { Line, type Stretch } from './line.ts';
import type { LineCheck } from './line-check.ts';
import { type LinePlan, maySend, mayWhisper, type PageCasting } from './page-scene.ts';
import type { Recorder } from './report.ts';
import { baseOf, isListed, userName } from './scene.ts';

/** What all pages of a row share. */
export interface PageCompany {
  readonly random: SeededRandom;
  readonly journal: Journal;
  readonly check: LineCheck;
  readonly recorder: Recorder;
  /** A living node, as a load balancer would choose it. */
  readonly pickNode: () => ClusterNode;
}

const HISTORY_LENGTH = 60;
const SWALLOW_MS = { least: 100, most: 1_500 };
/** Ids that the server carries from connection to connection, for Socket.IO. */
const CARRIED_IDS = 3;

/** Somebody's open page: stays for the whole run, comes back by itself, and must miss nothing. */
export abstract class Page {
  readonly name: string;
  readonly userId: number;
  readonly lines: readonly Line[];
  node: ClusterNode | null = null;
  protected readonly company: PageCompany;
  protected readonly plans: readonly LinePlan[];
  readonly #live = new Set<string>();
  readonly #history: string[] = [];
  readonly #everIds = new Set<string>();
  #ids: readonly string[] = [];
  #spoken = 0;
  #cutting = false;
  readonly #keepsOnePosition: boolean;
  #stretch: Stretch = { offset: null };
  /** The last confirmation of a subscribe came without its position: something is held back still. */
  #confirmedBare = false;

  constructor({ name, plan, userId }: PageCasting, company: PageCompany) {
    this.name = name;
    this.userId = userId;
    this.company = company;
    this.plans = plan.lines;
    const raw = plan.door === 'raw';
    this.#keepsOnePosition = plan.door === 'echo';
    this.lines = plan.lines.map((line) => new Line(name, line, raw, userId, this.#everIds));
  }

  abstract enter(): void;
  abstract leave(): void;
  /** Leaves a channel and takes it again in the same turn, as React's hooks do. */
  abstract rejoin(): void;
  /** The network still takes what the page sends, and brings nothing any more. */
  protected abstract swallow(): void;
  protected abstract breakTransport(): void;
  protected abstract whisper(wire: string, data: object): void;
  protected abstract send(wire: string, data: object): void;

  /** Connected, and subscribed to all that it wants. */
  get online(): boolean {
    return this.node !== null && this.#live.size === this.lines.length;
  }

  /** The id of its connection, for `toOthers`. */
  get socketId(): string | null {
    return this.node === null ? null : (this.#ids[0] ?? null);
  }

  get listedLines(): number {
    return this.lines.filter(({ plan }) => isListed(plan.kind)).length;
  }

  protected get user(): { id: number; name: string } {
    return { id: this.userId, name: userName(this.userId) };
  }

  story(): string {
    const node = this.node?.tail.slice(-15).map((line) => `    ${line}`) ?? [];
    return [`  ${this.name}, user ${this.userId}:`, ...this.#history.map((line) => `    ${line}`)]
      .concat(node.length > 0 ? [`  ${this.node?.name} logged last:`, ...node] : [])
      .join('\n');
  }

  /** Cuts its network; half of the times some frames vanish before. */
  async cut(): Promise<void> {
    if (this.node === null || this.#cutting) return;
    this.#cutting = true;
    this.company.check.tally.cuts++;
    const { random } = this.company;
    if (random.chance(0.5)) {
      const ms = Math.round(random.between(SWALLOW_MS.least, SWALLOW_MS.most));
      this.tell(`hears nothing for ${ms} ms`);
      this.swallow();
      await sleep(ms);
    }
    this.tell('is cut');
    this.#cutting = false;
    this.breakTransport();
  }

  /** Says something on one of its channels. What becomes of it the journal knows. */
  speak(): void {
    const { random, journal } = this.company;
    if (this.node === null || this.#cutting || !journal.live) return;
    const able = this.plans.filter((line) => this.isLive(line.wire) && (maySend(line) || mayWhisper(line)));
    if (able.length === 0) return;
    const line = random.pick(able);
    const key = `${this.name}:${++this.#spoken}`;
    journal.begin(key);
    const data = { message: key, name: 'n' };
    if (maySend(line)) this.send(line.wire, data);
    else this.whisper(line.wire, data);
  }

  protected isLive(wire: string): boolean {
    return this.#live.has(wire);
  }

  protected tell(line: string): void {
    this.#history.push(`${new Date().toISOString().slice(11)} ${line}`);
    if (this.#history.length > HISTORY_LENGTH) this.#history.shift();
  }

  /** @param carried ids of the former connections that the server is told */
  protected connected(node: ClusterNode | null, socketId: string, carried = CARRIED_IDS - 1): void {
    this.node = node;
    this.#stretch = { offset: this.#stretch.offset };
    this.#confirmedBare = false;
    this.#ids = [socketId, ...this.#ids].slice(0, carried + 1);
    this.#everIds.add(socketId);
    this.tell(`connected to ${node?.name} as ${socketId}`);
  }

  protected disconnected(why: string): void {
    if (this.node !== null) this.tell(`disconnected from ${this.node.name}: ${why}`);
    this.node = null;
    this.#live.clear();
  }

  protected opened(wire: string, info: object): void {
    this.#live.add(wire);
    this.tell(`subscribed to ${wire}: ${JSON.stringify(info)}`);
  }

  protected closed(wire: string): void {
    this.#live.delete(wire);
  }

  /**
   * @param position that it bore, or null
   * @param confirms whether it is the confirmation of a subscribe
   */
  protected came(position: string | null, confirms: boolean): void {
    if (position !== null) this.#stretch.offset = position;
    this.#confirmedBare = position === null && (confirms || this.#confirmedBare);
  }

  /** @param position that it bore, or null */
  protected heard(wire: string, id: string, position: string | null): void {
    // With its position it may come again only if the page is set back.
    const excused = this.#keepsOnePosition && (position !== null || this.#mayBeHeldBack(wire));
    const hearing = { position, excused, stretch: this.#stretch };
    this.company.check.arrived(this.#line(wire), id, this.#ids, hearing);
  }

  /** Another channel is on its way, or the same message is to come on another channel of the room. */
  #mayBeHeldBack(wire: string): boolean {
    const { lines } = this;
    if (this.#confirmedBare || this.#live.size < lines.length) return true;
    return lines.some(({ plan }) => plan.wire !== wire && baseOf(plan.wire) === baseOf(wire));
  }

  protected toldOfGap(wire: string, reason: string): void {
    this.tell(`told of a gap on ${wire}: ${reason}`);
    this.company.check.told(this.#line(wire));
  }

  #line(wire: string): Line {
    const line = this.lines.find(({ plan }) => plan.wire === wire);
    if (line === undefined) throw new Error(`${this.name} has no channel ${wire}`);
    return line;
  }
}
