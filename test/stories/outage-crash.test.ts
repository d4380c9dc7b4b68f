import { describe, expect, it } from 'vitest';
import { DOORS } from '../support/doors.ts';
import { heardNothingElse, isJoin, isLeave, isText, OutageStage } from './outage-stage.ts';

const ROOM = 'chat:1';
const MESSAGE = { message: 'lost', name: 'somebody' };
const bearer = (id: number) => ({ headers: { Authorization: `Bearer ${id}:user${id}` } });

describe('Redis crashes', { timeout: 60_000 }, () => {
  it('and every command is refused as unavailable, while clients stay connected', async () => {
    const stage = await OutageStage.open();
    const stayers = await stage.enterByEveryDoor(ROOM);
    const page = await stage.wireClient();
    await page.subscribe('presence-w', bearer(7));
    const listener = await stage.wireClient();
    await listener.subscribe('presence-w', bearer(8));
    await page.next('presence:joining');

    await stage.redis.kill();
    await stage.answersReady(503);

    for (const stayer of stayers.filter((_, i) => DOORS[i]?.sends))
      expect(await stayer.send(MESSAGE)).toBe('unavailable');
    expect(await page.whisper('presence-w', 'client-typing', {})).toMatchObject({
      ok: false,
      code: 'unavailable',
      status: 503,
    });
    for (const wire of ['news', 'private-x', 'presence-x']) {
      expect(await page.subscribe(wire, bearer(7))).toMatchObject({ ok: false, code: 'unavailable' });
      expect((await page.next('subscription_error')).args).toEqual([wire, 503]);
    }
    const event = { channels: ['news'], name: 'lost', data: {} };
    expect(await stage.http('/events', event)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    for (const path of [
      '/status',
      '/channels',
      `/channels/presence-${ROOM}`,
      `/channels/presence-${ROOM}/users`,
    ])
      expect(await stage.http(path)).toMatchObject({ status: 503, body: { code: 'unavailable' } });

    const late = await stage.rawClient(ROOM);
    expect(await late.next()).toMatchObject({ type: 'error', code: 'unavailable' });
    expect((await late.closed()).code).toBe(1013);

    // None was queued: what comes now is the first that anybody hears.
    await stage.redis.restart();
    await stage.answersReady(200);
    expect((await page.subscribe('news')).ok).toBe(true);
    await stage.publish(ROOM, 'after');
    for (const { heard } of stayers) await heard.next(isText('after'), 'the message after');
    expect(await listener.whisper('presence-w', 'client-after', {})).toEqual({ ok: true });
    await page.next('client-after');
    heardNothingElse(stayers);
    for (const client of [page, listener])
      expect(client.unread().map(({ event }) => event)).not.toContain('disconnect');
    expect(listener.unread().map(({ event }) => event)).not.toContain('client-typing');
    await stage.end();
  });

  it('and comes back empty: members are back, nobody joins again, who left meanwhile leaves', async () => {
    const stage = await OutageStage.open();
    const stayers = await stage.enterByEveryDoor(ROOM);
    const leaver = await stage.enter(DOORS[0]!, ROOM);
    for (const { heard } of stayers) await heard.next(isJoin(leaver.user), 'the leaver coming');

    await stage.redis.kill();
    await stage.answersReady(503);
    await leaver.leave();
    await stage.redis.restart();
    await stage.answersReady(200);

    const names = stayers.map(({ user }) => user.name).sort();
    expect(await stage.members(ROOM)).toEqual(names);
    const newcomers = [];
    for (const door of [DOORS[0]!, DOORS[3]!, DOORS[8]!]) {
      const newcomer = await stage.enter(door, ROOM);
      expect(newcomer.list).toEqual(expect.arrayContaining(names));
      for (const { heard } of [...stayers, ...newcomers])
        await heard.next(isJoin(newcomer.user), 'a newcomer');
      newcomers.push(newcomer);
    }
    for (const { heard, list } of [...stayers, ...newcomers])
      if (!newcomers.some((n) => n.heard === heard) || list.includes(leaver.user.name))
        await heard.next(isLeave(leaver.user), 'the leaver leaving');
    await stage.publish(ROOM, 'done');
    for (const { heard } of [...stayers, ...newcomers]) await heard.next(isText('done'), 'the last message');
    heardNothingElse([...stayers, ...newcomers]);
    await stage.end();
  });

  it('and each gap is counted, and logged with its cause', async () => {
    const stage = await OutageStage.open();
    for (let round = 1; round <= 2; round++) {
      await stage.redis.kill();
      await stage.answersReady(503);
      await stage.redis.restart();
      await stage.answersReady(200);
      expect(stage.gapReasons()).toHaveLength(round);
      expect(await stage.node.metric('yamabiko_bus_gaps_total')).toBe(round);
    }
    expect(stage.gapReasons()[0]).toBe('log_restarted');
    const told = stage.node.log.filter(({ message }) =>
      message.includes('connection to the other nodes failed'),
    );
    expect(told.length).toBeLessThanOrEqual(2);
    await stage.end();
  });

  it('and everybody who leaves meanwhile is told in one line of the log', async () => {
    const stage = await OutageStage.open();
    const leavers = await stage.enterByEveryDoor(ROOM);
    await stage.redis.kill();
    await stage.answersReady(503);
    await Promise.all(leavers.map((leaver) => leaver.leave()));
    await stage.node.settledToZero();
    await stage.redis.restart();
    await stage.answersReady(200);
    expect(stage.node.log.filter(({ message }) => message.startsWith('leavings are kept'))).toHaveLength(1);
    expect(stage.node.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(await stage.members(ROOM)).toEqual([]);
    await stage.end();
  });

  it('and so does the second time, with nobody shown leaving who stays', async () => {
    const stage = await OutageStage.open();
    const stayers = await stage.enterByEveryDoor(ROOM);
    for (let round = 0; round < 2; round++) {
      await stage.redis.kill();
      await stage.answersReady(503);
      await stage.redis.restart();
      await stage.answersReady(200);
    }
    // Who comes and goes now shows that the time in which leavers are shown is over.
    const leaver = await stage.enter(DOORS[0]!, ROOM);
    await stage.redis.kill();
    await stage.answersReady(503);
    await leaver.leave();
    await stage.redis.restart();
    for (const { heard } of stayers) {
      await heard.next(isJoin(leaver.user), 'the leaver coming');
      await heard.next(isLeave(leaver.user), 'the leaver leaving');
    }
    heardNothingElse(stayers);
    await stage.end();
  });

  it('with three hundred rooms: every member is back, and every room is heard', async () => {
    const stage = await OutageStage.open();
    const page = await stage.wireClient();
    const other = await stage.wireClient();
    const rooms = Array.from({ length: 300 }, (_, i) => `presence-many.${i}`);
    for (let i = 0; i < rooms.length; i += 25) {
      const batch = rooms.slice(i, i + 25);
      await Promise.all(
        batch.flatMap((room) => [page.subscribe(room, bearer(7)), other.subscribe(room, bearer(8))]),
      );
    }
    await stage.publishEach(rooms, 'before');
    for (const _ of rooms) await page.next('before');
    page.drain();
    other.drain();

    await stage.redis.kill();
    await stage.answersReady(503);
    await stage.redis.restart();
    await stage.answersReady(200);
    await stage.publishEach(rooms, 'after');
    const heard = [];
    for (const _ of rooms) heard.push((await page.next('after')).args[0]);
    expect(new Set(heard)).toEqual(new Set(rooms));
    // Every room's gap is told once, and nobody was shown coming or leaving.
    const told = page.drain().filter(({ event }) => event !== 'subscription_position');
    expect(new Set(told.map(({ event }) => event))).toEqual(new Set(['subscription_gap']));
    expect(told.map(({ args }) => args[0]).sort()).toEqual([...rooms].sort());
    for (const room of [rooms[0], rooms[150], rooms[299]])
      expect(await stage.members(String(room).slice('presence-'.length))).toEqual(['user7', 'user8']);
    await stage.end();
  });
});
