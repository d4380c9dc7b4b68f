import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../config/load-config.ts';
import { allSettings } from '../../config/settings.ts';
import { TEST_SECRET } from '../support/jwt.ts';
import { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/yamabiko.ts';
import { deployFile } from './support/deploy-file.ts';
import { YamabikoNode } from './support/yamabiko-node.ts';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const page = readFileSync(fromRoot('docs/production.md'), 'utf8');

/** What stands between `<!-- name -->` and `<!-- /name -->`; of a code block its lines. */
function part(name: string): string[] {
  const [, text = ''] = new RegExp(`<!-- ${name} -->\n(.*?)<!-- /${name} -->`, 's').exec(page) ?? [];
  if (text === '') throw new Error(`docs/production.md has no part ${name}`);
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('```'));
}

const defaultOf = (wanted: string) =>
  Number(allSettings.find(({ path }) => path === wanted)?.setting.default);

describe('docs/production.md', () => {
  it('tells the meaning of every metric of ours, and of none that there is not', async () => {
    const node = await YamabikoNode.start({ YAMABIKO_JWT_SECRET: TEST_SECRET });
    onTestFinished(async () => void (await node.stop()));
    const real = [...(await node.metrics()).matchAll(/^# TYPE (yamabiko_\w+)/gm)].map(([, name]) => name);
    const told = part('metrics').flatMap((line) => /^\| `(\w+)`/.exec(line)?.[1] ?? []);
    expect(told.sort()).toEqual(real.sort());
  });

  it('shows the answers to /health as they are, with Redis and without', async () => {
    const answers = page.split('\n').flatMap((line) => {
      const [, path, status, body] = /^\| `(\/health\/\w+)` \| (\d+) `(.+?)`/.exec(line) ?? [];
      return path === undefined ? [] : [`${path} ${status} ${body}`];
    });
    const store = await RedisServer.start();
    onTestFinished(() => store.stop());
    const node = await YamabikoNode.start({
      YAMABIKO_JWT_SECRET: TEST_SECRET,
      YAMABIKO_REDIS_URL: store.url,
    });
    onTestFinished(async () => void (await node.stop()));
    const told = async (path: string) => {
      const response = await fetch(node.url + path);
      return `${path} ${response.status} ${await response.text()}`;
    };
    expect(answers).toHaveLength(4);
    expect(answers).toEqual(
      expect.arrayContaining([await told('/health/live'), await told('/health/ready')]),
    );
    await store.kill();
    await until(async () => (await fetch(`${node.url}/health/ready`)).status === 503, 'it notices');
    expect(answers).toContain(await told('/health/ready'));
  });

  it('has settings for a start that the server takes', () => {
    const lines = part('environment').map((line) => line.split(/=(.*)/));
    const env = Object.fromEntries(lines.map(([name, value]) => [name, value]));
    // What a person puts in place of the hint.
    const loaded = loadConfig({ env: { ...env, YAMABIKO_JWT_SECRET: TEST_SECRET }, cwd: '/' });
    expect(loaded).toMatchObject({ ok: true, config: { development: false } });
  });

  it('has settings for Redis that a real one takes', async () => {
    const settings = part('redis.conf').map((line) => line.split(/ (.*)/));
    const redis = await RedisServer.start(settings.flatMap(([name, value = '']) => [`--${name}`, value]));
    onTestFinished(() => redis.stop());
    const [, limits] = (await redis.client.config('GET', 'client-output-buffer-limit')) as [string, string];
    expect(limits).toContain(`pubsub ${64 * 1024 ** 2} ${16 * 1024 ** 2} 60`);
    expect(await redis.client.config('GET', 'maxmemory-policy')).toContain('noeviction');
  });

  it('and the files of examples/deploy name only settings that there are', () => {
    const names = new Set(allSettings.map(({ setting }) => setting.env));
    const texts = [page, ...readdirSync(fromRoot('examples/deploy')).map((f) => deployFile(f))];
    const named = new Set(texts.flatMap((text) => text.match(/\bYAMABIKO_[A-Z_]+\b/g) ?? []));
    expect(named.size).toBeGreaterThan(10);
    expect([...named].filter((name) => !names.has(name))).toEqual([]);
  });
});

it.each([
  ['nginx.conf', /^ *proxy_read_timeout +(\d+)s;/gm],
  ['haproxy.cfg', /^ *timeout (?:client|server|tunnel) (\d+)s$/gm],
])('the time limits of %s are longer than a ping and its answer may take', (name, limit) => {
  const longestSilence =
    (defaultOf('connection.pingIntervalMs') + defaultOf('connection.pingTimeoutMs')) / 1000;
  const limits = [...deployFile(name).matchAll(limit)].map(([, seconds]) => Number(seconds));
  expect(limits.length).toBeGreaterThan(0);
  for (const seconds of limits) expect(seconds).toBeGreaterThan(longestSilence);
});
