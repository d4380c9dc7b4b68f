import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/yamabiko.ts';
import { connectorPage, numbersOn, subscribed } from './recovery-connector-page.ts';
import { PLACES, RecoveryStage } from './recovery-stage.ts';

/** The page's sessionStorage, which outlives the page. */
class Storage {
  readonly #entries = new Map<string, string>();

  getItem(key: string): string | null {
    return this.#entries.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.#entries.set(key, value);
  }

  /** The position that is kept of a channel. */
  placeOf(channel: string): string | undefined {
    const { positions } = JSON.parse([...this.#entries.values()][0] ?? '{"positions":[]}');
    return new Map<string, string>(positions).get(channel);
  }
}

describe.each(PLACES)('%s: a page that is loaded anew, and keeps its positions', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  /** Which had event 1 on `a` and on `b`, and has kept that. */
  const firstVisit = async (storage: Storage, maxAgeMs?: number) => {
    const page = await connectorPage(stage, { options: { keepPositions: { storage, maxAgeMs } } });
    const channels = [page.echo.channel('a'), page.echo.private('b')] as const;
    const heard = channels.map((channel) => numbersOn(channel));
    await Promise.all(channels.map(subscribed));
    await until(() => storage.placeOf('private-b') !== undefined, 'both are kept');
    const before = storage.placeOf('a');
    await stage.publish('a', 1);
    await stage.publish('private-b', 1);
    await until(() => heard.every(({ length }) => length === 1), 'the first events');
    // Written a second later, or as a page goes, which none does here.
    await until(() => storage.placeOf('a') !== before, 'how far they are is kept');
    return page;
  };

  it('goes on where it was, on each of its channels, and begins anew on one that it had not', async () => {
    const storage = new Storage();
    const first = await firstVisit(storage);
    first.close();
    for (const channel of ['a', 'private-b', 'new']) await stage.publish(channel, 2);
    await stage.spread();
    const second = await connectorPage(stage, { options: { keepPositions: { storage } } }, first);
    const channels = [second.echo.channel('a'), second.echo.private('b'), second.echo.channel('new')];
    const heard = channels.map((channel) => numbersOn(channel));
    await Promise.all(channels.map(subscribed));
    for (const channel of ['a', 'private-b', 'new']) await stage.publish(channel, 3);
    await until(() => heard.every((numbers) => numbers.includes(3)), 'the live events');
    expect(heard).toEqual([[2, 3], [2, 3], [3]]);
  });

  it('begins anew where they are too old', async () => {
    const storage = new Storage();
    const first = await firstVisit(storage, 1);
    first.close();
    await stage.publish('a', 2);
    await stage.spread();
    const again = await connectorPage(stage, { options: { keepPositions: { storage, maxAgeMs: 1 } } }, first);
    const heard = numbersOn(again.echo.channel('a'));
    await subscribed(again.echo.channel('a'));
    await stage.publish('a', 3);
    await until(() => heard.includes(3), 'the live event');
    expect(heard).toEqual([3]);
  });
});
