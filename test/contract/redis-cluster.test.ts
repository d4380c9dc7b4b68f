import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { homeKey } from '../../server/broker/redis/redis-locate.ts';
import { RedisRefusedError } from '../../server/broker/redis/redis-refused.ts';
import { UnavailableError } from '../../server/domain/outcome.ts';
import { RedisCluster } from '../support/redis-cluster.ts';
import { until as untilWithin } from '../support/yamabiko.ts';
import { describeBus } from './bus-behaviour.ts';
import type { Heard } from './heard.ts';
import { deniedAt, keepsALog, namedRights } from './named-rights.ts';
import { type NodeOptions, RedisNode } from './redis-node.ts';
import { restoringNode } from './restoring-node.ts';
import { describeRoster, seat, users } from './roster-behaviour.ts';
import { describeGrace } from './roster-grace-behaviour.ts';

/** Nothing fails in the lists, so a busy machine must not look like an outage. */
const PATIENT = { commandTimeoutMs: 15_000 };
/** A failover takes some seconds, on a busy machine some more. */
const SLOW = { timeout: 90_000 };
const until = (condition: () => boolean | Promise<boolean>, what: string) =>
  untilWithin(condition, what, 60_000);

let redis: RedisCluster;
beforeAll(async () => {
  redis = await RedisCluster.start();
});
afterAll(() => redis?.stop());

async function openBus(heard: Heard, prefix: string) {
  const node = new RedisNode({ ...PATIENT, url: redis.url, prefix, heard });
  await node.bus.start();
  return { bus: node.bus, stop: () => node.bus.stop() };
}

async function openTwo(heard: Heard, prefix: string, graceMs = 0) {
  const options = { ...PATIENT, url: redis.url, prefix, graceMs };
  const node = await new RedisNode({ ...options, heard }).start();
  const second = await new RedisNode(options).start();
  fenceEveryMaster(node);
  const stop = async () => {
    await node.stop();
    await second.stop();
  };
  return { bus: node.bus, roster: node.roster, other: second.roster, stop };
}

/** Rooms are announced by the master that holds them: a fence must have passed from each of them. */
function fenceEveryMaster({ bus, heard, prefix }: RedisNode): void {
  const publish = bus.publish.bind(bus);
  bus.publish = async (channel, payload) => {
    for (const { server } of await redis.masters()) {
      const token = randomUUID();
      await server.client.publish(`${prefix}broadcast`, token);
      await until(() => heard.on('broadcast').includes(token), 'a fence has passed');
    }
    await publish(channel, payload);
  };
}

describeBus('The bus on Redis Cluster', (heard) => openBus(heard, `${randomUUID()}:`));
describeRoster('The roster on Redis Cluster', (heard) => openTwo(heard, `${randomUUID()}:`));
describeGrace('The roster on Redis Cluster', (heard, graceMs) => openTwo(heard, `${randomUUID()}:`, graceMs));
describeRoster('The roster on Redis Cluster with a hash tag in its prefix', (heard) =>
  openTwo(heard, `{${randomUUID()}}:`),
);

describe('Nodes on Redis Cluster', () => {
  const prefix = `${randomUUID()}:`;
  const rooms = Array.from({ length: 12 }, (_, i) => `room${i}`);
  const ended: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
    await redis.revive();
  }, 60_000);

  async function startNode(options: Partial<NodeOptions> = {}): Promise<RedisNode> {
    const node = restoringNode({ url: redis.url, prefix, ...options });
    ended.push(() => node.stop());
    await node.start();
    await node.bus.follow('chat');
    return node;
  }

  /** Each room lies on one of the masters; with twelve hardly any master is without. */
  async function enterAll({ roster }: RedisNode): Promise<void> {
    await Promise.all(rooms.map((room) => roster.enter(room, seat(`in ${room}`, 1))));
  }

  async function all(node: RedisNode): Promise<string> {
    const lists = await Promise.all(rooms.map((room) => node.roster.members(room)));
    return lists.map((list) => users(list).join('+')).join();
  }
  const everybody = rooms.map(() => '1').join();
  const everybodyIsThere = (node: RedisNode) =>
    until(async () => (await all(node).catch(() => '')) === everybody, 'everybody is there');

  async function hearsFromEveryNode(node: RedisNode): Promise<void> {
    for (const { server } of redis.nodes.filter((one) => one.server.answers)) {
      const text = randomUUID();
      await server.client.publish(`${prefix}chat`, text);
      await until(() => node.heard.on('chat').includes(text), `what ${server.port} publishes is heard`);
      expect(node.heard.on('chat').filter((heard) => heard === text)).toHaveLength(1);
    }
  }

  /** By Redis's own word. */
  async function subscribersAt(port: number): Promise<number> {
    const server = redis.nodes.find((one) => one.server.port === port)?.server;
    const reply = (await server?.client.call('PUBSUB', 'NUMSUB', `${prefix}chat`)) as [string, number];
    return Number(reply[1]);
  }

  it('all subscribe at the master of one slot, and hear what is published anywhere, once', async () => {
    const nodes = [await startNode(), await startNode(), await startNode()];
    const home = await redis.masterOf(homeKey(prefix));
    expect(await subscribersAt(home.server.port)).toBe(3);
    for (const node of nodes) await hearsFromEveryNode(node);
  });

  it('hear all in one order, wherever it is published', async () => {
    const nodes = [await startNode(), await startNode()];
    const texts = Array.from({ length: 300 }, (_, i) => String(i));
    await Promise.all(
      texts.map((text, i) => {
        const at = redis.nodes[i % redis.nodes.length];
        return i % 2 === 0
          ? at?.server.client.publish(`${prefix}chat`, text)
          : nodes[0]?.bus.publish('chat', text);
      }),
    );
    for (const node of nodes)
      await until(() => node.heard.on('chat').length === texts.length, 'all is heard');
    expect(nodes[1]?.heard.on('chat')).toEqual(nodes[0]?.heard.on('chat'));
  });

  it('move together when the slot moves to another master', SLOW, async () => {
    const nodes = [await startNode(), await startNode()];
    const to = await redis.moveSlotOf(homeKey(prefix));
    await until(async () => (await subscribersAt(to.server.port)) === 2, 'both are there');
    for (const node of nodes) {
      await until(() => node.bus.ready(), 'ready');
      expect(node.heard.gaps).toEqual(['master_changed']);
      await hearsFromEveryNode(node);
    }
  });

  it('take a room along that moves, without an outage', SLOW, async () => {
    const node = await startNode();
    await enterAll(node);
    const [key] = (
      await Promise.all((await redis.masters()).map((m) => m.server.client.keys(`${prefix}*:seats`)))
    ).flat();
    await redis.moveSlotOf(String(key));
    expect(await all(node)).toBe(everybody);
    expect(node.heard.readinesses).toEqual([true]);
    expect(node.heard.gaps).toEqual([]);
  });

  it('come back when the master dies that they hear', SLOW, async () => {
    const nodes = [await startNode(), await startNode()];
    await enterAll(nodes[0] as RedisNode);
    const home = await redis.masterOf(homeKey(prefix));
    await home.server.kill();
    for (const node of nodes) await until(() => !node.bus.ready(), 'not ready');
    await expect(nodes[0]?.bus.publish('chat', 'x')).rejects.toThrow(UnavailableError);
    await redis.healed();
    for (const node of nodes) {
      await until(() => node.bus.ready(), 'ready again');
      expect(node.heard.gaps).not.toEqual([]);
      await hearsFromEveryNode(node);
      await everybodyIsThere(node);
    }
  });

  it(
    'are not ready while another master is dead, and enter everybody again when it is replaced',
    SLOW,
    async () => {
      const node = await startNode();
      await enterAll(node);
      const other = await otherMaster();
      await other.server.kill();
      await until(() => !node.bus.ready(), 'not ready');
      await redis.healed();
      await until(() => node.bus.ready(), 'ready again');
      expect(node.heard.gaps).toEqual(['master_replaced']);
      await everybodyIsThere(node);
    },
  );

  it('are not ready while another master is frozen, and refuse within a bounded time', SLOW, async () => {
    const node = await startNode();
    await enterAll(node);
    const other = await otherMaster();
    other.server.pause();
    await until(() => !node.bus.ready(), 'not ready');
    const answers = await Promise.allSettled(rooms.map((room) => node.roster.members(room)));
    expect(answers.some(({ status }) => status === 'rejected')).toBe(true);
    await redis.healed();
    await until(() => node.bus.ready(), 'ready again');
    await everybodyIsThere(node);
  });

  it('notice that one master lost its data, and enter everybody again', SLOW, async () => {
    const node = await startNode();
    await enterAll(node);
    const other = await otherMaster();
    await other.server.client.flushall();
    await until(() => node.heard.gaps.length === 1, 'told');
    await everybodyIsThere(node);
    expect(node.bus.ready()).toBe(true);
  });

  it('come back when the whole Cluster died, which comes back empty', SLOW, async () => {
    const nodes = [await startNode(), await startNode()];
    await enterAll(nodes[0] as RedisNode);
    await Promise.all(redis.nodes.map(({ server }) => server.kill()));
    for (const node of nodes) await until(() => !node.bus.ready(), 'not ready');
    await expect(nodes[0]?.roster.members('room1')).rejects.toThrow(UnavailableError);
    await Promise.all(redis.nodes.map(({ server }) => server.restart()));
    for (const node of nodes) {
      await until(() => node.bus.ready(), 'ready again');
      expect(node.heard.gaps).toEqual(['connection_lost']);
      await hearsFromEveryNode(node);
      await everybodyIsThere(node);
    }
  });

  it('start where the Cluster is unreachable, and are ready when it comes', SLOW, async () => {
    await Promise.all(redis.nodes.map(({ server }) => server.kill()));
    const node = restoringNode({ url: redis.url, prefix });
    ended.push(() => node.stop());
    await node.start();
    expect(node.bus.ready()).toBe(false);
    await expect(node.bus.publish('chat', 'x')).rejects.toThrow(UnavailableError);
    await Promise.all(redis.nodes.map(({ server }) => server.restart()));
    await until(() => node.bus.ready(), 'ready');
    await node.bus.follow('chat');
    await hearsFromEveryNode(node);
    expect(node.heard.gaps).toEqual([]);
  });

  it('refuse to start with a wrong password, and show none', SLOW, async () => {
    await redis.onAll('ACL', 'SETUSER', 'guarded', 'on', '>right', '~*', '&*', '+@all');
    const node = restoringNode({ url: redis.urlAs('guarded:wrong-one@'), prefix });
    ended.push(() => node.stop());
    const error = await node.start().catch((err: unknown) => err);
    expect(error).toBeInstanceOf(RedisRefusedError);
    expect(JSON.stringify([String(error), node.log.lines])).not.toContain('wrong-one');
  });

  it('refuse to start without the right to ask for the slots, and name it', SLOW, async () => {
    await redis.onAll('ACL', 'SETUSER', 'slotless', 'on', '>pw', '~*', '&*', '+@all', '-cluster|slots');
    const node = restoringNode({ url: redis.urlAs('slotless:pw@'), prefix });
    ended.push(() => node.stop());
    await expect(node.start()).rejects.toThrow(/cluster\|slots/);
  });

  it('start with an ACL user who has the rights that are named', SLOW, async () => {
    const url = redis.urlAs('app:pw@');
    await redis.onAll('ACL', 'SETUSER', 'app', ...namedRights(url, prefix).ofRedis);
    await redis.onAll('ACL', 'LOG', 'RESET');
    const node = await startNode({ url });
    await enterAll(node);
    await everybodyIsThere(node);
    await keepsALog(redis.urlAs('app:pw@'), prefix);
    expect(node.log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    for (const { server } of redis.nodes) expect(await deniedAt(server)).toEqual([]);
  });

  async function otherMaster() {
    const home = await redis.masterOf(homeKey(prefix));
    const other = (await redis.masters()).find(({ id }) => id !== home.id);
    if (other === undefined) throw new Error('there is one master only');
    return other;
  }
});
