import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { LogNames } from '../../server/broker/log/log-names.ts';
import { PROBE } from '../../server/broker/log/log-scripts.ts';
import { comparePositions, parsePosition } from '../../server/domain/position.ts';
import { RedisServer } from '../support/redis-server.ts';
import { until } from './heard.ts';
import { LogNode, type LogNodeOptions } from './log-node.ts';
import { MutingProxy } from './muting-proxy.ts';

/** Of the nodes' subscriber connections alone. */
const LOG_CONNECTION = 'yamabiko-log';
/** Nodes that publish no probes after the first: on a busy machine they would fall into what the tests make. */
const QUIET = { probeIntervalMs: 60_000 };
/** Connected is not enough: so CLIENT LIST shows one that has subscribed. */
const LISTENING = ' psub=1 ';

describe('The log of three nodes', () => {
  const ended: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  async function cluster(count = 3, options: Partial<LogNodeOptions> = {}) {
    const redis = await RedisServer.start();
    ended.push(() => redis.stop());
    const prefix = `${randomUUID()}:`;
    const nodes: LogNode[] = [];
    for (let i = 0; i < count; i++) nodes.push(await join(redis, prefix, options));
    return { redis, prefix, nodes, publisher: new Publisher(redis, `${prefix}chat`) };
  }

  async function join(
    redis: RedisServer,
    prefix: string,
    options: Partial<LogNodeOptions> = {},
  ): Promise<LogNode> {
    const node = await new LogNode({ url: redis.url, prefix, ...options }).start();
    ended.push(() => node.stop());
    await until(() => node.bus.ready(), 'ready');
    await node.bus.follow('chat');
    return node;
  }

  it('says the same in the same places on all of them', async () => {
    const { redis, prefix, nodes, publisher } = await cluster();
    await publisher.publish(500);
    for (const node of nodes) await node.heard.payloads('chat', 500);
    for (const node of nodes) {
      expect(node.heard.on('chat')).toEqual(publisher.published);
      expect(node.heard.positions).toEqual(nodes[0]?.heard.positions);
    }
    expectNoGap(nodes);
    // What a deployment leaves behind ends by itself.
    expect(await redis.client.ttl(`${prefix}yamabiko:{home}:log:entries`)).toBeGreaterThan(86_400);
  });

  it('goes on without loss when nodes crash that wrote it, again and again', async () => {
    const { redis, prefix, nodes, publisher } = await cluster();
    const ending = publisher.goOn();
    const stayer = nodes[2] as LogNode;
    for (const victim of [nodes[0], nodes[1]] as LogNode[]) {
      await publisher.published100();
      crash(victim);
      await publisher.published100();
      await join(redis, prefix);
    }
    const published = await ending();
    expect(await stayer.heard.payloads('chat', published.length)).toEqual(published);
    expectNoGap([stayer]);
  });

  it('goes on without loss when a node stops in order', async () => {
    const { nodes, publisher } = await cluster();
    const ending = publisher.goOn();
    await publisher.published100();
    await nodes[0]?.stop();
    await publisher.published100();
    const published = await ending();
    expect(await nodes[1]?.heard.payloads('chat', published.length)).toEqual(published);
    expectNoGap(nodes.slice(1));
  });

  it('goes on without loss when subscriber connections are cut one by one', async () => {
    const { redis, nodes, publisher } = await cluster();
    const ending = publisher.goOn();
    for (let round = 0; round < 6; round++) {
      await publisher.published100();
      const ids = await connections(redis, LOG_CONNECTION);
      await redis.client.call('CLIENT', 'KILL', 'ID', ids[round % ids.length] ?? '0');
      await until(
        async () => (await connections(redis, LOG_CONNECTION, LISTENING)).length === 3,
        'three listen',
      );
    }
    const published = await ending();
    for (const node of nodes) expect(await node.heard.payloads('chat', published.length)).toEqual(published);
    expectNoGap(nodes);
  });

  it('goes on without loss when the subscription of the node that writes is open and brings nothing', async () => {
    const { redis, prefix } = await cluster(0);
    const proxy = await MutingProxy.start(redis.port);
    ended.push(() => proxy.stop());
    const writer = await join(redis, prefix, { url: proxy.url });
    const other = await join(redis, prefix);
    const publisher = new Publisher(redis, `${prefix}chat`);
    await publisher.publish(3);
    const muted = (await connections(redis, LOG_CONNECTION))[0] ?? '';
    proxy.mute(LOG_CONNECTION);
    await publisher.publish(50);
    for (const { heard } of [writer, other])
      expect(await heard.payloads('chat', 53)).toEqual(publisher.published);
    await until(
      () => writer.log.lines.some(({ message }) => message === 'listening anew for the log'),
      'found',
    );
    await until(
      async () => !(await connections(redis, LOG_CONNECTION)).includes(muted),
      'the old one is gone',
    );
    await until(
      async () => (await connections(redis, LOG_CONNECTION, LISTENING)).length === 2,
      'both listen',
    );
    const markers = await markersIn(redis, prefix);
    // Its own marker comes before two of the other's.
    await until(async () => (await markersIn(redis, prefix)) >= markers + 2, 'it is aligned');
    crash(other);
    await publisher.publish(50);
    expect(await writer.heard.payloads('chat', 103)).toEqual(publisher.published);
    expectNoGap([writer, other]);
  });

  it('is read without loss when the readers are cut', async () => {
    const { redis, nodes, publisher } = await cluster();
    const ending = publisher.goOn();
    for (let round = 0; round < 3; round++) {
      await publisher.published100();
      for (const id of await connections(redis, 'yamabiko-subscriber'))
        await redis.client.call('CLIENT', 'KILL', 'ID', id);
    }
    const published = await ending();
    for (const node of nodes) expect(await node.heard.payloads('chat', published.length)).toEqual(published);
    expectNoGap(nodes);
  });

  it('tells nobody anything when all subscribers are cut and nothing was published meanwhile', async () => {
    const { redis, nodes, publisher } = await cluster(3, QUIET);
    await publisher.publish(3);
    for (const node of nodes) await node.heard.payloads('chat', 3);
    await cutAllSubscribers(redis);
    await publisher.publish(3);
    for (const node of nodes) expect(await node.heard.payloads('chat', 6)).toEqual(publisher.published);
    expectNoGap(nodes);
  });

  it('tells nobody anything when nothing but its own probes was published while nobody listened', async () => {
    const { redis, prefix, nodes, publisher } = await cluster(3, QUIET);
    await publisher.publish(3);
    for (const node of nodes) await node.heard.payloads('chat', 3);
    const { unheard } = new LogNames({ prefix, broadcastPrefix: prefix });
    const probe = [PROBE, 1, unheard, `${prefix}#yamabiko:probe:x`, 'token'] as const;
    // In one turn of Redis, so that no node is quicker.
    await redis.client
      .multi()
      .call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      .eval(...probe)
      .eval(...probe)
      .exec();
    await until(
      async () => (await connections(redis, LOG_CONNECTION, LISTENING)).length === nodes.length,
      'all listen anew',
    );
    await publisher.publish(3);
    for (const node of nodes) expect(await node.heard.payloads('chat', 6)).toEqual(publisher.published);
    expectNoGap(nodes);
    expect(await redis.client.hget(unheard, 'calls')).toBe('2');
  });

  it('tells a gap at its place when something was published while nobody listened', async () => {
    const { redis, nodes, publisher } = await cluster();
    await publisher.publish(3);
    for (const node of nodes) await node.heard.payloads('chat', 3);
    // In one turn of Redis, so that no node is quicker.
    await redis.client
      .multi()
      .call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      .publish(`${publisher.name}`, 'lost')
      .exec();
    await until(() => nodes.every((node) => node.heard.gaps.length === 1), 'a gap on each node');
    await publisher.publish(3);
    for (const node of nodes) {
      expect(await node.heard.payloads('chat', 6)).toEqual(publisher.published);
      expect(node.heard.gaps).toEqual(['log_restarted']);
      expectGrowing(node);
    }
  });

  it('goes on where it was when Redis lost everything but its connections', async () => {
    const { redis, nodes, publisher } = await cluster();
    const ending = publisher.goOn();
    for (let round = 0; round < 3; round++) {
      await publisher.published100();
      await redis.client.flushall();
    }
    await publisher.published100();
    const published = await ending();
    for (const node of nodes) expect(await node.heard.payloads('chat', published.length)).toEqual(published);
    expectNoGap(nodes);
  });

  it('gives what was deleted from it before a node had read it, as that node has heard it', async () => {
    const { redis, prefix, nodes, publisher } = await cluster(2);
    await publisher.publish(3);
    for (const node of nodes) await node.heard.payloads('chat', 3);
    const { stream } = new LogNames({ prefix, broadcastPrefix: prefix });
    const [, slow] = nodes as [LogNode, LogNode];
    // Nothing of what it is answered comes to it: the reader's connection alone stands still.
    const { stream: socket } = slow.connections.subscriber;
    socket.pause();
    await publisher.publish(3);
    await nodes[0]?.heard.payloads('chat', 6);
    await redis.client.xtrim(stream, 'MAXLEN', 0);
    await publisher.publish(3);
    await nodes[0]?.heard.payloads('chat', 9);
    socket.resume();
    for (const node of nodes) expect(await node.heard.payloads('chat', 9)).toEqual(publisher.published);
    expectNoGap(nodes);
    expect(slow.heard.positions).toEqual(nodes[0]?.heard.positions);
  });

  it('begins a new epoch when Redis was killed and came back empty', async () => {
    const { redis, nodes, publisher } = await cluster();
    await publisher.publish(3);
    for (const node of nodes) await node.heard.payloads('chat', 3);
    await redis.kill();
    await until(() => nodes.every((node) => !node.bus.ready()), 'nobody is ready');
    await redis.restart();
    await until(() => nodes.every((node) => node.bus.ready()), 'all ready');
    await publisher.publish(3);
    for (const node of nodes) {
      expect((await node.heard.payloads('chat', 6)).slice(-3)).toEqual(publisher.published.slice(-3));
      expect(node.heard.gaps).toEqual(['log_restarted']);
      expectGrowing(node);
    }
  });

  it('loses nothing while Redis stands still', async () => {
    const { redis, nodes, publisher } = await cluster();
    const ending = publisher.goOn();
    await publisher.published100();
    redis.pause();
    await new Promise((resolve) => setTimeout(resolve, 700));
    redis.resume();
    const published = await ending();
    for (const node of nodes) expect(await node.heard.payloads('chat', published.length)).toEqual(published);
    expectNoGap(nodes);
  });

  it('loses nothing when Redis stands still for so long that all other connections are made anew', async () => {
    const { redis, nodes, publisher } = await cluster(2, { commandTimeoutMs: 300 });
    await publisher.publish(3);
    const before = await connections(redis, 'yamabiko-subscriber');
    redis.pause();
    const backlog = publisher.publish(1);
    await until(() => nodes.every((node) => node.connections.command.status !== 'ready'), 'given up');
    redis.resume();
    await backlog;
    await until(() => nodes.every((node) => node.bus.ready()), 'ready again');
    await publisher.publish(3);
    for (const node of nodes) expect(await node.heard.payloads('chat', 7)).toEqual(publisher.published);
    expect(await connections(redis, 'yamabiko-subscriber')).not.toEqual(before);
    expectNoGap(nodes);
  });

  it('outlives foreign entries, and an id beyond all that ids can be', async () => {
    const { redis, prefix, nodes, publisher } = await cluster();
    const stream = `${prefix}yamabiko:{home}:log:entries`;
    await publisher.publish(2);
    await redis.client.xadd(stream, '*', 'foreign', 'entry');
    await publisher.publish(2);
    await until(() => nodes.every((node) => node.foreign > 0), 'counted');
    await healed(nodes, publisher);
    await redis.client.xadd(stream, '18446744073709551614-1', 'c', 'x', 'd', 'y');
    await publisher.publish(2);
    await healed(nodes, publisher);
    expect(nodes[0]?.log.lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(0);
  });

  it('keeps a deployment with other keys out, names it, and lets it in when the first is gone', async () => {
    const { redis, prefix } = await cluster(0);
    const at = { url: redis.url, prefix };
    const first = await new LogNode({ ...at, marks: ['a', 'b'] }).start();
    const rotated = await new LogNode({ ...at, marks: ['b', 'c'] }).start();
    const stranger = new LogNode({ ...at, marks: ['x'] });
    ended.push(() => stranger.stop());
    await stranger.start();
    expect([first.bus.ready(), rotated.bus.ready(), stranger.bus.ready()]).toEqual([true, true, false]);
    const told = () => stranger.log.lines.filter(({ message }) => message.includes('another deployment'));
    await until(() => told().length > 0, 'named');
    await first.stop();
    await rotated.stop();
    // What they held ends by itself; waiting for that would take long.
    await redis.client.del(`${prefix}yamabiko:{home}:log:owner`);
    await until(() => stranger.bus.ready(), 'ready');
    expect(told()).toHaveLength(1);
  });

  it('is read by a node that comes later, which gives what was missed before it came', async () => {
    const { redis, prefix, nodes, publisher } = await cluster(1);
    const [first] = nodes as [LogNode];
    const from = first.bus.position();
    await publisher.publish(1200);
    await first.heard.payloads('chat', 1200);
    crash(first);
    const second = await join(redis, prefix);
    const given: string[] = [];
    let complete = false;
    await second.bus.resume({
      from,
      channels: new Set(['chat']),
      signal: new AbortController().signal,
      page: async (items) =>
        void given.push(...items.map((item) => ('payload' in item ? `${item.payload}` : 'gap'))),
      live: (items, end) => {
        given.push(...items.map((item) => ('payload' in item ? `${item.payload}` : 'gap')));
        complete = end.complete;
      },
    });
    expect(given).toEqual(publisher.published);
    expect(complete).toBe(true);
  });

  async function healed(nodes: readonly LogNode[], publisher: Publisher): Promise<void> {
    await until(async () => {
      const text = await publisher.publish(1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return nodes.every((node) => node.heard.on('chat').includes(text));
    }, 'events flow again');
  }
});

/** Numbers in their order; only what Redis has taken counts. */
class Publisher {
  readonly published: string[] = [];
  readonly name: string;
  readonly #redis: RedisServer;

  constructor(redis: RedisServer, name: string) {
    this.#redis = redis;
    this.name = name;
  }

  async publish(count: number): Promise<string> {
    for (let i = 0; i < count; i++) {
      const text = String(this.published.length);
      await this.#redis.client.publish(this.name, text);
      this.published.push(text);
    }
    return this.published.at(-1) ?? '';
  }

  /** @returns ends it, with all that was published */
  goOn(): () => Promise<readonly string[]> {
    let going = true;
    const run = (async () => {
      while (going) await this.publish(1);
    })();
    return async () => {
      going = false;
      await run;
      return this.published;
    };
  }

  async published100(): Promise<void> {
    const count = this.published.length + 100;
    await until(() => this.published.length >= count, 'a hundred more');
  }
}

/** As kill -9 does: the connections fall, nothing is written or handed over any more. */
function crash(node: LogNode): void {
  const hurt = node as unknown as { bus: { stop(): Promise<void> } };
  const { bus, connections } = node;
  connections.silent = true;
  connections.close();
  const stop = bus.stop.bind(bus);
  hurt.bus.stop = stop;
}

/** @param state as CLIENT LIST shows it */
async function connections(redis: RedisServer, name: string, state = ''): Promise<string[]> {
  const list = String(await redis.client.call('CLIENT', 'LIST'));
  return list
    .split('\n')
    .filter((line) => line.includes(` name=${name} `) && line.includes(state))
    .map((line) => /id=(\d+)/.exec(line)?.[1] ?? '');
}

async function markersIn(redis: RedisServer, prefix: string): Promise<number> {
  const entries = await redis.client.xrange(`${prefix}yamabiko:{home}:log:entries`, '-', '+');
  return entries.filter(([, fields]) => fields[1]?.includes('#yamabiko:marker')).length;
}

/** Resolves when all listen again, which is later than that they are connected. */
async function cutAllSubscribers(redis: RedisServer): Promise<void> {
  const before = await connections(redis, LOG_CONNECTION);
  await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until(async () => {
    const now = await connections(redis, LOG_CONNECTION, LISTENING);
    return now.length === before.length && now.every((id) => !before.includes(id));
  }, 'all listen anew');
}

function expectNoGap(nodes: readonly LogNode[]): void {
  for (const node of nodes) {
    expect(node.heard.gaps).toEqual([]);
    expectGrowing(node);
  }
}

function expectGrowing({ heard }: LogNode): void {
  const places = heard.positions.map((position) => parsePosition(position ?? ''));
  for (const [i, place] of places.entries()) {
    const before = places[i - 1];
    if (before && place) expect(comparePositions(before, place)).toBeLessThan(0);
  }
}
