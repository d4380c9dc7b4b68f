import { describe, expect, it } from 'vitest';
import { openEcho, startServer } from './support/echo.ts';
import { yes } from './support/scripted-server.ts';

class MemoryStorage {
  readonly entries = new Map<string, string>();
  getItem(key: string): string | null {
    return this.entries.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.entries.set(key, value);
  }
}

async function reloadable(storage: {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}) {
  const server = await startServer();
  server.answer = (command) => {
    if (command.event === 'subscribe')
      command.socket.emit('subscription_succeeded', command.channel, {}, '1000-1');
    return yes(command);
  };
  /** A page opens, and says what its subscribe to `a` brought. */
  const open = async (more: object = {}) => {
    const echo = openEcho({ host: server.url, token: 't', keepPositions: { storage, ...more } });
    await echo.channel('a').send({});
    const { body } = await server.next('subscribe', 'a');
    return { echo, since: 'since' in body ? body.since : 'nothing' };
  };
  return { server, open, key: `yamabiko:positions:${server.url}:App.Events` };
}

const kept = (savedAtMs: number, positions: unknown) => JSON.stringify({ savedAtMs, positions });

describe('positions that are kept over a reload', () => {
  it('go into the first subscribe of the next page', async () => {
    const storage = new MemoryStorage();
    const { open, key } = await reloadable(storage);
    expect((await open()).since).toBe('nothing');
    await expect.poll(() => storage.entries.get(key), { timeout: 10_000 }).toContain('["a","1000-1"]');
    expect((await open()).since).toBe('1000-1');
  });

  it('are those of this host and namespace only', async () => {
    const storage = new MemoryStorage();
    const { open, key } = await reloadable(storage);
    storage.setItem(`${key}X`, kept(Date.now(), [['a', '1000-4']]));
    expect((await open()).since).toBe('nothing');
  });

  it('are not used beyond their age, nor when they come from the future', async () => {
    const storage = new MemoryStorage();
    const { open, key } = await reloadable(storage);
    for (const atMs of [Date.now() - 130_000, Date.now() + 60_000]) {
      storage.setItem(key, kept(atMs, [['a', '1000-4']]));
      expect((await open()).since).toBe('nothing');
    }
    storage.setItem(key, kept(Date.now() - 130_000, [['a', '1000-4']]));
    expect((await open({ maxAgeMs: 600_000 })).since).toBe('1000-4');
  });

  it('are forgotten with a channel that is left', async () => {
    const storage = new MemoryStorage();
    const { open, key } = await reloadable(storage);
    storage.setItem(key, kept(Date.now(), [['a', '1000-4']]));
    const { echo } = await open();
    echo.leave('a');
    await expect.poll(() => storage.entries.get(key), { timeout: 10_000 }).toContain('"positions":[]');
  });

  it.each([
    ['no JSON', 'x{'],
    ['another shape', '[1,null]'],
    ['no list', kept(Date.now(), { a: '1000-4' })],
    ['positions that are none', kept(Date.now(), [['a', 'x'], 7, null, ['a']])],
  ])('are nothing where the storage holds %s', async (_, text) => {
    const storage = new MemoryStorage();
    const { open, key } = await reloadable(storage);
    storage.setItem(key, text);
    expect((await open()).since).toBe('nothing');
  });

  it('break nothing where the storage throws', async () => {
    let writes = 0;
    const { open } = await reloadable({
      getItem: () => {
        throw new Error('forbidden');
      },
      setItem: () => {
        writes += 1;
        throw new Error('full');
      },
    });
    const { echo, since } = await open();
    expect(since).toBe('nothing');
    await expect.poll(() => writes, { timeout: 10_000 }).toBeGreaterThan(0);
    await echo.channel('a').send({});
  });

  it('are not kept unless the page asks for it', async () => {
    const storage = new MemoryStorage();
    const page = globalThis as { sessionStorage?: unknown };
    const before = Object.getOwnPropertyDescriptor(page, 'sessionStorage');
    Object.defineProperty(page, 'sessionStorage', { value: storage, configurable: true });
    try {
      const { open } = await reloadable(storage);
      await open({});
      const server = await startServer();
      server.answer = (command) => {
        command.socket.emit('subscription_succeeded', command.channel, {}, '1000-1');
        return yes(command);
      };
      await openEcho({ host: server.url, token: 't' }).channel('a').send({});
      await expect.poll(() => storage.entries.size, { timeout: 10_000 }).toBe(1);
    } finally {
      if (before) Object.defineProperty(page, 'sessionStorage', before);
      else delete page.sessionStorage;
    }
  });
});
