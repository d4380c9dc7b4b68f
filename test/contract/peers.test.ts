import { randomUUID } from 'node:crypto';
import { Server } from 'socket.io';
import { afterEach, describe, expect, it } from 'vitest';
import { PeerConnections } from '../../server/broker/peers/peer-connections.ts';
import type { Answers } from '../../server/flows/node-questions.ts';
import { AdapterPeers } from '../../server/protocols/echo/peers.ts';
import { RedisServer } from '../support/redis-server.ts';
import { until } from './heard.ts';
import { RedisNode } from './redis-node.ts';

/** What a question that nobody can answer is refused with before it is sent; later refusals say otherwise. */
const AT_ONCE = 'the other nodes cannot be asked';
const NOT_HEARD = 'a node did not hear the question';
const COUNTS = new Map([['news', 2]]);

describe('What nodes ask of each other', () => {
  const ended: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  async function startNode(url: string, prefix: string) {
    const started = await nodeOn(url, prefix);
    await started.clients.start();
    return started;
  }

  /** It has its lease, and nobody can ask it yet. */
  async function nodeOn(url: string, prefix: string) {
    const node = new RedisNode({ url, prefix });
    const clients = new PeerConnections({
      settings: node.connections.settings,
      nodeId: node.nodeId,
      log: node.log,
      redisAnswers: () => node.connections.usable(),
      living: () => node.roster.livingNodes(),
      onForeign: () => {},
    });
    const io = new Server();
    const answers: Answers = { counts: () => COUNTS, endUser: () => 0, node: () => null };
    const peers = new AdapterPeers(io, {
      clients,
      key: `${prefix}#yamabiko:peers`,
      timeoutMs: 1500,
      answers,
    });
    ended.push(async () => {
      clients.stop();
      await node.stop();
    });
    await node.start();
    return { node, clients, peers };
  }

  async function stopListening(redis: RedisServer, { node, clients }: Awaited<ReturnType<typeof nodeOn>>) {
    const channel = `${node.prefix}#yamabiko:peers-request#/#`;
    const listeners = async () => Number((await redis.client.pubsub('NUMSUB', channel))[1]);
    const before = await listeners();
    clients.stop();
    await until(async () => (await listeners()) === before - 1, 'Redis counts one less');
  }

  it('is answered by each other node, and refused at once while Redis is known to be away', async () => {
    const redis = await RedisServer.start();
    ended.push(() => redis.stop());
    const prefix = `${randomUUID()}:`;
    const { node, clients, peers } = await startNode(redis.url, prefix);
    await startNode(redis.url, prefix);
    expect(await peers.ask('counts')).toEqual([COUNTS]);
    const answered = () =>
      until(
        () =>
          peers.ask('counts').then(
            (all) => all[0]?.get('news') === 2 && all.length === 1,
            () => false,
          ),
        'answered',
      );

    // Its connections stay open: only the bus knows.
    redis.pause();
    await until(() => !node.bus.ready(), 'not ready');
    await expect(peers.ask('counts')).rejects.toThrow(AT_ONCE);
    redis.resume();
    await until(() => node.bus.ready(), 'ready again');
    await answered();

    await redis.kill();
    await until(() => !clients.reachable(), 'cut');
    await expect(peers.ask('counts')).rejects.toThrow(AT_ONCE);
    await redis.restart();
    await answered();
  });

  it('is refused while a node that lives does not hear it, and answered by it as soon as it has started', async () => {
    const redis = await RedisServer.start();
    ended.push(() => redis.stop());
    const prefix = `${randomUUID()}:`;
    const { peers } = await startNode(redis.url, prefix);
    await startNode(redis.url, prefix);
    const deaf = await nodeOn(redis.url, prefix);
    // Redis counts one other node, and that one answers.
    await expect(peers.ask('endUser', { userId: '1', wire: null })).rejects.toThrow(NOT_HEARD);
    await deaf.clients.start();
    expect(await peers.ask('endUser', { userId: '1', wire: null })).toEqual([0, 0]);
    await stopListening(redis, deaf);
    await expect(peers.ask('counts')).rejects.toThrow(NOT_HEARD);
    await deaf.node.stop();
    expect(await peers.ask('counts')).toEqual([COUNTS]);
  });

  it('needs no answer of a node whose lease has ended', async () => {
    const redis = await RedisServer.start();
    ended.push(() => redis.stop());
    const prefix = `${randomUUID()}:`;
    const { peers } = await startNode(redis.url, prefix);
    const dead = await startNode(redis.url, prefix);
    await stopListening(redis, dead);
    dead.node.connections.close();
    await expect(peers.ask('counts')).rejects.toThrow(NOT_HEARD);
    // A lease later, told by Redis's clock.
    await redis.client.zadd(`${prefix}yamabiko:nodes`, 1, `${dead.node.nodeId}|0`);
    expect(await peers.ask('counts')).toEqual([]);
  });
});
