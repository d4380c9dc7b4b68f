import type { SeededRandom } from '../support/seeded-random.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import type { Mix } from './faults.ts';
import { Journal } from './journal.ts';
import { PageRow } from './page-row.ts';
import { CONTROL_PREFIX, PAGE_CHANNELS } from './page-scene.ts';
import type { Recorder, Tallies } from './report.ts';
import { PREFIX, REDIS_CHANNELS } from './scene.ts';

export interface RowsOptions {
  readonly main: string;
  readonly redisUrl: string;
  readonly authUrl: string;
  readonly graceMs: number;
  readonly recorder: Recorder;
  readonly random: SeededRandom;
  /** On the nodes with a history; half as many are on those without. */
  readonly pages: number;
  /** Published for the pages of each row. */
  readonly eventsPerSecond: number;
  /** The faults, for the story. */
  readonly faultsBefore: () => readonly string[];
}

/** Nodes with a history, and beside them, on the same Redis and under the same faults, nodes on plain Pub/Sub. */
export class Rows {
  readonly cluster: Cluster;
  readonly control: Cluster;
  readonly journal: Journal;
  readonly #controlJournal: Journal;
  readonly pages: PageRow;
  readonly controlPages: PageRow;
  readonly #recorder: Recorder;

  constructor(options: RowsOptions) {
    const { main, redisUrl, authUrl, graceMs, recorder, random, pages, eventsPerSecond, faultsBefore } =
      options;
    this.#recorder = recorder;
    this.journal = new Journal(redisUrl, PREFIX, [...REDIS_CHANNELS, ...PAGE_CHANNELS]);
    this.#controlJournal = new Journal(redisUrl, CONTROL_PREFIX, PAGE_CHANNELS);
    const clusterOf = (row: Pick<ClusterOptions, 'prefix' | 'letters' | 'env'>) =>
      new Cluster({ main, redisUrl, authUrl, graceMs, recorder, random: random.fork(), ...row });
    this.cluster = clusterOf({ prefix: PREFIX, letters: ['A', 'B', 'C'] });
    this.control = clusterOf({
      prefix: CONTROL_PREFIX,
      letters: ['P', 'Q', 'R'],
      env: { YAMABIKO_RECOVERY: 'off' },
    });
    const shared = { redisUrl, recorder, faultsBefore, eventsPerSecond };
    this.pages = new PageRow({
      ...shared,
      cluster: this.cluster,
      prefix: PREFIX,
      letter: 'e',
      count: pages,
      firstUserId: 500,
      journal: this.journal,
      random: random.fork(),
      accuses: true,
    });
    this.controlPages = new PageRow({
      ...shared,
      cluster: this.control,
      prefix: CONTROL_PREFIX,
      letter: 'k',
      count: Math.ceil(pages / 2),
      firstUserId: 700,
      journal: this.#controlJournal,
      random: random.fork(),
      accuses: false,
    });
  }

  async open(nodes: number): Promise<void> {
    await Promise.all([this.journal.open(), this.#controlJournal.open()]);
    await Promise.all([this.cluster.open(nodes), this.control.open(nodes)]);
    await Promise.all(this.#both.map((row) => row.open()));
  }

  /** What happens from now on is counted for that mix. */
  begin(mix: Mix): void {
    for (const row of this.#both) row.begin(mix);
  }

  act(): void {
    for (const row of this.#both) row.act();
  }

  pause(mix: Mix, actions: number): void {
    for (const row of this.#both) {
      row.pause();
      row.tallies[mix].actions += actions;
    }
  }

  settle(): void {
    for (const row of this.#both) row.settle();
  }

  /** A check that finds no loss where there must be some finds none anywhere. */
  controlMustHaveLost(): void {
    if (Object.values(this.controlPages.tallies).every(({ missing }) => missing === 0))
      this.#recorder.violation('control lost nothing', 'pages on plain Pub/Sub missed no event');
  }

  tallies(): { pages: Tallies; control: Tallies } {
    return { pages: this.pages.tallies, control: this.controlPages.tallies };
  }

  closePages(): void {
    for (const row of this.#both) row.close();
  }

  async closeNodes(): Promise<void> {
    await Promise.all([this.cluster.close(), this.control.close()]);
  }

  async discard(): Promise<void> {
    this.closePages();
    this.journal.close();
    this.#controlJournal.close();
    await Promise.all([this.cluster.discard(), this.control.discard()]);
  }

  get #both(): readonly PageRow[] {
    return [this.pages, this.controlPages];
  }
}
