import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/yamabiko.ts';
import { connectorPage, numbersOn, subscribed } from './recovery-connector-page.ts';
import { numbersOf, PLACES, RecoveryStage, upTo } from './recovery-stage.ts';

/** A ping that is not answered ends the connection: a device that sleeps answers none. */
const SETTINGS = { YAMABIKO_PING_INTERVAL_MS: '1000', YAMABIKO_PING_TIMEOUT_MS: '1500' };
const TRANSPORTS = [
  ['WebSocket', ['websocket']],
  ['polling', ['polling']],
] as const;

describe.each(PLACES)('%s: a page that sleeps, and wakes on another network', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start(SETTINGS, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  /** What the server wrote before it noticed is lost on the way, and what came later was written to nobody. */
  const sleep = (page: Parameters<RecoveryStage['asleep']>[0]) => {
    const some = (numbers: readonly number[]) => async () => {
      for (const n of numbers) {
        await stage.publish('a', n);
        await stage.publish('private-b', n);
      }
    };
    return stage.asleep(page, some([2, 3, 4, 5]), some([6, 7, 8]));
  };

  it('is given what it slept through, once', async () => {
    const page = await stage.page();
    const heard = [numbersOf(page, 'a'), numbersOf(page, 'b', 'private')];
    await Promise.all([page.settled('a'), page.settled('private-b')]);
    for (const channel of ['a', 'private-b']) await stage.publish(channel, 1);
    await until(() => heard.every(({ length }) => length === 1), 'the first events');
    await sleep(page);
    for (const channel of ['a', 'private-b']) {
      expect(await page.settled(channel)).toMatchObject({ info: { recovered: true } });
      await stage.publish(channel, 9);
    }
    await until(() => heard.every((numbers) => numbers.includes(9)), 'the last events');
    expect(heard).toEqual([upTo(9), upTo(9)]);
  });

  it.each(TRANSPORTS)('is so with our connector, by %s', async (_name, transports) => {
    const page = await connectorPage(stage, { transports });
    const channels = [page.echo.channel('a'), page.echo.private('b')];
    const heard = channels.map((channel) => numbersOn(channel));
    const told: boolean[] = [];
    for (const channel of channels) channel.recovered(({ recovered }) => told.push(recovered));
    await Promise.all(channels.map(subscribed));
    for (const channel of ['a', 'private-b']) await stage.publish(channel, 1);
    await until(() => heard.every(({ length }) => length === 1), 'the first events');
    await sleep(page);
    await until(() => told.length === 2, 'both have gone on');
    for (const channel of ['a', 'private-b']) await stage.publish(channel, 9);
    await until(() => heard.every((numbers) => numbers.includes(9)), 'the last events');
    expect([heard, told]).toEqual([
      [upTo(9), upTo(9)],
      [true, true],
    ]);
  });
});
