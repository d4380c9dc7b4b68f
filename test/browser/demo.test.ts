import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type BuiltServer, startBuiltServer } from './built-server.ts';
import { launchChromium } from './chromium.ts';
import { DemoPage, PANES, until } from './demo-page.ts';

// A test waits for many things, each with its own patience.
vi.setConfig({ testTimeout: 120_000 });

let browser: Browser;
let server: BuiltServer;
const pages: DemoPage[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startBuiltServer(), launchChromium()]);
});

afterEach(async () => {
  const faults = pages.flatMap((page) => page.faults);
  await Promise.all(pages.splice(0).map((page) => page.close()));
  expect(faults).toEqual([]);
});

afterAll(async () => {
  await browser?.close();
  expect(await server?.stop()).toBe(0);
});

async function openPage(options = {}): Promise<DemoPage> {
  const page = await DemoPage.open(browser, server.url, options);
  pages.push(page);
  return page;
}

/** A page whose three users are the only ones in the room. */
async function openAlone(options = {}): Promise<DemoPage> {
  const page = await openPage(options);
  await page.gathered(3);
  return page;
}

describe('the demo page', () => {
  it('opens one room three ways: three users who see one another, each knowing which one he is', async () => {
    const page = await openAlone();
    const names = await Promise.all(page.panes().map((pane) => pane.me()));
    expect(new Set(names).size).toBe(3);
    for (const pane of page.panes()) expect((await pane.members()).toSorted()).toEqual(names.toSorted());
  });

  it.each(PANES)('brings what pane %s sends to all three', async (name) => {
    const page = await openAlone();
    await page[name].say(`hello from ${name}`);
    const expected = [`${await page[name].me()}: hello from ${name}`];
    for (const pane of page.panes()) await until(async () => expect(await pane.heard()).toEqual(expected));
  });

  it('shows messages sent at once in one order everywhere', async () => {
    const page = await openAlone();
    for (let round = 0; round < 4; round++) await page.page.locator('[data-call]').click();
    await until(async () => expect(await page.raw.heard()).toHaveLength(12));
    const order = await page.raw.heard();
    for (const pane of page.panes()) await until(async () => expect(await pane.heard()).toEqual(order));
    const numbers = Array.from({ length: 12 }, (_, index) => String(index + 1));
    expect(await page.orderRows()).toEqual([numbers, numbers, numbers]);
    const verdict = page.page.locator('[data-verdict]');
    expect(await verdict.textContent()).toBe('12 messages, one order in all three');
  });

  it.each([
    ['raw', 'echo'],
    ['echo', 'connector'],
    ['connector', 'raw'],
  ] as const)('brings what pane %s sends to the user of pane %s to him alone', async (from, to) => {
    const page = await openAlone();
    const [sender, receiver] = [await page[from].me(), await page[to].me()];
    await page[from].say('for you alone', receiver);
    await until(async () => expect(await page[from].log('private')).toHaveLength(1));
    // Comes after it in every pane, so who has this and not that will never have it.
    await page[from].say('for all');
    for (const pane of page.panes()) {
      const expected =
        pane.name === to ? [`${sender}: for you alone`, `${sender}: for all`] : [`${sender}: for all`];
      await until(async () => expect(await pane.heard(), pane.name).toEqual(expected));
    }
  });

  it('lets Laravel speak to the room', async () => {
    const page = await openAlone();
    await page.press('say');
    for (const pane of page.panes())
      await until(async () => expect(await pane.heard()).toEqual(['Laravel: The summit hut is open.']));
  });

  it('brings Laravel events to both Echo panes, on the channel of their kind, and not to the raw one', async () => {
    const page = await openAlone();
    const events: string[] = [];
    for (const [kind, channel] of [
      ['public', 'chat:demo'],
      ['private', 'private-chat:demo'],
      ['presence', 'presence-chat:demo'],
    ]) {
      await page.press(`event-${kind}`);
      events.push(`OrderShippedon ${channel}`);
      for (const pane of [page.echo, page.connector])
        await until(async () => expect(await pane.log('event')).toEqual(events));
    }
    expect(await page.raw.log('event')).toEqual([]);
  });

  it('leaves out with toOthers the pane that caused the event', async () => {
    const page = await openAlone();
    await page.page.locator('[data-to-others]').check();
    await page.press('event-presence');
    await until(async () => expect(await page.connector.log('event')).toHaveLength(1));
    // Comes after it, so the pane that shows this one alone was left out.
    await page.page.locator('[data-to-others]').uncheck();
    await page.press('event-private');
    await until(async () =>
      expect(await page.echo.log('event')).toEqual(['OrderShippedon private-chat:demo']),
    );
  });

  it('whispers between the Echo panes that somebody is typing', async () => {
    const page = await openAlone();
    for (const [from, to] of [
      [page.echo, page.connector],
      [page.connector, page.echo],
    ] as const) {
      await from.root.locator('[data-input]').fill('h');
      const note = `${await from.me()} is typing…`;
      await until(async () => expect(await to.typing()).toBe(note));
    }
    expect(await page.raw.typing()).toBe('');
  });

  it('shows tweets, the newest first', async () => {
    const page = await openAlone();
    const authors = page.page.locator('[data-tweets] .tweet-name');
    await page.press('tweet');
    await until(async () => expect(await authors.allTextContents()).toEqual(['Hut keeper']));
    await page.press('tweet');
    await until(async () => expect(await authors.allTextContents()).toEqual(['Ridge walker', 'Hut keeper']));
  });

  it('follows the sample job to its total', async () => {
    const page = await openAlone();
    await page.press('job');
    const bar = page.page.locator('[data-jobs] progress').first();
    const state = () => Promise.all(['value', 'max'].map((name) => bar.getAttribute(name)));
    await until(async () => expect(await state()).toEqual(['40', '40']));
    expect(await page.page.locator('[data-jobs] .job-count').first().textContent()).toBe('done, 40 of 40');
  });

  it.each(PANES)('shows everywhere that the user of pane %s left, and came back', async (name) => {
    const page = await openAlone();
    const leaver = await page[name].me();
    const others = page.panes().filter((pane) => pane.name !== name);
    await page[name].toggle();
    for (const pane of others) {
      await until(async () => expect(await pane.members()).toHaveLength(2));
      expect(await pane.log('note')).toContain(`${leaver} left`);
      expect(await pane.members()).not.toContain(leaver);
    }
    await page[name].toggle();
    await page[name].isIn();
    await page.gathered(3);
    expect(await page[name].me()).toBe(leaver);
    for (const pane of others) expect((await pane.log('note')).at(-1)).toBe(`${leaver} came`);
  });

  it('is one room for two tabs, until one is closed', async () => {
    const here = await openAlone();
    const there = await openPage();
    await Promise.all([here.gathered(6), there.gathered(6)]);
    const visitor = await there.raw.me();
    await there.raw.say('hello over there');
    for (const pane of here.panes())
      await until(async () => expect(await pane.heard()).toEqual([`${visitor}: hello over there`]));
    await there.close();
    pages.splice(pages.indexOf(there), 1);
    await here.gathered(3);
    for (const pane of here.panes()) expect(await pane.log('note')).toContain(`${visitor} left`);
  });

  it.each([
    ['a phone', 390],
    ['a tablet', 820],
  ])('fits on %s', async (_what, width) => {
    const page = await openAlone({ viewport: { width, height: 840 } });
    const overflow = 'document.documentElement.scrollWidth - window.innerWidth';
    expect(await page.page.evaluate(overflow)).toBeLessThanOrEqual(0);
  });
});

describe('a restart of the server', () => {
  it('brings all three panes back by themselves, with new tokens for its new secret', async () => {
    const first = await startBuiltServer();
    const page = await DemoPage.open(browser, first.url);
    await page.gathered(3);
    expect(await first.stop()).toBe(0);
    for (const pane of page.panes())
      await until(async () => expect(await pane.status()).not.toBe('connected'));
    const second = await startBuiltServer(first.port);
    for (const pane of page.panes()) await pane.isIn();
    await page.gathered(3);
    await page.raw.say('still here?');
    for (const pane of page.panes()) await until(async () => expect(await pane.heard()).toHaveLength(1));
    await page.close();
    await second.stop();
  });
});

describe('outside development mode', () => {
  const secret = 'a-secret-that-is-long-enough-for-every-rule-on-secrets';

  it.each([
    ['with a configured secret', {}],
    ['in production', { NODE_ENV: 'production' }],
  ])('there is no demo %s, and nobody who gives tokens', async (_what, extra) => {
    const strict = await startBuiltServer(0, {
      YAMABIKO_HOST: '127.0.0.1',
      YAMABIKO_JWT_SECRET: secret,
      YAMABIKO_AUTH_URL: 'http://127.0.0.1:9/broadcasting/auth',
      ...extra,
    });
    const page = await fetch(`${strict.url}/demo`);
    const token = await fetch(`${strict.url}/demo/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ channel: 'chat:demo', user: { id: 1, name: 'x' } }),
    });
    expect([page.status, token.status]).toEqual([404, 404]);
    expect(await strict.stop()).toBe(0);
  });
});
