import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readProjectFile } from '../architecture/project-files.ts';
import { rawClient } from '../stories/webhooks-stage.ts';
import { Laravel } from '../support/laravel.ts';
import { RedisServer } from '../support/redis-server.ts';
import { signatureOf } from '../support/webhook-endpoint.ts';
import { startYamabiko, until } from '../support/yamabiko.ts';
import { codeBlocks } from '../unit/docs/markdown.ts';

type Heard = readonly (readonly [name: string, event: { id: string; [field: string]: unknown }])[];

let folder: string;
let redis: RedisServer;
let laravel: Laravel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yamabiko-routes-'));
  const shown = codeBlocks(await readProjectFile('docs/laravel.md'), 'php').map(({ code }) => code);
  if (shown.length !== 2) throw new Error('the page shows other routes than these tests run');
  await writeFile(join(folder, 'routes.php'), `<?php\n${shown.join('\n')}`);
  redis = await RedisServer.start();
  laravel = await Laravel.start({
    redisPort: redis.port,
    env: {
      DOCUMENTED_ROUTES: join(folder, 'routes.php'),
      WEBHOOK_SECRETS: 'the-old-one,the-new-one',
      CACHE_DRIVER: 'file',
    },
  });
});
afterAll(async () => {
  await laravel?.stop();
  await redis?.stop();
  await rm(folder, { recursive: true });
});

const heard = async () => (await (await fetch(`${laravel.url}/heard`)).json()) as Heard;

describe('the route for webhooks that the documentation shows, on a real Laravel', {
  timeout: 60_000,
}, () => {
  it('fires an event for each thing that happened, in order, though Laravel is away in between', async () => {
    const server = await startYamabiko({
      YAMABIKO_REDIS_URL: redis.url,
      YAMABIKO_WEBHOOK_URL: `${laravel.url}/yamabiko/webhooks`,
      YAMABIKO_WEBHOOK_SECRETS: 'the-new-one',
      YAMABIKO_WEBHOOK_BATCH_MS: '20',
      YAMABIKO_WEBHOOK_RETRY_MIN_MS: '50',
      YAMABIKO_WEBHOOK_RETRY_MAX_MS: '200',
    });
    onTestFinished(() => server.stop());
    const client = await rawClient(server.url, 7, 'chat:laravel');
    await until(async () => (await heard()).length === 2, 'Laravel has heard that he came');
    await laravel.down();
    for (const message of ['one', 'two']) await client.request({ message, name: 'x' });
    await client.close();
    const failures = () => server.metric('yamabiko_webhook_failures_total');
    await until(async () => (await failures()) > 1, 'it was tried in vain');
    await laravel.up();
    await until(async () => (await heard()).length === 6, 'Laravel has heard all');
    expect((await heard()).map(([name, { channel, data }]) => [name, channel, data])).toEqual([
      ['yamabiko.channel_occupied', 'chat:laravel', undefined],
      ['yamabiko.member_added', 'presence-chat:laravel', undefined],
      ['yamabiko.message', 'chat:laravel', { message: 'one', name: 'x' }],
      ['yamabiko.message', 'chat:laravel', { message: 'two', name: 'x' }],
      ['yamabiko.member_removed', 'presence-chat:laravel', undefined],
      ['yamabiko.channel_vacated', 'chat:laravel', undefined],
    ]);
  });

  it('drops repeats, and whatever nobody signed who may', async () => {
    const before = (await heard()).length;
    const body = '{"time_ms":1,"events":[{"id":"again","name":"message","channel":"x"}]}';
    const post = async (signatures: string) =>
      (
        await fetch(`${laravel.url}/yamabiko/webhooks`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-yamabiko-signatures': signatures },
          body,
        })
      ).status;
    expect(await post(signatureOf(body, 'a-guess'))).toBe(401);
    expect(await post('')).toBe(401);
    expect(await post(`${signatureOf(body, 'a-guess')},${signatureOf(body, 'the-old-one')}`)).toBe(204);
    expect(await post(signatureOf(body, 'the-new-one'))).toBe(204);
    expect((await heard()).length).toBe(before + 1);
  });
});

describe('the route that is asked before a send, which the documentation shows, on a real Laravel', () => {
  it('replaces what it allows, and denies with its own code', async () => {
    const env = {
      YAMABIKO_ASK_URL: `${laravel.url}/yamabiko/ask`,
      YAMABIKO_WEBHOOK_SECRETS: 'the-new-one,the-newest',
      YAMABIKO_ASK_TIMEOUT_MS: '15000',
    };
    const server = await startYamabiko(env, { chat: { ask: true } });
    onTestFinished(() => server.stop());
    const client = await rawClient(server.url, 7, 'chat:asked');
    expect(await client.request({ message: '<b>hello</b> ', name: 'x' })).toEqual({
      type: 'sended',
      ok: true,
    });
    expect(await client.next('message')).toMatchObject({
      sender: { id: 7, name: 'user7' },
      data: { message: 'hello', name: 'user7', id: 1 },
    });
    expect(await client.request({ message: ' ', name: 'x' })).toMatchObject({
      error: { code: 'denied', reason: 'empty', message: 'say something' },
    });
  });
});
