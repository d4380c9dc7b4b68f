import type { SeededRandom } from '../support/seeded-random.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';
import { EchoPage } from './echo-page.ts';
import { MIXES, type Mix } from './faults.ts';
import type { Journal } from './journal.ts';
import { emptyTally, LineCheck, type Tally } from './line-check.ts';
import type { Page } from './page.ts';
import { castPages, PAGE_MESSAGE_WIRES, PAGE_ROOMS, PAGE_WIRES } from './page-scene.ts';
import { Publisher } from './publisher.ts';
import { RawPage } from './raw-page.ts';
import type { Recorder } from './report.ts';

export interface PageRowOptions {
  readonly cluster: Cluster;
  readonly redisUrl: string;
  readonly prefix: string;
  /** In front of the pages' names and of the publisher's numbers: small there, large here. */
  readonly letter: string;
  readonly count: number;
  readonly eventsPerSecond: number;
  readonly firstUserId: number;
  readonly journal: Journal;
  readonly recorder: Recorder;
  readonly random: SeededRandom;
  /** False: losses are only counted. */
  readonly accuses: boolean;
  /** The faults, for the story. */
  readonly faultsBefore: () => readonly string[];
}

/** What a page does in each tenth of a second. */
const CHANCES = { speak: 0.06, cut: 0.03, rejoin: 0.004 };
/** In the wild mix cuts come so much more often. */
const WILD = 2.5;

/** Pages on the nodes of one row, and what is published for them. */
export class PageRow {
  readonly pages: readonly Page[];
  readonly tallies: Readonly<Record<Mix, Tally>>;
  readonly #options: PageRowOptions;
  readonly #check: LineCheck;
  readonly #publisher: Publisher;
  #mix: Mix = 'ops';

  constructor(options: PageRowOptions) {
    this.#options = options;
    const { cluster, journal, recorder, random, letter, count, firstUserId } = options;
    this.tallies = Object.fromEntries(MIXES.map((mix) => [mix, emptyTally()])) as Record<Mix, Tally>;
    const check = new LineCheck({
      journal,
      recorder,
      accuses: options.accuses,
      storyOf: (name) => this.#storyOf(name),
    });
    this.#check = check;
    this.pages = castPages(letter, count, firstUserId).map((casting) => {
      const company = { random: random.fork(), journal, check, recorder, pickNode: () => cluster.pick() };
      return casting.plan.door === 'raw' ? new RawPage(casting, company) : new EchoPage(casting, company);
    });
    const some = random.fork();
    this.#publisher = new Publisher({
      url: options.redisUrl,
      prefix: options.prefix,
      letter: letter.toUpperCase(),
      perSecond: options.eventsPerSecond,
      journal,
      random: random.fork(),
      eventWires: PAGE_WIRES,
      messageWires: PAGE_MESSAGE_WIRES,
      rooms: PAGE_ROOMS,
      someSocketId: () => some.of(this.pages.flatMap(({ socketId }) => socketId ?? [])) ?? null,
    });
  }

  async open(): Promise<void> {
    await this.#publisher.open();
    for (const page of this.pages) page.enter();
  }

  /** From now on what happens is counted for that mix. */
  begin(mix: Mix): void {
    this.#mix = mix;
    this.#check.tally = this.tallies[mix];
    this.#check.lossless = mix === 'ops';
    this.#publisher.go();
  }

  pause(): void {
    this.#publisher.pause();
  }

  /** What people and networks do, a little of it in each moment. */
  act(): void {
    const { random } = this.#options;
    for (const page of this.pages) {
      if (random.chance(CHANCES.speak)) page.speak();
      if (random.chance(CHANCES.cut * (this.#mix === 'wild' ? WILD : 1))) void page.cut();
      if (random.chance(CHANCES.rejoin)) page.rejoin();
    }
  }

  /** Pages that are not back. */
  away(): Page[] {
    return this.pages.filter(({ online }) => !online);
  }

  /** Pages that are back, and wait for something of which they were not told that it is lost. */
  behind(): Page[] {
    return this.pages.filter(({ lines }) => lines.some((line) => this.#check.behind(line).length > 0));
  }

  at(node: ClusterNode): Page[] {
    return this.pages.filter((page) => page.node === node);
  }

  settle(): void {
    for (const { lines } of this.pages) for (const line of lines) this.#check.settle(line);
  }

  close(): void {
    this.#publisher.close();
    for (const page of this.pages) page.leave();
  }

  #storyOf(name: string): string {
    return [
      this.pages.find((page) => page.name === name)?.story() ?? '',
      '  faults before:',
      ...this.#options.faultsBefore().map((line) => `    ${line}`),
    ].join('\n');
  }
}
