import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Recovery } from '../../echo-connector/src/index.ts';
import { until } from '../support/yamabiko.ts';
import { connectorPage, numbersOn, subscribed } from './recovery-connector-page.ts';
import { PLACES, RecoveryStage, upTo } from './recovery-stage.ts';

const TRANSPORTS = [
  ['WebSocket', ['websocket']],
  ['polling', ['polling']],
  ['polling that is upgraded', ['polling', 'websocket']],
] as const;

/** Our connector on a server that keeps a history. */
describe.each(PLACES)('%s: a page with our connector', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  it.each(TRANSPORTS)('misses nothing in a cut, and is told so, by %s', async (_name, transports) => {
    const page = await connectorPage(stage, { transports });
    const [a, b] = [page.echo.channel('a'), page.echo.private('b')];
    const [onA, onB] = [numbersOn(a), numbersOn(b)];
    const told: Recovery[] = [];
    a.recovered((recovery) => told.push(recovery));
    await Promise.all([subscribed(a), subscribed(b)]);
    await stage.publish('a', 1);
    await until(() => onA.length === 1, 'the first event');
    await stage.away(page, async () => {
      for (const n of [2, 3]) await stage.publish('a', n);
      await stage.publish('private-b', 1);
    });
    await until(() => told.length === 1, 'the channel has gone on');
    await stage.publish('a', 4);
    await until(() => onA.includes(4) && onB.includes(1), 'all events');
    expect([onA, onB, told]).toEqual([upTo(4), [1], [{ recovered: true, replayed: 2 }]]);
  });

  it('that is cut again and again under traffic hears all once, and never its own', async () => {
    const page = await connectorPage(stage);
    const other = await connectorPage(stage, { options: { bearerToken: '8:linus' } });
    const [mine, theirs] = [page.echo.private('room'), other.echo.private('room')];
    const [heard, all] = [numbersOn(mine), numbersOn(theirs)];
    const whispers: number[][] = [[], []];
    for (const [i, channel] of [mine, theirs].entries())
      channel.listenForWhisper<{ n: number }>('typing', ({ n }) => whispers[i]?.push(n));
    await Promise.all([subscribed(mine), subscribed(theirs)]);
    let published = 0;
    // Every fifth is its own, by Laravel's `toOthers()`.
    const publish = async (socket: string) => {
      const n = ++published;
      await stage.publish('private-room', n, n % 5 === 0 ? socket : null);
    };
    for (const round of upTo(5)) {
      const socket = page.id;
      for (let i = 0; i < 10; i++) await publish(socket);
      mine.whisper('typing', { n: round });
      await until(() => whispers[1]?.includes(round) === true, 'the whisper is heard');
      const back = subscribed(mine);
      await stage.away(page, async () => {
        for (let i = 0; i < 10; i++) await publish(socket);
      });
      await back;
    }
    await publish(page.id);
    await until(() => heard.at(-1) === published && all.at(-1) === published, 'all is heard');
    expect(heard).toEqual(upTo(published).filter((n) => n % 5 !== 0));
    expect(all).toEqual(upTo(published));
    expect(whispers).toEqual([[], upTo(5)]);
  });

  it('that leaves and joins in one turn, as hooks do, neither loses nor doubles', async () => {
    const page = await connectorPage(stage);
    const other = page.echo.channel('other');
    const [heard, onOther] = [numbersOn(page.echo.private('hook')), numbersOn(other)];
    await Promise.all([subscribed(page.echo.private('hook')), subscribed(other)]);
    let published = 0;
    for (const round of upTo(20)) {
      page.echo.leave('hook');
      const channel = page.echo.private('hook');
      numbersOn(channel, heard);
      const back = subscribed(channel);
      // While the server lets it go, while Laravel is asked, and after.
      for (let i = 0; i < 20; i++) {
        await stage.publish('private-hook', ++published);
        await stage.publish('other', published);
        await new Promise(setImmediate);
      }
      if (round % 3 === 0) await back;
    }
    await until(() => heard.at(-1) === published && onOther.at(-1) === published, 'all is heard');
    expect(heard).toEqual(upTo(published));
    expect(onOther).toEqual(upTo(published));
  });

  it('that joins a channel anew later hears nothing of before', async () => {
    const page = await connectorPage(stage);
    await subscribed(page.echo.channel('a'));
    page.echo.leave('a');
    await new Promise((resolve) => setTimeout(resolve, 0));
    await stage.publish('a', 1);
    await stage.spread();
    const heard = numbersOn(page.echo.channel('a'));
    await subscribed(page.echo.channel('a'));
    await stage.publish('a', 2);
    await until(() => heard.includes(2), 'the live event');
    expect(heard).toEqual([2]);
  });
});
