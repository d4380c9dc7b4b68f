import { expect, it, onTestFinished } from 'vitest';
import { patience } from '../support/event-queue.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { WireClient } from '../support/wire-client.ts';
import { NodesStage, PREFIX, ROOM } from './nodes-stage.ts';

patience.ms = 20_000;

/** More than a node reads before it has let somebody in, and far less than it reads while he waits. */
const MANY = 2_000;

it('a client that comes from a node that was ahead waits until its new node has got there', {
  timeout: 60_000,
}, async () => {
  const stage = await NodesStage.open({ YAMABIKO_NODE_TTL_MS: '30000' });
  const [ahead, behind] = (await stage.nodes(2)) as [ServerProcess, ServerProcess];
  const say = (channel: string, n: number) =>
    stage.redis.client.publish(
      `${PREFIX}${channel}`,
      JSON.stringify({ event: 'message', data: { message: `${n}`, name: 'Laravel' } }),
    );
  const enter = async ({ url }: ServerProcess, since: string) => {
    const client = await RawClient.join({ url, token: mintToken({ channel: ROOM }), query: { since } });
    onTestFinished(() => client.close());
    return client;
  };
  const open = async ({ url }: ServerProcess) => {
    const client = await WireClient.open({ url });
    onTestFinished(() => client.close());
    return client;
  };
  const [raw, wire] = [await enter(ahead, ''), await open(ahead)];
  for (const channel of ['a', 'b']) await wire.request('subscribe', { channel, since: '' });

  behind.kill('SIGSTOP');
  await say('a', 0);
  const { position: early } = await wire.next('message');
  for (let n = 1; n <= MANY; n++) void say(`private-${ROOM}`, n);
  await say('b', MANY);
  const { position: late } = await wire.next('message');
  const { position: last } = await raw.next(({ data }) => data?.message === `${MANY}`);
  // They knock while it is frozen, and are let in before it has read all.
  const comers = [enter(behind, last), open(behind)] as const;
  behind.kill('SIGCONT');
  const wireAgain = await comers[1];
  const subscribe = (channel: string, since: unknown) => wireAgain.request('subscribe', { channel, since });
  const answers = await Promise.all([subscribe('a', early), subscribe('b', late)]);
  const rawAgain = await comers[0];
  for (const answer of [rawAgain.connected, ...answers])
    expect(answer).toMatchObject({ recovered: true, replayed: 0 });

  for (const channel of ['a', 'b', `private-${ROOM}`]) await say(channel, MANY + 1);
  const isLast = (text: unknown) => text === `${MANY + 1}`;
  await rawAgain.next(({ data }) => isLast(data?.message));
  for (const name of ['a', 'b'])
    await wireAgain.next(({ args }) => args[0] === name && isLast(args[1].message));
  const news = rawAgain.drain().map(({ type }) => type);
  expect(news.filter((type) => type === 'message' || type === 'gap')).toEqual([]);
  expect(wireAgain.drain().filter(({ event }) => event === 'message')).toEqual([]);
});
