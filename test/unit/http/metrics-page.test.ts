import { describe, expect, it } from 'vitest';
import { listeningServer } from './listening-server.ts';

describe('/metrics', () => {
  it('is shown to this machine', async () => {
    const { url } = await listeningServer();
    const res = await fetch(`${url}/metrics`);
    expect([res.status, await res.text()]).toEqual([200, 'up 1\n']);
    expect(res.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4; charset=utf-8/);
  });

  it.each([
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'forwarded',
    'via',
    'x-real-ip',
    'true-client-ip',
    'cf-connecting-ip',
    'x-client-ip',
  ])('is not shown to whom a proxy on this machine speaks for (%s)', async (header) => {
    const { url } = await listeningServer({ metricsKey: 'key' });
    const res = await fetch(`${url}/metrics`, { headers: { [header]: '' } });
    expect([res.status, await res.json()]).toEqual([
      403,
      { error: 'metrics need their key', code: 'forbidden' },
    ]);
  });

  it('opens with its key, through a proxy too', async () => {
    const { url } = await listeningServer({ metricsKey: 'the-key' });
    const status = async (authorization: string) => {
      const headers = { 'x-forwarded-for': '192.0.2.1', authorization };
      return (await fetch(`${url}/metrics`, { headers })).status;
    };
    expect(await status('Bearer the-key')).toBe(200);
    expect(await status('bearer the-key')).toBe(200);
    for (const wrong of [
      'Bearer the-ke',
      'Bearer the-keyy',
      'Bearer ',
      'Bearer',
      'Basic the-key',
      'the-key',
      '',
    ])
      expect([wrong, await status(wrong)]).toEqual([wrong, 403]);
  });

  it('opens with no key at all where none is set, not with an empty one', async () => {
    for (const metricsKey of [null, '']) {
      const { url } = await listeningServer({ metricsKey });
      for (const authorization of ['Bearer ', 'Bearer null', 'Bearer undefined']) {
        const headers = { via: '1.1 proxy', authorization };
        expect((await fetch(`${url}/metrics`, { headers })).status).toBe(403);
      }
    }
  });

  it('does not open with the key in the query, where logs would keep it', async () => {
    const { url } = await listeningServer({ metricsKey: 'key' });
    const headers = { via: '1.1 proxy' };
    expect((await fetch(`${url}/metrics?key=key&auth_key=key`, { headers })).status).toBe(403);
  });

  it('answers a registry that fails with 500, logged', async () => {
    const metrics = { contentType: 'text/plain', metrics: () => Promise.reject(new Error('no')) };
    const { url, errors } = await listeningServer({ metrics });
    expect((await fetch(`${url}/metrics`)).status).toBe(500);
    expect(errors()).toHaveLength(1);
  });
});
