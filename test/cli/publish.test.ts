import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisServer } from '../support/redis-server.ts';
import { run } from './binary.ts';

describe('publish by Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());

  const env = () => ({
    YAMABIKO_REDIS_URL: redis.url,
    YAMABIKO_REDIS_PREFIX: 'p_',
    YAMABIKO_BROADCAST_PREFIX: 'b_',
  });

  it.each([
    [
      ['chat:1', '{"n":10.0,"big":9223372036854775807}'],
      'b_broadcast',
      '{"channel":"chat:1","data":{"n":10.0,"big":9223372036854775807},"type":"message"}',
    ],
    [
      ['news', '{ "a": [] }', '--event', 'App\\Happened'],
      'p_news',
      '{"event":"App\\\\Happened","data":{"a": [],"socket":null},"socket":null}',
    ],
    [
      ['presence-chat.1', '{}', '--event', 'x', '--socket', '1.2'],
      'p_presence-chat.1',
      '{"event":"x","data":{"socket":"1.2"},"socket":"1.2"}',
    ],
    [
      ['private-a', '{"socket":5}', '--event', 'x'],
      'p_private-a',
      '{"event":"x","data":{"socket":null},"socket":null}',
    ],
  ])('writes for %j what Laravel would write', async (args, channel, payload) => {
    const reader = redis.client.duplicate();
    onTestFinished(() => reader.disconnect());
    await reader.subscribe(channel);
    const heard = once(reader, 'message');
    const { code, stdout } = await run(['publish', ...args], { env: env() });
    expect(await heard).toEqual([channel, payload]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `published on ${channel}, heard by 1\n` });
  });

  it('says so where nobody listens: the prefix may be wrong', async () => {
    const { code, stdout } = await run(['publish', 'chat:1', '{}'], { env: env() });
    expect(code).toBe(0);
    expect(stdout).toContain('nobody listens');
  });

  it('ends with 1 where Redis is away or refuses, and shows no password', async () => {
    const wrong = { YAMABIKO_REDIS_URL: redis.urlAs('nobody', 'hidden') };
    for (const [environment, told] of [
      [wrong, 'YAMABIKO_REDIS_URL'],
      [{ YAMABIKO_REDIS_URL: 'redis://u:hidden@127.0.0.1:1' }, 'does not answer (ECONNREFUSED)'],
    ] as const) {
      const { code, stderr, stdout } = await run(['publish', 'chat:1', '{}'], { env: environment });
      expect(code).toBe(1);
      expect(stderr).toContain(told);
      expect(stderr + stdout).not.toContain('hidden');
    }
  });

  it.each([
    [['a b', '{}'], /<channel>: .*white space/],
    [['private-a', '{}'], /<channel>: .*with --event/],
    [['chat:1', '[]'], /<data>: must be a JSON object/],
    [['chat:1', '{'], /<data>: must be a JSON object/],
    [['chat:1', '{}', '--socket', '1.2'], /--socket: needs --event/],
    [['chat:1', '{}', '--event', ''], /--event: must not be empty/],
  ])('refuses %j before anything is sent', async (args, told) => {
    const { code, stderr } = await run(['publish', ...args], { env: env() });
    expect(code).toBe(2);
    expect(stderr).toMatch(told);
  });
});

describe('publish by HTTP', () => {
  async function api(status: number, answer: string) {
    const asked: { request: IncomingMessage; body: string }[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      asked.push({ request, body });
      response.writeHead(status).end(answer);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    return { asked, port: String((server.address() as AddressInfo).port) };
  }

  it('asks the server that is configured here, with the first app and its key', async () => {
    const { asked, port } = await api(200, '{"message":"ok"}');
    const env = { YAMABIKO_APPS: 'one:key1,two:key2', YAMABIKO_PORT: port };
    const { code, stdout } = await run(['publish', 'chat:1', '{"n":10.0}'], { env });
    expect(code).toBe(0);
    expect(stdout).toContain(`published message on private-chat:1 by http://127.0.0.1:${port}`);
    expect(asked[0]?.request.url).toBe('/apps/one/events');
    expect(asked[0]?.request.headers.authorization).toBe('Bearer key1');
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      channel: 'private-chat:1',
      name: 'message',
      data: '{"n":10.0}',
    });
  });

  it('names another server by --url, even where Redis is configured', async () => {
    const { asked, port } = await api(200, '{"message":"ok"}');
    const env = { YAMABIKO_APPS: 'one:key1', YAMABIKO_REDIS_URL: 'redis://127.0.0.1:1' };
    const args = [
      'publish',
      'news',
      '{}',
      '--event',
      'x',
      '--socket',
      '1.2',
      '--url',
      `http://127.0.0.1:${port}`,
    ];
    expect(await run(args, { env })).toMatchObject({ code: 0 });
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      channel: 'news',
      name: 'x',
      data: '{}',
      socket_id: '1.2',
    });
  });

  it('ends with 1 and the answer where the server refuses', async () => {
    const { port } = await api(403, '{"error":"Unauthorized"}');
    const env = { YAMABIKO_APPS: 'one:hidden', YAMABIKO_PORT: port };
    const { code, stderr } = await run(['publish', 'news', '{}'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('answered 403: {"error":"Unauthorized"}');
    expect(stderr).not.toContain('hidden');
  });

  it('ends with 1 where no server answers, with 2 where no app is set or the URL is none', async () => {
    const env = { YAMABIKO_APPS: 'one:key' };
    const away = await run(['publish', 'news', '{}', '--url', 'http://127.0.0.1:1'], { env });
    expect(away).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no server answers at http://127.0.0.1:1'),
    });
    const noApp = await run(['publish', 'news', '{}']);
    expect(noApp).toMatchObject({ code: 2, stderr: expect.stringContaining('YAMABIKO_APPS is not set') });
    const noUrl = await run(['publish', 'news', '{}', '--url', 'localhost'], { env });
    expect(noUrl).toMatchObject({ code: 2, stderr: expect.stringContaining('--url: must be') });
  });
});
