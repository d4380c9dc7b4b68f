import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';
import { run } from './binary.ts';

describe('yamabiko nodes', () => {
  let running: Running;
  beforeAll(async () => {
    running = await startYamabiko({ YAMABIKO_APPS: 'app:key' });
  });
  afterAll(() => running?.stop());

  it('lists the living nodes for a person and for a program', async () => {
    const env = { YAMABIKO_APPS: 'app:key' };
    const { code, stdout } = await run(['nodes', '--url', running.url], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NODE +VERSION +UPTIME +CONNECTIONS +CHANNELS +BUS LAG +STATE\n/);
    expect(stdout).toMatch(/\n[0-9a-f-]{36} +\d+\.\d+\.\d+ +\d+ [smhd] +0 +0 +\S.* +ready\n$/);
    const json = await run(['nodes', '--url', running.url, '--json'], { env });
    expect(JSON.parse(json.stdout)).toEqual([expect.objectContaining({ ready: true, connections: 0 })]);
  });

  it('lists all nodes of one Redis whichever is asked, and not one that has stopped', async () => {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.stop());
    const env = { YAMABIKO_REDIS_URL: redis.url, YAMABIKO_APPS: 'app:key' };
    const nodes = [await startYamabiko(env), await startYamabiko(env), await startYamabiko(env)] as const;
    onTestFinished(async () => void (await Promise.all([nodes[0].stop(), nodes[1].stop()])));
    const client = await RawClient.join({ url: nodes[1].url, token: mintToken({ channel: 'chat:1' }) });
    onTestFinished(() => client.close());
    const listed = async (asked: Running) => {
      const { stdout } = await run(['nodes', '--url', asked.url, '--json'], { env });
      return JSON.parse(stdout) as { id: string; connections: number; channels: number }[];
    };
    const ids = async (asked: Running) => (await listed(asked)).map(({ id }) => id).sort();
    const all = await ids(nodes[0]);
    expect(new Set(all).size).toBe(3);
    for (const node of nodes) expect(await ids(node)).toEqual(all);
    const counts = (await listed(nodes[2])).map(({ connections, channels }) => [connections, channels]);
    expect(counts.sort()).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
    ]);
    await nodes[2].stop();
    await until(async () => (await ids(nodes[0])).length === 2, 'it is listed no more');
  });

  it('says what is wrong where it is not let in', async () => {
    const { code, stderr } = await run(['nodes', '--url', running.url], {
      env: { YAMABIKO_APPS: 'app:wrong' },
    });
    expect(code).toBe(1);
    expect(stderr).toContain('403');
    expect(stderr).not.toContain('wrong');
  });
});
