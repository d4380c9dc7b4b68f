import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../config/load-config.ts';
import { allSettings } from '../../../config/settings.ts';
import { compileSchema } from '../../../server/channels/data-schema.ts';
import { maskRedisUrl, parseRedisUrl, RedisUrlError } from '../../../server/domain/redis-url.ts';
import { changed, holdsFor, json, key, objectOf, text, value } from './fuzz.ts';

const written = fc.oneof(
  text,
  fc.constantFrom(
    ...['0', '-1', '1e9', '007', 'true', 'http://', 'http://[::1', 'a:b,c:d', '*', '10.0.0.0/99'],
    // In its own place or in a wrong one.
    'https://user:hidden-word@example.com/x?key=hidden-word',
    'redis://:hidden-word@127.0.0.1:6379',
  ),
  changed(fc.constantFrom('https://example.com:8443/x', 'app:key,other:key', '10.0.0.0/8', '127.0.0.1')),
);

test('any value of any setting is taken, or is a mistake that names the setting', () => {
  for (const { setting, path } of allSettings)
    for (const one of fc.sample(fc.oneof(value, written), { seed: 7, numRuns: 150 })) {
      const result = setting.schema.safeParse(one);
      if (result.success) setting.show(result.data);
      else expect(typeof setting.showRaw(one), path).toBe('string');
    }
});

test('an environment full of anything gives a configuration, or mistakes, and shows no secret', () => {
  const names = allSettings.flatMap(({ setting }) => (setting.env === null ? [] : [setting.env]));
  const secret = allSettings.filter(({ setting }) => setting.secret && setting.env !== null);
  const environment = fc.dictionary(
    fc.oneof(
      fc.constantFrom(...names),
      key.map((one) => `YAMABIKO_${one}`),
    ),
    written,
    { maxKeys: 8 },
  );
  holdsFor(
    fc.tuple(environment, fc.constantFrom('production', 'development')),
    ([env, NODE_ENV]) => {
      const hidden = Object.fromEntries(secret.map(({ setting }) => [setting.env, 'hidden word'] as const));
      for (const given of [env, { ...env, ...hidden }]) {
        const loaded = loadConfig({ env: { ...given, NODE_ENV }, cwd: '/nowhere' });
        if (loaded.ok) continue;
        expect(loaded.mistakes.length).toBeGreaterThan(0);
        for (const { setting, problem } of loaded.mistakes)
          expect([typeof setting, typeof problem]).toEqual(['string', 'string']);
        expect(JSON.stringify(loaded.mistakes)).not.toMatch(/hidden word|hidden-word/);
      }
    },
    400,
  );
});

test('any Redis URL is read, or refused without a word of it', () => {
  const url = fc.oneof(
    text,
    changed(
      fc.constantFrom(
        'redis://user:hidden-word@127.0.0.1:6379/1',
        'rediss+sentinel://:hidden-word@a:1,b:2/main?db=3&sentinelPassword=hidden-word',
        'redis+cluster://a,b,[::1]:7000',
      ),
    ),
  );
  holdsFor(url, (one) => {
    try {
      parseRedisUrl(one);
    } catch (error) {
      expect(error).toBeInstanceOf(RedisUrlError);
      expect((error as Error).message).not.toContain('hidden-word');
    }
    expect(maskRedisUrl(one)).not.toContain('hidden-word');
  });
});

test('any schema of a channel is compiled, or a mistake that is told; any data is judged by it', () => {
  const schema = fc.oneof(
    json,
    objectOf({
      type: fc.constant('object'),
      properties: fc.dictionary(
        key,
        objectOf({ type: fc.constantFrom('string', 'integer', 'array'), items: json }),
      ),
      required: fc.array(key, { maxLength: 2 }),
    }),
  );
  holdsFor(fc.tuple(schema, fc.array(json, { maxLength: 3 })), ([one, data]) => {
    let check: ReturnType<typeof compileSchema>;
    try {
      check = compileSchema(one);
    } catch (error) {
      expect((error as Error).message).not.toBe('');
      return;
    }
    for (const each of data) expect((check(each) ?? '').length).toBeLessThanOrEqual(200);
  });
});
