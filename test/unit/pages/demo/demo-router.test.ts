import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import express from 'express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDemo } from '../../../../server/pages/demo/demo-router.ts';

const PAGE = '<!doctype html><title>Yamabiko</title>';
const UGUISU = { id: 7, name: 'Uguisu of Takao' };

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

const published: { channel: string; payload: string }[] = [];
const minted: { claims: object; ttlSeconds: number }[] = [];
const warn = vi.fn();
const abort = new AbortController();
let assetsDir: string;
let port: number;
let isBusAway = false;
let stop: () => void;

beforeEach(async () => {
  assetsDir = await mkdtemp(path.join(tmpdir(), 'yamabiko-demo-'));
  await mkdir(path.join(assetsDir, 'assets'));
  await writeFile(path.join(assetsDir, 'index.html'), PAGE);
  await writeFile(path.join(assetsDir, 'assets', 'index.js'), 'void 0;');
  published.length = 0;
  minted.length = 0;
  isBusAway = false;
  warn.mockReset();
  const demo = createDemo({
    assetsDir,
    mintToken: async (claims, ttlSeconds) => {
      minted.push({ claims, ttlSeconds });
      return 'a.b.c';
    },
    publish: async (channel, payload) => {
      if (isBusAway) throw new Error('Redis is away');
      published.push({ channel, payload });
    },
    signal: abort.signal,
    logger: { warn },
    jobStepMs: 0,
  });
  const server = createServer(express().use('/demo', demo));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  stop = () => server.close();
});

afterEach(async () => {
  stop();
  await rm(assetsDir, { recursive: true });
});

/** As node writes it and not `fetch`, which would not send another Host. */
function ask(
  method: string,
  target: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path: target, headers, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const post = (target: string, body: unknown, headers: Record<string, string> = {}) =>
  ask('POST', target, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(body));
const form = (body: string, headers: Record<string, string> = {}) =>
  ask('POST', '/demo/auth', { 'Content-Type': 'application/x-www-form-urlencoded', ...headers }, body);

describe('the demo page', () => {
  it.each(['/demo', '/demo/'])('is served at %s itself, without a redirect', async (target) => {
    const { status, headers, text } = await ask('GET', target);
    expect({ status, text }).toEqual({ status: 200, text: PAGE });
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
  });

  it('allows no inline script, no style and no request from elsewhere', async () => {
    const { headers } = await ask('GET', '/demo', { Host: 'localhost:6001' });
    const policy = headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self' ws://localhost:6001 wss://localhost:6001");
    expect(policy).not.toMatch(/unsafe|\*|https:(?!\/)/);
  });

  it('comes with its assets and nothing beside them', async () => {
    expect((await ask('GET', '/demo/assets/index.js')).text).toBe('void 0;');
    for (const target of ['/demo/assets/%2e%2e/index.html', '/demo/assets/', '/demo/nothing'])
      expect(await ask('GET', target)).toMatchObject({ status: 404 });
  });

  it('says how to build it where it is not built', async () => {
    await rm(path.join(assetsDir, 'index.html'));
    expect(await ask('GET', '/demo')).toMatchObject({
      status: 503,
      text: expect.stringContaining('npm run build'),
    });
  });
});

describe('strangers at the demo', () => {
  it.each([
    'evil.example',
    'evil.example:6001',
    '127.0.0.1.evil.example',
    '192.168.0.7:6001',
    'localhost@evil',
    '[',
  ])('are refused as host %s, even for the page', async (Host) => {
    expect(await ask('GET', '/demo', { Host })).toMatchObject({ status: 403 });
    expect(await post('/demo/token', { channel: 'chat:demo', user: UGUISU }, { Host })).toMatchObject({
      status: 403,
    });
    expect(minted).toEqual([]);
  });

  it.each(['localhost', 'LOCALHOST:6001', 'app.localhost:80', '127.0.0.1:6001', '[::1]:6001'])(
    'are not whoever asks for %s',
    async (Host) => {
      expect(await ask('GET', '/demo', { Host })).toMatchObject({ status: 200 });
    },
  );

  it.each(['http://evil.example', 'http://127.0.0.1:1', 'null'])(
    'are refused as origin %s',
    async (Origin) => {
      const answer = await post('/demo/publish/chat', { message: 'x', name: 'x' }, { Origin });
      expect(answer).toMatchObject({ status: 403 });
      expect(published).toEqual([]);
    },
  );

  it('have no form that presses a button', async () => {
    const answer = await ask('POST', '/demo/job', { 'Content-Type': 'text/plain' }, '{}');
    expect(answer).toMatchObject({ status: 415 });
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'unsupported_media_type' });
  });
});

describe('POST /demo/token', () => {
  it("gives a token for the demo's channels", async () => {
    const answer = await post('/demo/token', { channel: 'chat:demo', user: UGUISU });
    expect(JSON.parse(answer.text)).toEqual({ token: 'a.b.c' });
    expect(minted).toEqual([{ claims: { ...UGUISU, channel: 'chat:demo' }, ttlSeconds: 3600 }]);
  });

  it.each([
    ['another channel', { channel: 'chat:1', user: UGUISU }, 403],
    ['no channel', { user: UGUISU }, 403],
    ['no user', { channel: 'chat:demo' }, 422],
    ['the system user', { channel: 'chat:demo', user: { id: 0, name: 'system' } }, 422],
    ['an id that is text', { channel: 'chat:demo', user: { id: '7', name: 'x' } }, 422],
    ['an empty name', { channel: 'chat:demo', user: { id: 7, name: ' ' } }, 422],
    ['an endless name', { channel: 'chat:demo', user: { id: 7, name: 'x'.repeat(61) } }, 422],
    ['an array', [], 403],
    ['null', null, 400],
  ])('refuses %s', async (_what, body, status) => {
    expect(await post('/demo/token', body)).toMatchObject({ status });
    expect(minted).toEqual([]);
  });

  it('refuses what is no JSON, and what is too large', async () => {
    const json = { 'Content-Type': 'application/json' };
    expect(await ask('POST', '/demo/token', json, '{')).toMatchObject({ status: 400 });
    expect(await post('/demo/token', { pad: 'x'.repeat(9000) })).toMatchObject({ status: 413 });
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('POST /demo/auth, as Laravel answers', () => {
  const user = { 'X-Demo-User': '7:Uguisu%20of%20Takao' };

  it('admits to the private and the presence channel of the room', async () => {
    expect(await form('channel_name=private-chat:demo', user)).toMatchObject({ status: 200, text: 'true' });
    const { text } = await form('channel_name=presence-chat:demo&socket_id=1.2', user);
    expect(text).toBe('{"channel_data":{"user_id":7,"user_info":{"id":7,"name":"Uguisu of Takao"}}}');
  });

  it.each([
    ['another channel', 'channel_name=presence-chat:1', user],
    ['a public channel', 'channel_name=chat:demo', user],
    ['no channel', '', user],
    ['two channels', 'channel_name=presence-chat:demo&channel_name=presence-chat:demo', user],
    ['nobody', 'channel_name=presence-chat:demo', {}],
    ['the system user', 'channel_name=presence-chat:demo', { 'X-Demo-User': '0:system' }],
    ['a name that is no percent-encoding', 'channel_name=presence-chat:demo', { 'X-Demo-User': '7:%' }],
  ])('refuses %s', async (_what, body, headers) => {
    expect(await form(body, headers as Record<string, string>)).toMatchObject({
      status: 403,
      text: '{"message":""}',
    });
  });
});

describe('the buttons of the demo', () => {
  it('publish a chat message of the user that the header names, and show what was written', async () => {
    const body = { message: 'hello', name: 'Uguisu', target_user_id: null };
    const answer = await post('/demo/publish/chat', body, { 'X-Demo-User': '7:Uguisu' });
    expect(answer.status).toBe(202);
    expect(published).toEqual([JSON.parse(answer.text)]);
    expect(JSON.parse(published[0]?.payload ?? '')).toEqual({
      channel: 'chat:demo',
      data: { message: 'hello', name: 'Uguisu' },
      type: 'message',
      sender: { id: 7, name: 'Uguisu' },
    });
  });

  it('publish a tweet and an event', async () => {
    await post('/demo/publish/tweet', { content: 'hi', user: UGUISU });
    await post('/demo/publish/event', { kind: 'private', toOthers: true }, { 'X-Socket-ID': '1.2' });
    expect(published.map((p) => p.channel)).toEqual(['broadcast', 'private-chat:demo']);
    expect(JSON.parse(published[1]?.payload ?? '')).toMatchObject({ socket: '1.2' });
  });

  it.each([
    ['chat', { message: '', name: 'x' }, 'message'],
    ['chat', { message: 'x' }, 'name'],
    ['chat', { message: 'x', name: 'x', target_user_id: '9' }, 'target_user_id'],
    ['tweet', { user: UGUISU }, 'content'],
    ['tweet', { content: 'x' }, 'user.id'],
    ['event', { kind: 'encrypted' }, 'kind'],
    ['event', { kind: 'public', toOthers: 1 }, 'toOthers'],
  ])('refuse a wrong %s and name the field', async (kind, body, field) => {
    const answer = await post(`/demo/publish/${kind}`, body);
    expect(answer.status).toBe(422);
    expect(JSON.parse(answer.text)).toEqual({ code: 'invalid_data', error: expect.stringContaining(field) });
    expect(published).toEqual([]);
  });

  it('know no other kind', async () => {
    expect(await post('/demo/publish/anything', {})).toMatchObject({ status: 404 });
  });

  it('run the sample job to its end', async () => {
    const answer = await post('/demo/job', { total: 3 });
    expect(answer.status).toBe(202);
    expect(JSON.parse(answer.text)).toMatchObject({ title: 'Sample job 1' });
    await vi.waitFor(() => expect(published).toHaveLength(3));
    for (const total of [0, 201, 1.5, '3'])
      expect(await post('/demo/job', { total })).toMatchObject({ status: 422 });
  });

  it('say unavailable while the bus is away', async () => {
    isBusAway = true;
    const answer = await post('/demo/publish/chat', { message: 'x', name: 'x' });
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'unavailable' });
    expect(warn).toHaveBeenCalledOnce();
  });
});
