import { describe, expect, it } from 'vitest';
import { DOORS } from '../support/doors.ts';
import { patience } from '../support/event-queue.ts';
import { freePort } from '../support/free-port.ts';
import type { Onlooker } from '../support/onlooker.ts';
import { ServerProcess } from '../support/server-process.ts';
import { until } from '../support/yamabiko.ts';
import { doorNamed, faultsOf, heard, lines, NodesStage, names, PREFIX, RAW } from './nodes-stage.ts';

patience.ms = 20_000;

describe('A node that is killed', { timeout: 90_000 }, () => {
  it('loses its members on the others, once, but not who has come back elsewhere', async () => {
    const stage = await NodesStage.open({ YAMABIKO_NODE_TTL_MS: '5000' });
    const [dying, living, third] = (await stage.nodes(3)) as [ServerProcess, ServerProcess, ServerProcess];
    const stayers = [
      await stage.enter(living),
      await stage.enter(third),
      await stage.enter(living, DOORS[3]),
    ];
    const lost = await stage.enterByEveryDoor(dying);
    await stage.fence(stayers);
    for (const stayer of stayers) stayer.story.length = 0;
    dying.kill('SIGKILL');
    await dying.ended;
    const [back, second] = [lost[0] as Onlooker, lost[5] as Onlooker];
    const returned = [
      await stage.enter(living, RAW, back.visitor.user),
      await stage.enter(third, doorNamed('JWT on Socket.IO, plain X'), second.visitor.user),
    ];
    // In the list that they are given all are there still, or the others have left by now: nothing else.
    const gone = lost.filter((one) => one !== back && one !== second);
    const staying = [...stayers, ...returned];
    const left = names([...stayers, back, second]).sort();
    await until(
      () => staying.every((one) => one.look().names().join() === left.join()),
      () => `all see ${left}: ${staying.map((one) => `[${one.names()}]`)}`,
      20_000,
    );
    await stage.fence(staying);
    expect(faultsOf(staying)).toEqual([]);
    for (const stayer of stayers) expect(heard(stayer)).toEqual(lines('left', names(gone)));
    expect(await stage.leases()).toHaveLength(2);
  });

  it('and is back on its port before its lease has ended, loses nobody who comes back', async () => {
    const stage = await NodesStage.open({
      YAMABIKO_NODE_TTL_MS: '30000',
      YAMABIKO_PORT: String(await freePort()),
    });
    const watcher = await stage.enter(await ServerProcess.ready({ ...stage.env, YAMABIKO_PORT: '0' }));
    const others = await stage.leases();
    const first = await ServerProcess.ready(stage.env);
    const all = await stage.enterByEveryDoor(first);
    await stage.fence([watcher]);
    watcher.story.length = 0;
    const [lost = ''] = (await stage.leases()).filter((name) => !others.includes(name));
    first.kill('SIGKILL');
    await first.ended;
    const again = await ServerProcess.ready(stage.env);
    // Echo comes back and subscribes again by itself; the others need somebody to do it.
    const echo = all.filter((_, i) => DOORS[i]?.name.startsWith('Echo'));
    await stage.enter(again, RAW, all[0]?.visitor.user);
    const seats = async () =>
      Number(/^yamabiko_members (\d+)/m.exec(await (await fetch(`${again.url}/metrics`)).text())?.[1]);
    await until(async () => (await seats()) === echo.length + 1, 'they are back', 40_000);
    // Its time is over, as Redis's clock will have it: the next round of either node sees it.
    await stage.redis.client.zadd(`${PREFIX}yamabiko:nodes`, 1, lost);
    await until(async () => !(await stage.leases()).includes(lost), 'its seats were given up', 30_000);
    await stage.fence([watcher]);
    const gone = all.filter((one, i) => i > 0 && !echo.includes(one));
    expect(heard(watcher)).toEqual(lines('left', names(gone)));
  });
});

describe('SIGTERM with a grace', { timeout: 90_000 }, () => {
  it('lets only those leave who do not come back to another node', async () => {
    const stage = await NodesStage.open({ YAMABIKO_PRESENCE_GRACE_MS: '8000' });
    const [stopping, living] = (await stage.nodes(2)) as [ServerProcess, ServerProcess];
    const watcher = await stage.enter(living);
    const all = await stage.enterByEveryDoor(stopping);
    await stage.fence([watcher]);
    watcher.story.length = 0;
    stopping.kill('SIGTERM');
    // They come back to the same name of a balancer, that is to the node that lives.
    const returning = all.slice(0, 5);
    for (const [i, { visitor }] of returning.entries()) await stage.enter(living, DOORS[8 - i], visitor.user);
    expect((await stopping.ended).code).toBe(0);
    const gone = all.slice(5);
    await until(() => watcher.look().shown.size === 1 + returning.length, 'the others have left', 30_000);
    await stage.fence([watcher]);
    expect(heard(watcher)).toEqual(lines('left', names(gone)));
    expect(watcher.faults).toEqual([]);
  });
});
