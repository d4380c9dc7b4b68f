import { describe, expect, test } from 'vitest';
import { parseBaseName, parseChannelName } from '../../../server/domain/channel-name.ts';

const RESERVED = { redisPrefix: 'laravel_database_', names: new Set(['broadcast']) };
const parse = (wire: unknown) => parseChannelName(wire, RESERVED);

test.each([
  ['chat:room1', 'public', 'chat:room1'],
  ['private-chat:1', 'private', 'chat:1'],
  ['presence-chat:1', 'presence', 'chat:1'],
  ['private-encrypted-x', 'encrypted', 'x'],
  ['private-encrypted', 'private', 'encrypted'],
  ['Private-x', 'public', 'Private-x'],
  ['PRESENCE-x', 'public', 'PRESENCE-x'],
  ['x-private-y', 'public', 'x-private-y'],
  ['my-presence-x', 'public', 'my-presence-x'],
  ['private', 'public', 'private'],
  ['App.Models.User.1', 'public', 'App.Models.User.1'],
  ['*', 'public', '*'],
  ['a?[b]{c}', 'public', 'a?[b]{c}'],
  ['__proto__', 'public', '__proto__'],
  ['チャット:1', 'public', 'チャット:1'],
  ['broadcast:1', 'public', 'broadcast:1'],
  ['a#', 'public', 'a#'],
  ['laravel_database', 'public', 'laravel_database'],
])('%s is %s, of base %s', (wire, kind, base) => expect(parse(wire)).toEqual({ wire, kind, base }));

describe('refused at every way in', () => {
  const long = 'x'.repeat(201);
  const bases = [
    '',
    'a b',
    ' a',
    'a\n',
    'a\t',
    'a\u00a0b',
    'a\u3000b',
    'a\u2028b',
    'a\0b',
    'a\u007fb',
    'a\u0085b',
    '\ud800',
    'a\udc00',
    '#a',
    'broadcast',
    'private-x',
    'presence-x',
    'private-encrypted-x',
    'private-',
    'laravel_database_x',
    long,
    'é'.repeat(101),
    '\u{1f600}'.repeat(51),
  ];

  test.each(bases)('%j, as a base and behind each prefix', (base) => {
    expect(parseBaseName(base, RESERVED)).toMatchObject({ ok: false, code: 'invalid_channel', status: 400 });
    for (const prefix of ['private-encrypted-', 'private-', 'presence-'])
      expect(parse(prefix + base), prefix).toMatchObject({ ok: false, code: 'invalid_channel' });
  });

  test.each(bases.filter((base) => !base.startsWith('p')))('%j, as a public name', (base) => {
    expect(parse(base)).toMatchObject({ ok: false, code: 'invalid_channel' });
  });

  test.each([null, undefined, 5, true, {}, [], ['chat'], { toString: () => 'chat' }])(
    '%j is no string',
    (value) => {
      expect(parse(value)).toMatchObject({ code: 'invalid_channel' });
      expect(parseBaseName(value, RESERVED)).toMatchObject({ code: 'invalid_channel' });
    },
  );
});

test('the limit counts the bytes of the base', () => {
  for (const base of ['x'.repeat(200), 'é'.repeat(100), '\u{1f600}'.repeat(50)])
    expect(parse(`private-encrypted-${base}`)).toMatchObject({ base });
});

test('an empty Redis prefix reserves nothing', () => {
  const none = { ...RESERVED, redisPrefix: '' };
  expect(parseBaseName('laravel_database_x', none)).toBe('laravel_database_x');
});
