import { describe, expect, it } from 'vitest';
import { maskRedisUrl, parseRedisUrl } from '../../../server/domain/redis-url.ts';

const NOBODY = { username: null, password: null, sentinelUsername: null, sentinelPassword: null };

describe('A Redis URL', () => {
  it('names one Redis', () => {
    expect(parseRedisUrl('redis://127.0.0.1')).toEqual({
      ...NOBODY,
      kind: 'single',
      tls: false,
      nodes: [{ host: '127.0.0.1', port: 6379 }],
      db: 0,
      master: '',
    });
    expect(parseRedisUrl('rediss://app:p%40s%2Fs@[::1]:6380/2')).toMatchObject({
      tls: true,
      nodes: [{ host: '::1', port: 6380 }],
      username: 'app',
      password: 'p@s/s',
      db: 2,
    });
    expect(parseRedisUrl('redis://:pw:with@colon@r')).toMatchObject({
      username: null,
      password: 'pw:with@colon',
    });
  });

  it('names Sentinels and the master that they watch', () => {
    expect(
      parseRedisUrl('redis+sentinel://u:p@s1,s2:5000/my-master?db=3&sentinelUser=su&sentinelPassword=s%26p'),
    ).toEqual({
      kind: 'sentinel',
      tls: false,
      nodes: [
        { host: 's1', port: 26_379 },
        { host: 's2', port: 5000 },
      ],
      username: 'u',
      password: 'p',
      db: 3,
      master: 'my-master',
      sentinelUsername: 'su',
      sentinelPassword: 's&p',
    });
  });

  it('names some nodes of a Cluster', () => {
    expect(parseRedisUrl('rediss+cluster://c1,c2:7001')).toMatchObject({
      kind: 'cluster',
      tls: true,
      nodes: [
        { host: 'c1', port: 6379 },
        { host: 'c2', port: 7001 },
      ],
    });
  });

  it.each([
    ['redis://h1,h2', 'several hosts'],
    ['redis+sentinel://h1,h2', 'the name of the master'],
    ['redis+sentinel://h1/a/b', 'the name of the master'],
    ['redis+cluster://h1/1', 'has only the one'],
    ['redis+cluster://h1?db=1', 'takes no ?options'],
    ['redis+sentinel://h1/m?password=hidden', 'takes only the options'],
    ['redis://h1:99999', 'a host that cannot be read'],
    ['redis://h1:0', 'a host that cannot be read'],
    ['redis+sentinel://h1,/m', 'a host that cannot be read'],
    ['redis://u:hid/den@h1', 'a host that cannot be read'],
    ['redis://u:hidden%@h1', 'write %25'],
    ['redis://h1/x', 'no number'],
    ['redis+other://h1', 'must be a whole URL'],
    ['redis+sentinel://', 'must be a whole URL'],
  ])('%s is refused, and shows nothing secret', (url, problem) => {
    expect(() => parseRedisUrl(url)).toThrow(problem);
    expect(() => parseRedisUrl(url)).not.toThrow('hid');
  });

  it.each([
    ['redis://u:hidden@h:1/2', 'redis://***:***@h:1/2'],
    ['redis+sentinel://:hidden@h1,h2:5/m?sentinelPassword=hidden', 'redis+sentinel://***:***@h1,h2:5/m?***'],
    ['redis+cluster://h1,h2', 'redis+cluster://h1,h2'],
    ['u:hidden@h1', '***'],
  ])('%s is printed as %s', (url, shown) => {
    expect(maskRedisUrl(url)).toBe(shown);
  });
});
