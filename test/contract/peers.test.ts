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
const COUNTS = new Map([['news', 2]]);

describe('What nodes ask of each other', () => {
  const ended: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  async function nodeOn(url: string, prefix: string) {
    const node = new RedisNode({ url, prefix });
    const clients = new PeerConnections({
      settings: node.connections.settings,
      log: node.log,
      redisAnswers: () => node.connections.usable(),
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
    clients.start();
    return { node, clients, peers };
  }

  it('is answered by each other node, and refused at once while Redis is known to be away', async () => {
    const redis = await RedisServer.start();
    ended.push(() => redis.stop());
    const prefix = `${randomUUID()}:`;
    const [{ node, clients, peers }, other] = [
      await nodeOn(redis.url, prefix),
      await nodeOn(redis.url, prefix),
    ];
    await until(() => clients.reachable() && other.clients.reachable(), 'both are connected');
    const answered = () =>
      until(
        () =>
          peers.ask('counts').then(
            (all) => all[0]?.get('news') === 2 && all.length === 1,
            () => false,
          ),
        'answered',
      );
    await answered();

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
});
