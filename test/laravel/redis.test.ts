import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LaravelOptions } from '../support/laravel.ts';
import { PAGES } from './pages.ts';
import { type Settings, Stage } from './stage.ts';
import { framesOf, packetsOf } from './transcript.ts';

interface Writing {
  readonly name: string;
  readonly laravel: Omit<LaravelOptions, 'redisPort'>;
  readonly settings?: Settings;
  /** Where Laravel publishes an event on `news`, and where the custom channel is. */
  readonly channels: readonly [string, string];
}

/** How a Laravel may be set up to write to Redis; the server is told the same. */
const WRITINGS: readonly Writing[] = [
  {
    name: "Laravel 13's prefix",
    laravel: { redisPrefix: 'laravel-database-' },
    channels: ['laravel-database-news', 'laravel-database-broadcast'],
  },
  { name: 'no prefix', laravel: { redisPrefix: '' }, channels: ['news', 'broadcast'] },
  {
    name: 'a prefix of glob characters',
    laravel: { redisPrefix: 'glob*[x]?' },
    channels: ['glob*[x]?news', 'glob*[x]?broadcast'],
  },
  {
    name: 'a prefix of its own for the connection',
    laravel: { env: { REDIS_CONNECTION_PREFIX: 'own:' } },
    settings: { YAMABIKO_BROADCAST_PREFIX: 'own:' },
    channels: ['laravel_database_news', 'own:broadcast'],
  },
  {
    name: 'no prefix for the connection alone',
    laravel: { env: { REDIS_CONNECTION_PREFIX: '' } },
    settings: { YAMABIKO_BROADCAST_PREFIX: '' },
    channels: ['laravel_database_news', 'broadcast'],
  },
  {
    name: 'predis',
    laravel: { env: { REDIS_CLIENT: 'predis' } },
    channels: ['laravel_database_news', 'laravel_database_broadcast'],
  },
];

describe.each(WRITINGS)('a Laravel that writes with $name', ({ laravel, settings, channels }) => {
  let stage: Stage;
  const [newsChannel, customChannel] = channels;

  beforeAll(async () => {
    stage = await Stage.open(laravel, settings);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  it('is heard by every client, byte for byte', async () => {
    const pages = await Promise.all(PAGES.map(({ open }) => open(stage, { bearer: 'alice-token' })));
    for (const page of pages) {
      await page.channel('news');
      await page.private('orders.1');
      await page.join('chat:room1');
    }
    const raw = await stage.rawSession('chat:room1', { bearer: 'bob-token' });

    await stage.laravel.fire('many', { message: 'Zażółć' });
    await stage.laravel.fire('queued');
    await stage.laravel.fire('said', { channel: 'chat:room1', message: 'said' });
    await stage.laravel.fire('chat', { channel: 'chat:room1', message: 'hi' });

    const prefix = newsChannel.slice(0, -'news'.length);
    const customPrefix = customChannel.slice(0, -'broadcast'.length);
    for (const page of pages) {
      await page.sync();
      const published = await stage.published();
      const heard = packetsOf(
        published,
        prefix,
        ['news', 'private-orders.1', 'presence-chat:room1'],
        customPrefix,
      );
      expect(page.packets).toEqual(heard);
      expect(heard).toHaveLength(5);
    }
    expect((await raw.next('message')).data.message).toBe('said');
    expect((await raw.next('message')).data.message).toBe('hi');
    expect(raw.texts().slice(-1)).toEqual(framesOf(await stage.published(), customPrefix, 'chat:room1'));
    const published = (await stage.published()).map(({ channel }) => channel);
    expect(published).toContain(newsChannel);
    expect(published).toContain(customChannel);
  });
});
