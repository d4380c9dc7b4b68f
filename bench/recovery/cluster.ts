import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Child } from '../child.ts';
import type { FrameCounter } from '../frame-counter.ts';
import { type Report, report, startNode } from '../node.ts';
import { startRedis } from '../store.ts';
import { echo } from '../targets.ts';

export const BUSES = ['plain', 'log'] as const;
export type BusKind = (typeof BUSES)[number];

export const settingsOf = (bus: BusKind) => ({ YAMABIKO_RECOVERY: bus === 'log' ? 'on' : 'off' });

const EVENT_BYTES = 233;

export interface Usage {
  /** Microseconds of each node so far. */
  readonly nodes: readonly number[];
  readonly redis: number;
}

/** Some nodes on one Redis of their own, and a page of Echo on each. */
export class Cluster {
  readonly redis: Redis;
  readonly url: string;
  readonly pages: readonly FrameCounter[];
  readonly #nodes: readonly Child[];
  readonly #store: Child;

  private constructor(url: string, store: Child, nodes: readonly Child[], pages: readonly FrameCounter[]) {
    this.url = url;
    this.redis = new Redis(url);
    this.pages = pages;
    this.#store = store;
    this.#nodes = nodes;
  }

  static async start(
    bus: BusKind,
    size: number,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Cluster> {
    const { child: store, url } = await startRedis();
    const nodes: Child[] = [];
    const pages: FrameCounter[] = [];
    for (let i = 0; i < size; i++) {
      const settings = { ...settingsOf(bus), YAMABIKO_OUTBOX_BYTES: '1073741824', ...more };
      const { child, port } = await startNode(url, settings);
      nodes.push(child);
      pages.push(await echo.open(port));
    }
    // A join may still be answered, and the nodes still greet each other.
    await sleep(1000);
    return new Cluster(url, store, nodes, pages);
  }

  /** An event of Laravel: all are of the same size. */
  get event(): { readonly channel: string; readonly payload: string } {
    const payload = (text: string) => echo.payload(`{"text":"${text}"}`);
    return { channel: echo.channel, payload: payload('x'.repeat(EVENT_BYTES - payload('').length)) };
  }

  async usage(): Promise<Usage> {
    const nodes = await this.reports();
    const cpu = await this.redis.info('cpu');
    const seconds = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(cpu)?.[1]);
    return {
      nodes: nodes.map(({ cpuMicroseconds }) => cpuMicroseconds),
      redis: (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1_000_000,
    };
  }

  /** @param held whether to collect garbage before */
  reports(held = false): Promise<readonly Report[]> {
    return Promise.all(this.#nodes.map((node) => report(node, held)));
  }

  /** The key of the log's last place, or null on the plain bus. */
  async headKey(): Promise<string | null> {
    const [key] = await this.redis.keys('*:log:head');
    return key ?? null;
  }

  async stop(): Promise<void> {
    for (const page of this.pages) page.close();
    this.redis.disconnect();
    for (const node of this.#nodes) await node.stop();
    await this.#store.stop();
  }
}
