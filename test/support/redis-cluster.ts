import { freePort } from './free-port.ts';
import { RedisServer } from './redis-server.ts';
import { until } from './yamabiko.ts';

export interface ClusterNode {
  readonly server: RedisServer;
  readonly id: string;
}

const SLOTS = 16_384;
const MASTERS = 3;
/** A node that is silent for so long is taken for dead; less, and a busy machine changes masters by itself. */
const NODE_TIMEOUT_MS = 2_000;
const PATIENCE_MS = 40_000;

/**
 * Three masters with a replica each of this test file, on free ports of 127.0.0.1:
 *
 *     const redis = await RedisCluster.start();
 *     const master = await redis.masterOf('a key');
 *     await master.server.kill();
 *     await redis.healed();          // its replica has taken over
 *     await redis.moveSlotOf('a key');
 *     await redis.stop();
 */
export class RedisCluster {
  readonly nodes: readonly ClusterNode[];

  private constructor(nodes: readonly ClusterNode[]) {
    this.nodes = nodes;
  }

  /** @param args for every node; with a certificate (`--tls-cert-file`) they speak TLS too */
  static async start(args: readonly string[] = []): Promise<RedisCluster> {
    const allArgs = async () => [...ownArgs(await freePort()), ...args];
    const servers = await Promise.all(Array.from({ length: 2 * MASTERS }, () => RedisServer.start(allArgs)));
    const nodes = await Promise.all(
      servers.map(async (server, i) => {
        await server.client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
        const share = (n: number) => Math.floor((n * SLOTS) / MASTERS);
        if (i < MASTERS) await server.client.call('CLUSTER', 'ADDSLOTSRANGE', share(i), share(i + 1) - 1);
        return { server, id: String(await server.client.call('CLUSTER', 'MYID')) };
      }),
    );
    const cluster = new RedisCluster(nodes);
    const [first, ...others] = nodes as [ClusterNode, ...ClusterNode[]];
    const [, busPort] = (await first.server.client.config('GET', 'cluster-port')) as [string, string];
    await Promise.all(
      others.map(({ server }) =>
        server.client.call('CLUSTER', 'MEET', '127.0.0.1', first.server.port, busPort),
      ),
    );
    await until(() => cluster.#allKnown(), 'all nodes know each other', PATIENCE_MS);
    await Promise.all(
      nodes
        .slice(MASTERS)
        .map(({ server }, i) => server.client.call('CLUSTER', 'REPLICATE', nodes[i]?.id ?? '')),
    );
    await cluster.healed(MASTERS);
    return cluster;
  }

  get url(): string {
    return this.urlAs('');
  }

  /** @param credentials `user:password@` or empty */
  urlAs(credentials: string): string {
    return `redis+cluster://${credentials}${this.nodes.map(({ server }) => `127.0.0.1:${server.port}`).join(',')}`;
  }

  get tlsUrl(): string {
    return `rediss+cluster://${this.nodes.map(({ server }) => `127.0.0.1:${server.tlsPort}`).join(',')}`;
  }

  /** Runs a command of an operator on every node that lives. */
  async onAll(...command: [string, ...string[]]): Promise<void> {
    await Promise.all(this.#living().map(({ server }) => server.client.call(...command)));
  }

  /** Who holds the slot of a key now. */
  async masterOf(key: string): Promise<ClusterNode> {
    const asked = this.#living()[0] as ClusterNode;
    const slot = Number(await asked.server.client.call('CLUSTER', 'KEYSLOT', key));
    const holder = (await slotsOf(asked.server)).find(({ from, to }) => from <= slot && slot <= to);
    return this.#withId(holder?.master);
  }

  async masters(): Promise<ClusterNode[]> {
    const ranges = await slotsOf((this.#living()[0] as ClusterNode).server);
    return [...new Set(ranges.map(({ master }) => master))].map((id) => this.#withId(id));
  }

  /** Resolves when every living node finds the Cluster whole, with living masters alone. @param replicas linked ones */
  healed(replicas = 0): Promise<void> {
    return until(() => this.#isWhole(replicas), 'the Cluster is whole', PATIENCE_MS);
  }

  /** Moves the slot of a key to another master, as resharding does. @returns the new one */
  async moveSlotOf(key: string): Promise<ClusterNode> {
    const from = await this.masterOf(key);
    const to = (await this.masters()).find(({ id }) => id !== from.id) as ClusterNode;
    const slot = String(await from.server.client.call('CLUSTER', 'KEYSLOT', key));
    await to.server.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.server.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    const keys = (await from.server.client.call('CLUSTER', 'GETKEYSINSLOT', slot, '1000')) as string[];
    if (keys.length > 0)
      await from.server.client.call('MIGRATE', '127.0.0.1', to.server.port, '', 0, 5000, 'KEYS', ...keys);
    for (const { server } of [to, from]) await server.client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    await until(
      async () =>
        (await Promise.all(this.#living().map(({ server }) => knows(server, slot, to.id)))).every(Boolean),
      'all nodes know of the move',
      PATIENCE_MS,
    );
    return to;
  }

  /** Starts what is dead, thaws what is frozen, and resolves when whoever is hurt next has a replica again. */
  async revive(): Promise<void> {
    for (const { server } of this.nodes) {
      server.resume();
      if (!server.answers) await server.restart();
    }
    await this.healed(MASTERS);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ server }) => server.stop()));
  }

  #living(): ClusterNode[] {
    return this.nodes.filter(({ server }) => server.answers);
  }

  #withId(id: string | undefined): ClusterNode {
    const node = this.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`no node has the id ${id}`);
    return node;
  }

  async #allKnown(): Promise<boolean> {
    const infos = await Promise.all(this.nodes.map(({ server }) => server.client.call('CLUSTER', 'INFO')));
    return infos.every((info) => String(info).includes(`cluster_known_nodes:${this.nodes.length}`));
  }

  async #isWhole(replicas: number): Promise<boolean> {
    const living = this.#living();
    const ids = new Set(living.map(({ id }) => id));
    const whole = await Promise.all(
      living.map(async ({ server }) => {
        const ranges = await slotsOf(server);
        const held = ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
        const info = String(await server.client.call('CLUSTER', 'INFO'));
        return (
          held === SLOTS && ranges.every(({ master }) => ids.has(master)) && info.includes('cluster_state:ok')
        );
      }),
    );
    if (!whole.every(Boolean)) return false;
    const linked = await Promise.all(
      living.map(async ({ server }) =>
        (await server.client.info('replication')).includes('master_link_status:up'),
      ),
    );
    return linked.filter(Boolean).length >= replicas;
  }
}

function ownArgs(busPort: number): string[] {
  return [
    ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
    ...['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--cluster-replica-validity-factor', '0'],
    ...['--repl-diskless-sync-delay', '0'],
  ];
}

async function slotsOf({ client }: RedisServer): Promise<{ from: number; to: number; master: string }[]> {
  const ranges = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
  return ranges.map(([from, to, [, , master]]) => ({ from, to, master }));
}

async function knows(server: RedisServer, slot: string, id: string): Promise<boolean> {
  const ranges = await slotsOf(server);
  return ranges.some(({ from, to, master }) => from <= Number(slot) && Number(slot) <= to && master === id);
}
