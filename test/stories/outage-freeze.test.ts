import { describe, expect, it } from 'vitest';
import { DOORS, type Door, type Visitor } from '../support/doors.ts';
import { until } from '../support/yamabiko.ts';
import { heardNothingElse, isJoin, isLeave, isText, OutageStage } from './outage-stage.ts';

const ROOM = 'chat:1';
const RAW = DOORS[0] as Door;
const names = (visitors: readonly Visitor[]) => visitors.map(({ user }) => user.name).sort();

describe('Redis is frozen', { timeout: 60_000 }, () => {
  it('for a while: commands are refused, and what was published meanwhile arrives', async () => {
    const stage = await OutageStage.open();
    const stayers = await stage.enterByEveryDoor(ROOM);
    const page = await stage.wireClient();
    stage.redis.pause();
    await stage.answersReady(503);
    const published = stage.publish(ROOM, 'meanwhile');
    for (const stayer of stayers.filter((_, i) => DOORS[i]?.sends))
      expect(await stayer.send({ message: 'lost', name: 'x' })).toBe('unavailable');
    expect(await page.subscribe('news')).toMatchObject({ ok: false, code: 'unavailable', status: 503 });
    expect(await stage.http('/events', { channels: ['a'], name: 'x', data: {} })).toMatchObject({
      status: 503,
    });
    const late = await stage.rawClient(ROOM);
    expect((await late.closed()).code).toBe(1013);
    stage.redis.resume();
    await published;
    await stage.answersReady(200);
    await stage.publish(ROOM, 'after');
    for (const { heard } of stayers) {
      await heard.next(isText('meanwhile'), 'the message meanwhile');
      await heard.next(isText('after'), 'the message after');
    }
    expect(stage.gapReasons()).toEqual([]);
    expect(await stage.members(ROOM)).toEqual(names(stayers));
    heardNothingElse(stayers);
    await stage.end();
  });

  it('and a send that it swallowed is refused as unavailable, and arrives once or never', async () => {
    const stage = await OutageStage.open();
    const stayers = await stage.enterByEveryDoor(ROOM);
    const senders = stayers.filter((_, i) => DOORS[i]?.sends);
    stage.redis.pause();
    // Before the node knows: the command is on its way to Redis, and no answer comes.
    const answers = await Promise.all(senders.map((s) => s.send({ message: s.user.name, name: 'x' })));
    expect(answers).toEqual(senders.map(() => 'unavailable'));
    stage.redis.resume();
    await stage.answersReady(200);
    await stage.publish(ROOM, 'after');
    for (const { heard } of stayers) {
      await heard.next(isText('after'), 'the message after');
      const texts = heard
        .drain()
        .map((h) => (h.type === 'message' ? (h.data as { message: string }).message : h));
      expect(new Set(texts).size).toBe(texts.length);
      expect(names(senders)).toEqual(expect.arrayContaining(texts));
    }
    await stage.end();
  });

  it('and who closes meanwhile leaves, once', async () => {
    const stage = await OutageStage.open();
    const leavers = await stage.enterByEveryDoor(ROOM);
    const stayer = await stage.enter(RAW, ROOM);
    for (const { heard } of leavers) await heard.next(isJoin(stayer.user), 'the stayer');
    stage.redis.pause();
    // Half of them before the node knows, half after.
    await Promise.all(leavers.slice(0, 4).map((leaver) => leaver.leave()));
    await stage.answersReady(503);
    await Promise.all(leavers.slice(4).map((leaver) => leaver.leave()));
    stage.redis.resume();
    for (const { user } of leavers) await stayer.heard.next(isLeave(user), `${user.name} leaving`);
    await stage.answersReady(200);
    expect(await stage.members(ROOM)).toEqual([stayer.user.name]);
    heardNothingElse([stayer]);
    await stage.end();
  });

  it('and who could not come in leaves no ghost', async () => {
    const stage = await OutageStage.open();
    const stayer = await stage.enter(RAW, ROOM);
    stage.redis.pause();
    const ghost = stage.newUser();
    const client = await stage.rawClient(ROOM, ghost);
    const page = await stage.wireClient();
    const bearer = { headers: { Authorization: 'Bearer 7:seven' } };
    const answer = page.subscribe(`presence-${ROOM}`, bearer);
    expect(await client.next()).toMatchObject({ type: 'error', code: 'unavailable' });
    expect((await client.closed()).code).toBe(1013);
    expect(await answer).toMatchObject({ ok: false, code: 'unavailable' });
    stage.redis.resume();
    await stage.answersReady(200);
    await until(
      async () => (await stage.members(ROOM)).join() === stayer.user.name,
      'only the stayer is there',
    );
    // Redis may have taken the entering before its undoing: then he was seen for a moment, and left.
    const second = await stage.enter(RAW, ROOM);
    expect([...second.list].sort()).toEqual(names([stayer, second]));
    await stayer.heard.next(isJoin(second.user), 'the next one');
    const balance = new Map<string, number>();
    for (const heard of stayer.heard.drain()) {
      if (heard.type === 'message') continue;
      balance.set(heard.user, (balance.get(heard.user) ?? 0) + (heard.type === 'joined' ? 1 : -1));
    }
    expect([...balance.values()].every((count) => count === 0)).toBe(true);
    expect((await page.subscribe(`presence-${ROOM}`, bearer)).ok).toBe(true);
    await stage.end();
  });

  it('past the lease of the node and until it connects anew: nobody who stays is shown leaving', async () => {
    // Plain delivery tells when that is; the log has nothing to tell, since it loses nothing.
    const stage = await OutageStage.open({
      YAMABIKO_REDIS_COMMAND_TIMEOUT_MS: '300',
      YAMABIKO_RECOVERY: 'off',
    });
    const stayers = await stage.enterByEveryDoor(ROOM);
    stage.redis.pause();
    await until(() => stage.gapReasons().length === 1, 'the connections were made anew');
    stage.redis.resume();
    await stage.answersReady(200);
    expect(stage.gapReasons()).toEqual(['silent']);
    await until(async () => (await stage.members(ROOM)).join() === names(stayers).join(), 'all are there');
    const leaver = await stage.enter(RAW, ROOM);
    expect(leaver.list).toEqual(expect.arrayContaining(names(stayers)));
    for (const { heard } of stayers) await heard.next(isJoin(leaver.user), 'the leaver coming');
    await leaver.leave();
    for (const { heard } of stayers) await heard.next(isLeave(leaver.user), 'the leaver leaving');
    heardNothingElse(stayers);
    await stage.end();
  });
});

describe('Redis goes on, but', { timeout: 60_000 }, () => {
  it('FLUSHALL loses the roster: it is back by itself, and nobody sees anything false', async () => {
    const stage = await OutageStage.open();
    const stayers = await stage.enterByEveryDoor(ROOM);
    const leaver = await stage.enter(RAW, ROOM);
    for (const { heard } of stayers) await heard.next(isJoin(leaver.user), 'the leaver coming');
    await stage.redis.client.flushall();
    // Before the node knows: a second connection is no news, a newcomer is told once, a leaver leaves once.
    const again = await Promise.all(
      [0, 3, 8].map((i) => stage.enter(DOORS[i] as Door, ROOM, (stayers[i] as Visitor).user)),
    );
    const newcomer = await stage.enter(RAW, ROOM);
    expect([...newcomer.list].sort()).toEqual(names([...stayers, newcomer, leaver]));
    await leaver.leave();
    const all = [...stayers, newcomer];
    await until(async () => (await stage.members(ROOM)).join() === names(all).join(), 'all are there again');
    for (const { heard } of [...stayers, ...again]) await heard.next(isJoin(newcomer.user), 'the newcomer');
    for (const { heard } of [...all, ...again]) await heard.next(isLeave(leaver.user), 'the leaver leaving');
    await stage.publish(ROOM, 'done');
    for (const { heard } of [...all, ...again]) await heard.next(isText('done'), 'the last message');
    heardNothingElse([...all, ...again]);
    expect(stage.gapReasons()).toEqual([]);
    await stage.end();
  });

  it("evicts or expires a room's revision: a second connection of somebody who is there comes in", async () => {
    const stage = await OutageStage.open();
    const stayers = await stage.enterByEveryDoor(ROOM);
    for (const key of await stage.redis.client.keys('*:revision')) await stage.redis.client.del(key);
    const again = await Promise.all(stayers.map(({ user }, i) => stage.enter(DOORS[i] as Door, ROOM, user)));
    for (const { list } of again) expect([...list].sort()).toEqual(names(stayers));
    const newcomer = await stage.enter(RAW, ROOM);
    for (const { heard } of [...stayers, ...again]) await heard.next(isJoin(newcomer.user), 'a newcomer');
    heardNothingElse([...stayers, ...again]);
    await stage.end();
  });

  it('CLIENT KILL cuts every subscriber off: with plain delivery a gap is told, and everything is heard again', async () => {
    const stage = await OutageStage.open({ YAMABIKO_RECOVERY: 'off' });
    const stayers = await stage.enterByEveryDoor(ROOM);
    await stage.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => stage.gapReasons().length === 1, 'the gap is told');
    expect(await stage.node.metric('yamabiko_bus_gaps_total')).toBe(1);
    await stage.answersReady(200);
    await stage.publish(ROOM, 'after');
    for (const { heard } of stayers) await heard.next(isText('after'), 'the message after');
    const newcomer = await stage.enter(RAW, ROOM);
    for (const { heard } of stayers) await heard.next(isJoin(newcomer.user), 'a newcomer');
    await until(async () => (await stage.http('/status')).status === 200, 'the nodes can be asked again');
    heardNothingElse(stayers);
    await stage.end();
  });

  it('CLIENT KILL cuts the commands off: nothing is lost', async () => {
    const stage = await OutageStage.open();
    const stayers = await stage.enterByEveryDoor(ROOM);
    await stage.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(
      async () => (await stayers[0]?.send({ message: 'again', name: 'x' })) === 'ok',
      'it can be sent again',
    );
    for (const { heard } of stayers) await heard.next(isText('again'), 'the message');
    expect(stage.gapReasons()).toEqual([]);
    await stage.answersReady(200);
    expect(await stage.members(ROOM)).toEqual(names(stayers));
    heardNothingElse(stayers);
    await stage.end();
  });
});
