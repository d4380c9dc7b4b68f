import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisServer } from '../support/redis-server.ts';
import { describeBus } from './bus-behaviour.ts';
import { until } from './heard.ts';
import { LogNode } from './log-node.ts';

/** A first replica waits for others as shipped, 5 s. */
const AT_ONCE = ['--repl-diskless-sync-delay', '0'];

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start(AT_ONCE);
});
afterAll(() => redis.stop());

const make = (prefix: string, url = redis.url) =>
  new LogNode({ url, prefix, commandTimeoutMs: 5_000, source: 'replication' });

describeBus('The log bus on the replication stream', async (heard) => {
  const prefix = `${randomUUID()}:`;
  const node = new LogNode({
    url: redis.url,
    prefix,
    commandTimeoutMs: 15_000,
    source: 'replication',
    heard,
  });
  await node.start();
  return { bus: node.bus, stop: () => node.stop() };
});

describe('The log on the replication stream', () => {
  it('holds what was published while no node was there, and says nothing is missing', async () => {
    const prefix = `${randomUUID()}:`;
    const before = [await make(prefix).start(), await make(prefix).start()];
    await redis.client.publish(`${prefix}chat`, 'first');
    for (const node of before) await until(() => node.bus.position() !== null, 'read');
    const from = await placeOf(before[0] as LogNode, `${prefix}chat`);
    await Promise.all(before.map((node) => node.stop()));
    const missed = Array.from({ length: 500 }, (_, i) => String(i));
    for (const text of missed) await redis.client.publish(`${prefix}chat`, text);

    const after = [await make(prefix).start(), await make(prefix).start()];
    for (const node of after) {
      await until(() => node.bus.ready(), 'ready');
      expect(await missedSince(node, from)).toEqual({ texts: missed, complete: true });
      expect(node.heard.gaps).toEqual([]);
    }
    await Promise.all(after.map((node) => node.stop()));
  });

  it('goes on without loss when nodes crash and replica connections are cut', async () => {
    const prefix = `${randomUUID()}:`;
    const nodes = [await make(prefix).start(), await make(prefix).start()] as [LogNode, LogNode];
    await nodes[1].bus.follow('chat');
    const sent: string[] = [];
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 100; i++) {
        sent.push(String(sent.length));
        await redis.client.publish(`${prefix}chat`, sent.at(-1) ?? '');
        if (i === 50) await redis.client.call('CLIENT', 'KILL', 'TYPE', 'replica');
      }
    }
    expect(await nodes[1].heard.payloads('chat', 500)).toEqual(sent);
    expect(nodes[1].heard.gaps).toEqual([]);
    await Promise.all(nodes.map((node) => node.stop()));
  });

  it('listens by PSUBSCRIBE where it may not, and names the right', async () => {
    const refusing = await RedisServer.start();
    await refusing.client.call('ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '&*', '+@all', '-psync');
    const prefix = `${randomUUID()}:`;
    const node = await make(prefix, refusing.url.replace('://', '://few:pw@')).start();
    await until(() => node.bus.ready(), 'ready');
    await node.bus.follow('chat');
    await refusing.client.publish(`${prefix}chat`, 'heard');
    expect(await node.heard.payloads('chat', 1)).toEqual(['heard']);
    const told = node.log.lines.find(({ level }) => level === 'error');
    expect(String((told?.fields as { err?: Error } | undefined)?.err?.message)).toContain('psync');
    await node.stop();
    await refusing.stop();
  });

  it('tells a gap where the stream does not reach back', async () => {
    const small = await RedisServer.start([...AT_ONCE, '--repl-backlog-size', '16kb']);
    const prefix = `${randomUUID()}:`;
    const first = await make(prefix, small.url).start();
    const from = await placeOf(first, `${prefix}chat`, small);
    await first.stop();
    for (let i = 0; i < 40; i++) await small.client.publish(`${prefix}chat`, 'x'.repeat(1000));
    const second = await make(prefix, small.url).start();
    await until(() => second.bus.ready(), 'ready');
    expect(await missedSince(second, from)).toMatchObject({ complete: false });
    await second.stop();
    await small.stop();
  });
});

/** The place after a message that is published now. */
async function placeOf(node: LogNode, name: string, at = redis): Promise<string> {
  await node.bus.follow('chat');
  const count = node.heard.on('chat').length;
  await at.client.publish(name, 'the last one seen');
  await node.heard.payloads('chat', count + 1);
  return node.bus.position() ?? '';
}

async function missedSince(node: LogNode, from: string): Promise<{ texts: string[]; complete: boolean }> {
  const texts: string[] = [];
  let complete = false;
  const keep = (items: Parameters<Parameters<LogNode['bus']['resume']>[0]['page']>[0]) => {
    for (const item of items) texts.push(item.type === 'entry' ? item.payload.toString() : item.reason);
  };
  await node.bus.resume({
    from,
    channels: new Set(['chat']),
    signal: new AbortController().signal,
    page: async (items) => keep(items),
    live: (items, end) => {
      keep(items);
      complete = end.complete;
    },
  });
  return { texts, complete };
}
