import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Child } from '../child.ts';
import type { FrameCounter } from '../frame-counter.ts';
import { startNode } from '../node.ts';
import { type Report, report } from '../node-process.ts';
import { redisCpuMicroseconds } from '../stage.ts';
import { startRedis } from '../store.ts';
import { type BusKind, settingsOf } from '../targets/bus-kind.ts';
import type { Publication } from '../targets/target.ts';
import { yamabikoEcho } from '../targets/yamabiko-echo.ts';

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
      pages.push(await yamabikoEcho.open(port, 'bench'));
    }
    // A join may still be answered, and the nodes still greet each other.
    await sleep(1000);
    return new Cluster(url, store, nodes, pages);
  }

  /** An event of Laravel: all are of the same size. */
  get event(): Publication {
    const publication = (text: string) => yamabikoEcho.publication('bench', `{"text":"${text}"}`);
    return publication('x'.repeat(EVENT_BYTES - publication('').payload.length));
  }

  async usage(): Promise<Usage> {
    const nodes = await this.reports();
    return {
      nodes: nodes.map(({ cpuMicroseconds }) => cpuMicroseconds),
      redis: await redisCpuMicroseconds(this.redis),
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
