import { describe, expect, it } from 'vitest';
import { createOriginPolicy } from '../../../server/http/origin-policy.ts';

describe('the origin policy', () => {
  const none = createOriginPolicy([]);

  it('lets pass who has no origin: no browser page asks without', () => {
    expect(none.allows(undefined, 'ws.example')).toBe(true);
    expect(none.allows(undefined, undefined)).toBe(true);
  });

  it.each([
    ['http://ws.example', 'ws.example'],
    ['https://ws.example', 'ws.example:6001'],
    ['http://ws.example:8000', 'ws.example:6001'],
    ['HTTPS://WS.Example', 'ws.EXAMPLE:6001'],
    ['http://[::1]:8000', '[::1]:6001'],
    ['http://127.0.0.1:8000', '127.0.0.1:6001'],
    ['http://münchen.example', 'xn--mnchen-3ya.example'],
  ])('opens to the page %s of the requested host %s, on any port', (origin, host) => {
    expect(none.allows(origin, host)).toBe(true);
  });

  it.each([
    ['http://evil.example', 'ws.example'],
    ['http://ws.example.evil', 'ws.example'],
    ['http://sub.ws.example', 'ws.example'],
    ['http://localhost', '127.0.0.1:6001'],
    ['http://ws.example@evil.example', 'ws.example'],
    ['http://evil.example\\@ws.example', 'ws.example'],
    ['http://evil.example#ws.example', 'ws.example'],
    ['http://ws.example/path', 'ws.example'],
    ['http://ws.example, http://evil.example', 'ws.example'],
    ['null', 'ws.example'],
    ['null', 'null'],
    ['', 'ws.example'],
    ['ws.example', 'ws.example'],
    ['http://', 'ws.example'],
    ['http://[', 'ws.example'],
    ['capacitor://localhost', 'localhost:6001'],
    ['file://', ''],
    ['http://ws.example', undefined],
    ['http://ws.example', ''],
    ['http://ws.example', 'http://ws.example'],
    ['http://ws.example', 'a@ws.example'],
    ['http://ws.example', '['],
  ])('stays shut to the page %s of the requested host %s', (origin, host) => {
    expect(none.allows(origin, host)).toBe(false);
  });

  it('opens to listed origins, whatever their letter case, default port and trailing slash', () => {
    const policy = createOriginPolicy([
      'HTTPS://App.Example:443/',
      'capacitor://localhost',
      'http://a.example:8080',
    ]);
    for (const origin of [
      'https://app.example',
      'https://APP.example:443',
      'capacitor://localhost',
      'http://a.example:8080',
    ])
      expect([origin, policy.allows(origin, 'ws.example')]).toEqual([origin, true]);
    for (const origin of [
      'http://app.example',
      'https://app.example:8443',
      'http://a.example',
      'null',
      'https://x.app.example',
    ])
      expect([origin, policy.allows(origin, 'ws.example')]).toEqual([origin, false]);
    expect(policy.allows('https://app.example', undefined)).toBe(true);
  });

  it('opens to everybody with *', () => {
    const policy = createOriginPolicy(['https://app.example', '*']);
    for (const origin of ['null', 'https://evil.example', 'rubbish', undefined])
      expect(policy.allows(origin, 'ws.example')).toBe(true);
  });

  it.each(['app.example', '', 'https://', 'https://app.example/path', 'null', 'https://*.example.com?'])(
    'cannot be built from %j',
    (entry) => {
      expect(() => createOriginPolicy([entry])).toThrow(/is no origin/);
    },
  );
});

describe('CORS headers', () => {
  const policy = createOriginPolicy(['https://app.example']);

  it('carry the exact origin and credentials, apart in every cache', () => {
    expect(policy.corsHeaders('https://APP.example', 'ws.example')).toEqual({
      'access-control-allow-origin': 'https://APP.example',
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    });
    const open = createOriginPolicy(['*']).corsHeaders('null', 'ws.example');
    expect(open['access-control-allow-origin']).toBe('null');
  });

  it('say nothing but Vary to a stranger and to who has no origin', () => {
    for (const origin of ['https://evil.example', undefined]) {
      expect(policy.corsHeaders(origin, 'ws.example')).toEqual({ vary: 'Origin' });
      expect(policy.preflightHeaders(origin, 'ws.example', 'x-a')).toEqual({ vary: 'Origin' });
    }
  });

  it('of a preflight allow the headers that are asked for, where they are header names', () => {
    const headers = (asked?: string) =>
      policy.preflightHeaders('https://app.example', 'ws.example', asked)['access-control-allow-headers'];
    expect(headers('authorization,x-socket-id')).toBe('authorization,x-socket-id');
    expect(headers('authorization, x-socket-id')).toBe('authorization, x-socket-id');
    for (const asked of [undefined, '', 'a b', 'a\r\nset-cookie: x', 'a,,b', 'ä', 'x'.repeat(1_025)])
      expect([asked, headers(asked)]).toEqual([asked, undefined]);
    expect(policy.preflightHeaders('https://app.example', 'ws.example', undefined)).toEqual({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Headers',
    });
  });
});
