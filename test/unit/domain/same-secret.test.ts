import { describe, expect, it, vi } from 'vitest';
import { sameSecret } from '../../../server/domain/same-secret.ts';
import { requireAppKey } from '../../../server/http/app-key.ts';
import { createMetricsPage } from '../../../server/http/metrics-page.ts';

const compared = vi.hoisted(() => ({ bytes: [] as [number, number][], count: 0 }));
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>();
  return {
    ...crypto,
    timingSafeEqual: (a: Buffer, b: Buffer) => {
      compared.bytes.push([a.length, b.length]);
      return crypto.timingSafeEqual(a, b);
    },
  };
});

describe('a secret', () => {
  it('is compared in constant time, whatever its length and letters', () => {
    compared.bytes.length = 0;
    for (const presented of ['', 'k', 'key', 'kez', 'k'.repeat(100_000), 'k\u00e9y', '\ud800'])
      expect(sameSecret(presented, 'key')).toBe(presented === 'key');
    expect(new Set(compared.bytes.map(String)), 'both digests, always').toEqual(new Set(['32,32']));
    expect(compared.bytes).toHaveLength(7);
  });

  it('of an app is compared with that of every app, found or not', () => {
    const guard = requireAppKey([1, 2, 3].map((n) => ({ id: `app${n}`, key: `key${n}` })));
    for (const [appId, key] of [
      ['app1', 'key1'],
      ['app1', 'wrong'],
      ['unknown', 'key1'],
      ['unknown', 'wrong'],
    ]) {
      compared.bytes.length = 0;
      guard(requestOf(appId, key) as never, answer() as never, () => {});
      expect(compared.bytes, 'an id and a key for each of three apps').toHaveLength(6);
    }
  });

  it('of the metrics is compared in constant time', async () => {
    const page = createMetricsPage({ contentType: '', metrics: async () => '' }, 'metrics-key');
    compared.bytes.length = 0;
    const request = { ...requestOf('', 'metrics-kez'), socket: { remoteAddress: '192.0.2.1' } };
    await page(request as never, answer() as never, () => {});
    expect(compared.bytes).toEqual([[32, 32]]);
  });
});

function requestOf(appId = '', key = '') {
  return { params: { appId }, query: {}, headers: { authorization: `Bearer ${key}` } };
}

function answer() {
  const response = {
    set: () => response,
    send: () => response,
    writeHead: () => response,
    end: () => response,
  };
  return response;
}
