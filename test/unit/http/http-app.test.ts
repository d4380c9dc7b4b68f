import express, { Router } from 'express';
import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../server/domain/outcome.ts';
import { listeningServer } from './listening-server.ts';
import { bodyOf, rawGet } from './raw-request.ts';

describe('the HTTP app', () => {
  it('answers laravel-echo-server\'s "/" with OK, to GET and HEAD', async () => {
    const { url } = await listeningServer();
    const got = await fetch(`${url}/`);
    expect([got.status, await got.text()]).toEqual([200, 'OK']);
    expect(got.headers.get('content-type')).toMatch(/^text\/plain/);
    const head = await fetch(`${url}/`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('is live as long as it answers', async () => {
    const { url } = await listeningServer({ readiness: () => ({ ready: false, reason: 'bus' }) });
    const res = await fetch(`${url}/health/live`);
    expect([res.status, await res.text()]).toEqual([200, '{"status":"ok"}']);
  });

  it('is ready when its readiness says so, asked each time', async () => {
    let state: { ready: boolean; reason: string | null } = { ready: false, reason: 'Redis is away' };
    const { url } = await listeningServer({ readiness: () => state });
    const before = await fetch(`${url}/health/ready`);
    expect(before.status).toBe(503);
    expect(await before.json()).toEqual({ status: 'unavailable', reason: 'Redis is away' });
    state = { ready: false, reason: null };
    expect(await (await fetch(`${url}/health/ready`)).json()).toEqual({ status: 'unavailable' });
    state = { ready: true, reason: null };
    const after = await fetch(`${url}/health/ready`);
    expect([after.status, await after.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('answers unknown paths and methods with JSON', async () => {
    const { url } = await listeningServer();
    for (const [path, method] of [
      ['/nothing', 'GET'],
      ['/nothing', 'POST'],
      ['/', 'POST'],
      ['/health', 'GET'],
      ['/__proto__', 'GET'],
    ] as const) {
      const res = await fetch(url + path, { method });
      expect([path, res.status, await res.json()]).toEqual([
        path,
        404,
        { error: 'not found', code: 'not_found' },
      ]);
    }
  });

  it('says nothing of what it is made with, and lets no page sniff or frame it', async () => {
    const { url } = await listeningServer();
    for (const path of ['/', '/health/live', '/nothing']) {
      const { headers } = await fetch(url + path);
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  it('serves what is mounted', async () => {
    const router = Router().get('/page', (_req, res) => void res.send('hello'));
    const { url } = await listeningServer({ mounts: [{ path: '/demo', router }] });
    expect(await (await fetch(`${url}/demo/page`)).text()).toBe('hello');
  });

  it('answers malformed targets without an error of its own', async () => {
    const { port, url, errors } = await listeningServer();
    const malformed = { error: 'malformed request target', code: 'invalid_message' };
    for (const target of ['http://[', 'http://]/x', '*', 'http://a:99999/', 'ws://a/']) {
      const answer = await rawGet(port, target);
      expect([target, answer.slice(0, 12), bodyOf(answer)]).toEqual([target, 'HTTP/1.1 400', malformed]);
    }
    // These Node's parser refuses before us, without a body.
    for (const target of ['%', 'nothing', 'javascript:alert(1)']) {
      const answer = await rawGet(port, target);
      expect([target, answer.slice(0, 12)]).toEqual([target, 'HTTP/1.1 400']);
    }
    for (const target of ['//', '///', '//[', '/\\', '/?%', '/health/live?%zz', '/health/live?[]=%']) {
      const answer = await rawGet(port, target);
      expect([target, answer.slice(9, 12)]).toEqual([target, expect.stringMatching(/200|404/)]);
    }
    expect(await rawGet(port, 'http://elsewhere.test/health/live?x')).toContain('{"status":"ok"}');
    expect(errors()).toEqual([]);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });
});

describe('the error boundary', () => {
  const failing = (fail: () => unknown) => [{ path: '/fail', router: Router().get('/', async () => fail()) }];

  it('logs a fault once and tells nothing of it', async () => {
    const mounts = failing(() => {
      throw new Error('password=hunter2');
    });
    const { url, errors } = await listeningServer({ mounts });
    const res = await fetch(`${url}/fail?token=secret`);
    expect([res.status, await res.json()]).toEqual([
      500,
      { error: 'internal error', code: 'internal_error' },
    ]);
    expect(errors()).toHaveLength(1);
    expect(errors()[0]?.fields).toMatchObject({ method: 'GET', path: '/fail', stage: 'http' });
    expect(JSON.stringify(errors())).not.toContain('secret');
  });

  it('logs what is thrown though it is no error', async () => {
    for (const thrown of [null, undefined, 'text', 5]) {
      const mounts = failing(() => Promise.reject(thrown));
      const { url, errors } = await listeningServer({ mounts });
      const res = await fetch(`${url}/fail`);
      expect([thrown, res.status]).toEqual([thrown, 500]);
      expect(errors()).toHaveLength(1);
    }
  });

  it('tells Redis away as unavailable, which is no fault', async () => {
    const mounts = failing(() => {
      throw new UnavailableError('connect ECONNREFUSED 10.0.0.5:6379');
    });
    const { url, errors } = await listeningServer({ mounts });
    const res = await fetch(`${url}/fail`);
    expect(res.status).toBe(503);
    expect(await res.json()).toEqual({ error: 'not able to serve now, try later', code: 'unavailable' });
    expect(errors()).toEqual([]);
  });

  it("blames the request for what Express's body parser refuses", async () => {
    const router = Router().post('/', express.json({ limit: 100 }), (_req, res) => void res.json({}));
    const { url, errors } = await listeningServer({ mounts: [{ path: '/json', router }] });
    const post = (body: string, headers: Record<string, string> = {}) =>
      fetch(`${url}/json`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      });
    const answers = [
      await post('{'),
      await post(JSON.stringify('x'.repeat(200))),
      await post('{}', { 'content-encoding': 'rot13' }),
      await post('{}', { 'content-encoding': 'gzip' }),
      await post('{}'),
    ];
    expect(answers.map((res) => res.status)).toEqual([400, 413, 415, 400, 200]);
    expect(
      await Promise.all(answers.map(async (res) => ((await res.json()) as { code?: string }).code)),
    ).toEqual(['invalid_message', 'too_large', 'unsupported_media_type', 'invalid_message', undefined]);
    expect(errors()).toEqual([]);
  });

  it('blames the request for a parameter that cannot be decoded', async () => {
    const router = Router().get('/:name', (_req, res) => void res.json({}));
    const { url } = await listeningServer({ mounts: [{ path: '/things', router }] });
    const res = await fetch(`${url}/things/%zz`);
    expect([res.status, await res.json()]).toEqual([
      400,
      { error: 'the request is malformed', code: 'invalid_message' },
    ]);
  });

  it('cuts an answer that failed half way', async () => {
    const router = Router().get('/', async (_req, res) => {
      res.write('half');
      throw new Error('broken');
    });
    const { url, errors } = await listeningServer({ mounts: [{ path: '/half', router }] });
    await expect(fetch(`${url}/half`).then((res) => res.text())).rejects.toThrow();
    expect(errors()).toHaveLength(1);
  });
});
