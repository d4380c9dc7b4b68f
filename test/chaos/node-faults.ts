import type { RedisServer } from '../support/redis-server.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { type Cluster, NODE_TTL_MS } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';
import { PREFIX } from './scene.ts';
import type { Visitor } from './visitor.ts';
import { whoWrites } from './who-writes.ts';

/** `any`: one at random; `writer`: the one that writes the log. */
export type Choice = 'any' | 'writer';

export interface NodeFaultsOptions {
  readonly cluster: Cluster;
  /** What befalls a node befalls the one in the same place here too. */
  readonly control: Cluster;
  readonly redis: RedisServer;
  readonly visitors: readonly Visitor[];
  /** How long who is gone lingers in a list, in milliseconds. */
  readonly graceMs: number;
  readonly random: SeededRandom;
  readonly tell: (line: string) => void;
  /** A client goes until after the next quiet point. */
  readonly sendAway: (visitor: Visitor) => void;
  /** Waits so long, or shorter where the round ends. */
  readonly pause: (lowMs: number, highMs: number) => Promise<void>;
}

export class NodeFaults {
  readonly #options: NodeFaultsOptions;

  constructor(options: NodeFaultsOptions) {
    this.#options = options;
  }

  /** Somewhere clients must be able to go. */
  get possible(): boolean {
    return this.#options.cluster.working.length >= 2;
  }

  async kill(choice: Choice): Promise<void> {
    const { visitors, random, tell, sendAway, pause } = this.#options;
    const [slot, nodes] = await this.#choose(choice);
    tell(`kill -9 ${namesOf(nodes)}${mark(choice)}`);
    for (const node of nodes) node.kill();
    // Who comes back at once hides what the dead node left of him.
    for (const visitor of visitors) if (visitor.node === nodes[0] && random.chance(0.4)) sendAway(visitor);
    await pause(200, 3_000);
    await this.#fill(slot, nodes);
  }

  async terminate(choice: Choice): Promise<void> {
    const { cluster, control, tell, pause } = this.#options;
    const [slot, nodes] = await this.#choose(choice);
    tell(`SIGTERM ${namesOf(nodes)}${mark(choice)}`);
    for (const node of nodes) node.terminate();
    await Promise.all(nodes.map((node, i) => (i === 0 ? cluster : control).awaitExit(node)));
    await pause(0, 1_500);
    await this.#fill(slot, nodes);
  }

  async freeze(choice: Choice): Promise<void> {
    const { tell, pause, random, graceMs } = this.#options;
    const [, nodes] = await this.#choose(choice);
    // The others give its members up after its lease, and show them leaving after the grace; half of the times it is
    // back before, and half of the times it finds that out.
    const lapseMs = random.chance(0.5) ? 0 : NODE_TTL_MS + graceMs - 1_000;
    tell(`SIGSTOP ${namesOf(nodes)}${mark(choice)}`);
    for (const node of nodes) node.freeze();
    await pause(lapseMs + 2_000, lapseMs + 4_000);
    for (const node of nodes) node.thaw();
    tell(`SIGCONT ${namesOf(nodes)}`);
  }

  /** @returns the place, and the nodes in it that work: the main row's first */
  async #choose(choice: Choice): Promise<[number, ClusterNode[]]> {
    const { cluster, control, redis, random } = this.#options;
    const writer =
      choice === 'writer' && redis.answers ? await whoWrites(redis, PREFIX, cluster.working) : null;
    const node = writer ?? random.pick(cluster.working);
    const slot = cluster.slots.indexOf(node);
    const other = control.slots[slot];
    return [slot, other !== undefined && control.working.includes(other) ? [node, other] : [node]];
  }

  async #fill(slot: number, nodes: readonly ClusterNode[]): Promise<void> {
    const { cluster, control } = this.#options;
    await Promise.all([cluster.fill(slot), ...(nodes.length > 1 ? [control.fill(slot)] : [])]);
  }
}

function namesOf(nodes: readonly ClusterNode[]): string {
  return nodes.map(({ name }) => name).join(', ');
}

function mark(choice: Choice): string {
  return choice === 'writer' ? ' (the writer)' : '';
}
