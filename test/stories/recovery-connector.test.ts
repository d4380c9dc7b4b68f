import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Recovery } from '../../echo-connector/src/index.ts';
import { ConnectorClient, type ConnectorClientOptions } from '../support/connector-client.ts';
import { until } from '../support/yamabiko.ts';
import { PLACES, RecoveryStage, upTo } from './recovery-stage.ts';

/** Our connector on a server that keeps a history. */
describe.each(PLACES)('%s: a page with our connector', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  const open = (options: Partial<ConnectorClientOptions> = {}, former?: ConnectorClient) => {
    const more = { bearerToken: '7:grace', ...options.options };
    const connect = (url: string) =>
      ConnectorClient.open({ url, token: () => null, ...options, options: more });
    return stage.open(connect, former);
  };
  const numbersOf = (page: ConnectorClient, name: string) => {
    const numbers: number[] = [];
    page.echo.channel(name).listen<{ n: number }>('.counted', ({ n }) => numbers.push(n));
    return numbers;
  };
  const subscribed = (page: ConnectorClient, name: string) =>
    new Promise<void>((resolve) => page.echo.channel(name).subscribed(resolve));

  it('misses nothing in a cut, and is told so', async () => {
    const page = await open();
    const [a, b] = [numbersOf(page, 'a'), numbersOf(page, 'b')];
    const told: Recovery[] = [];
    page.echo.channel('a').recovered((recovery) => told.push(recovery));
    await Promise.all([subscribed(page, 'a'), subscribed(page, 'b')]);
    await stage.publish('a', 1);
    await until(() => a.length === 1, 'the first event');
    await stage.away(page, async () => {
      for (const n of [2, 3]) await stage.publish('a', n);
      await stage.publish('b', 1);
    });
    await until(() => told.length === 1, 'the channel has gone on');
    await stage.publish('a', 4);
    await until(() => a.includes(4) && b.includes(1), 'all events');
    expect([a, b, told]).toEqual([upTo(4), [1], [{ recovered: true, replayed: 2 }]]);
  });

  it('that leaves and joins in one turn, as hooks do, neither loses nor doubles', async () => {
    const page = await open();
    const heard = numbersOf(page, 'a');
    await subscribed(page, 'a');
    const numbers = upTo(60);
    for (const n of numbers) {
      const published = stage.publish('a', n);
      if (n % 6 === 0) {
        page.echo.leave('a');
        page.echo.channel('a').listen<{ n: number }>('.counted', ({ n }) => heard.push(n));
      }
      await published;
    }
    await until(() => heard.includes(60), 'the last event');
    expect(heard).toEqual(numbers);
  });

  it('that joins a channel anew later hears nothing of before', async () => {
    const page = await open();
    numbersOf(page, 'a');
    await subscribed(page, 'a');
    page.echo.leave('a');
    await new Promise((resolve) => setTimeout(resolve, 0));
    await stage.publish('a', 1);
    await stage.spread();
    const heard = numbersOf(page, 'a');
    await subscribed(page, 'a');
    await stage.publish('a', 2);
    await until(() => heard.includes(2), 'the live event');
    expect(heard).toEqual([2]);
  });

  it('goes on over a reload where it keeps its positions', async () => {
    const entries = new Map<string, string>();
    const storage = {
      getItem: (key: string) => entries.get(key) ?? null,
      setItem: (key: string, value: string) => void entries.set(key, value),
    };
    const first = await open({ options: { keepPositions: { storage } } });
    const before = numbersOf(first, 'a');
    await subscribed(first, 'a');
    await stage.publish('a', 1);
    await until(() => before.length === 1, 'the event before the reload');
    await until(() => [...entries.values()].join().includes('"a"'), 'the position is kept');
    first.close();
    await stage.publish('a', 2);
    await stage.spread();
    const second = await open({ options: { keepPositions: { storage } } }, first);
    const after = numbersOf(second, 'a');
    await subscribed(second, 'a');
    await until(() => after.includes(2), 'the event that fell into the reload');
  });
});
