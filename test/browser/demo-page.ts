import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect, vi } from 'vitest';

export type PaneName = 'raw' | 'echo' | 'connector';

export const PANES: readonly PaneName[] = ['raw', 'echo', 'connector'];

/** Generous, since two cores carry Chromium, Redis and all the rest; nothing asserts how fast. */
const PATIENCE = { timeout: 15_000, interval: 50 };

/** Waits until an assertion holds. */
export const until = <T>(assertion: () => Promise<T> | T): Promise<T> => vi.waitFor(assertion, PATIENCE);

/** One tab with the demo page, and everything on it that must not be. */
export class DemoPage {
  readonly raw: Pane;
  readonly echo: Pane;
  readonly connector: Pane;
  /** Complaints of the console (a breach of the CSP is one), uncaught errors, requests to elsewhere. */
  readonly faults: string[] = [];

  private constructor(
    readonly page: Page,
    origin: string,
  ) {
    [this.raw, this.echo, this.connector] = [
      new Pane(page, 'raw'),
      new Pane(page, 'echo'),
      new Pane(page, 'connector'),
    ];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.faults.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.faults.push(`uncaught: ${error.message}`));
    const watch = (url: string): void => {
      if (new URL(url).host !== new URL(origin).host) this.faults.push(`request to ${url}`);
    };
    page.on('request', (request) => watch(request.url()));
    page.on('websocket', (socket) => watch(socket.url()));
  }

  /** Opens the page in a browser of its own, as another visitor would, and waits until it misses nothing more. */
  static async open(
    browser: Browser,
    origin: string,
    options: BrowserContextOptions = {},
  ): Promise<DemoPage> {
    const context = await browser.newContext(options);
    const demo = new DemoPage(await context.newPage(), origin);
    const response = await demo.page.goto(`${origin}/demo`);
    expect(response?.status()).toBe(200);
    for (const pane of demo.panes()) await pane.isIn();
    await until(async () => expect(await demo.page.locator('[data-subscribed]').count()).toBe(2));
    return demo;
  }

  panes(): readonly Pane[] {
    return [this.raw, this.echo, this.connector];
  }

  /** Waits until every pane lists so many members. */
  async gathered(count: number): Promise<void> {
    for (const pane of this.panes())
      await until(async () => expect(await pane.members(), pane.name).toHaveLength(count));
  }

  press(action: string): Promise<void> {
    return this.page.locator(`[data-action="${action}"]`).click();
  }

  /** What the "one order" ribbon shows, a row for each pane. */
  orderRows(): Promise<string[][]> {
    return Promise.all([0, 1, 2].map((row) => texts(this.page.locator(`[data-order-row="${row}"] > li`))));
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

export class Pane {
  readonly root: Locator;

  constructor(
    page: Page,
    readonly name: PaneName,
  ) {
    this.root = page.locator(`[data-pane="${name}"]`);
  }

  /** Waits until it is subscribed to all that it wants: from then on it misses nothing. */
  async isIn(): Promise<void> {
    const wires =
      this.name === 'raw' ? ['chat:demo'] : ['chat:demo', 'presence-chat:demo', 'private-chat:demo'];
    await until(async () =>
      expect((await texts(this.root.locator('[data-wires] > li'))).toSorted()).toEqual(wires),
    );
    expect(await this.status()).toBe('connected');
  }

  status(): Promise<string | null> {
    return this.root.getAttribute('data-status');
  }

  members(): Promise<string[]> {
    return texts(this.root.locator('[data-members] .member-name'));
  }

  /** The name of the member that is marked as oneself. */
  async me(): Promise<string> {
    const own = this.root.locator('[data-members] > li', { has: this.root.page().locator('.member-you') });
    return (await texts(own.locator('.member-name'))).join();
  }

  /** Types and sends, as a person would. @param to a member's name; without it, everybody */
  async say(text: string, to = 'Everybody'): Promise<void> {
    await this.root.locator('[data-recipient]').selectOption({ label: to });
    await this.root.locator('[data-input]').fill(text);
    await this.root.locator('[data-composer] button').click();
  }

  toggle(): Promise<void> {
    return this.root.locator('[data-toggle]').click();
  }

  /** The room's messages as `who: text`, in the order in which the pane heard them. */
  async heard(): Promise<string[]> {
    const entries = this.root.locator('[data-log] > .entry-message, [data-log] > .entry-mine');
    return (await entries.allInnerTexts()).map((text) => text.replace('\n', ': '));
  }

  /** All else in the log of one kind: `event`, `note`, `private`, `trouble`. */
  log(kind: string): Promise<string[]> {
    return texts(this.root.locator(`[data-log] > .entry-${kind}`));
  }

  typing(): Promise<string | null> {
    return this.root.locator('[data-typing]').textContent();
  }
}

async function texts(locator: Locator): Promise<string[]> {
  return (await locator.allTextContents()).map((text) => text.trim());
}
