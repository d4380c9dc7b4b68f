import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SECRET } from '../cli/binary.ts';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { EchoClient } from '../support/echo-client.ts';
import { freePort } from '../support/free-port.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import type { ClientVersion } from '../support/socket-io.ts';
import { until } from '../support/yamabiko.ts';

const PAGES_OF_EACH_NODE = 6;

/** A raw page that opens again whenever it is closed, as its script would. */
class RawPage {
  readonly heard: number[] = [];
  client: RawClient | null = null;
  #left = false;

  constructor(
    readonly url: string,
    readonly id: number,
  ) {
    void this.#live();
  }

  async leave(): Promise<void> {
    this.#left = true;
    await this.client?.close();
  }

  async #live(): Promise<void> {
    while (!this.#left) {
      const token = mintToken({ id: this.id, name: `u${this.id}`, channel: 'chat:roll' }, { secret: SECRET });
      const client = await RawClient.join({ url: this.url, token }).catch(() => null);
      if (client === null) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        continue;
      }
      this.client = client;
      client.socket.on('message', (bytes) => {
        const { type, data } = JSON.parse(String(bytes));
        if (type === 'message') this.heard.push(Number(data.message));
      });
      await client.closed();
    }
  }
}

describe('a rolling restart of three nodes under traffic', { timeout: 120_000 }, () => {
  it('leaves nobody behind, and shows on the other nodes nobody leaving who comes back', async () => {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.stop());
    const auth = await startAuthEndpoint();
    onTestFinished(() => auth.stop());
    const laravel = new Redis(redis.url);
    onTestFinished(() => laravel.disconnect());
    const env = {
      YAMABIKO_REDIS_URL: redis.url,
      YAMABIKO_AUTH_URL: auth.url,
      YAMABIKO_APPS: 'app:key',
      YAMABIKO_PRESENCE_GRACE_MS: '20000',
    };
    const start = (port: string) => ServerProcess.ready({ ...env, YAMABIKO_PORT: port });
    const watched = await start('0');
    const ports = [String(await freePort()), String(await freePort()), String(await freePort())];
    const nodes = await Promise.all(ports.map(start));

    const watcherToken = mintToken({ id: 999, name: 'watcher', channel: 'chat:roll' }, { secret: SECRET });
    const watcher = await RawClient.join({ url: watched.url, token: watcherToken });
    const raws: RawPage[] = [];
    const pages: { readonly echo: EchoClient; readonly heard: number[] }[] = [];
    for (const [n, { url }] of nodes.entries()) {
      for (let i = 0; i < PAGES_OF_EACH_NODE; i++) {
        const id = 100 * (n + 1) + i;
        if (i % 2 === 0) {
          raws.push(new RawPage(url, id));
          continue;
        }
        const version = (i % 3) + 2;
        const echo = await EchoClient.open({
          url,
          version: version as ClientVersion,
          bearer: `${id}:u${id}`,
        });
        const heard: number[] = [];
        echo
          .join('chat:roll')
          .channel.listen('.message', (m) =>
            heard.push(Number((m as { data: { message: string } }).data.message)),
          );
        pages.push({ echo, heard });
      }
    }
    const everybody = nodes.length * PAGES_OF_EACH_NODE + 1;
    const members = async ({ url }: ServerProcess) => {
      const response = await fetch(`${url}/apps/app/channels/presence-chat:roll?auth_key=key`);
      return response.ok ? ((await response.json()) as { user_count: number }).user_count : -1;
    };
    await until(async () => (await members(watched)) === everybody, 'everybody is there', 30_000);
    watcher.drain();

    let sent = 0;
    const publish = () => {
      sent++;
      const data = { message: String(sent), name: 'Laravel' };
      return laravel.publish('laravel_database_broadcast', JSON.stringify({ channel: 'chat:roll', data }));
    };
    const traffic = setInterval(() => void publish(), 20);
    onTestFinished(() => clearInterval(traffic));
    for (const [n, port] of ports.entries()) {
      const old = nodes[n] as ServerProcess;
      old.kill('SIGTERM');
      expect((await old.ended).code).toBe(0);
      nodes[n] = await start(port);
    }
    // Each is subscribed again when it hears something that was published after the last restart.
    const mark = sent;
    const lasts = () =>
      [...raws.map(({ heard }) => heard), ...pages.map(({ heard }) => heard)].map((h) => h.at(-1) ?? 0);
    await until(
      () => lasts().every((last) => last > mark),
      () => `all hear what comes after ${mark}: ${lasts()}`,
      40_000,
    );
    clearInterval(traffic);
    await publish();
    await until(
      () => lasts().every((last) => last === sent),
      () => `all hear the last of ${sent}: ${lasts()}`,
      20_000,
    );

    for (const node of [watched, ...nodes])
      await until(async () => (await members(node)) === everybody, 'every node counts everybody', 20_000);
    // Nothing twice or out of order, on any page; nobody left, and the watcher, whose node stayed, missed nothing.
    for (const heard of [...raws.map((r) => r.heard), ...pages.map((p) => p.heard)])
      expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b));
    const frames = watcher.drain();
    expect(frames.filter(({ type }) => type !== 'message')).toEqual([]);
    expect(frames.map(({ data }) => Number(data.message))).toEqual(
      Array.from({ length: sent }, (_, i) => i + 1),
    );

    for (const { echo } of pages) echo.close();
    await Promise.all(raws.map((page) => page.leave()));
    await watcher.close();
    for (const node of [watched, ...nodes]) {
      node.kill('SIGTERM');
      expect((await node.ended).code).toBe(0);
    }
  });
});
