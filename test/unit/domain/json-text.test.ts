import { describe, expect, test } from 'vitest';
import { jsonMembers, jsonValue, withJsonValue, withoutJsonKey } from '../../../server/domain/json-text.ts';

/** Texts that parsing and writing again would change, or that trip a careless scanner. */
const VALUES = [
  '1',
  '-0',
  '10.0',
  '1e5',
  '1E+400',
  '9223372036854775807',
  'true',
  'false',
  'null',
  '""',
  '"a"',
  '"\\""',
  '"\\\\"',
  '"\\\\\\""',
  '"\\u0022"',
  '"\\ud83d"',
  '"é\u{1f600}"',
  '"\u2028"',
  '"{}[],:"',
  '"}"',
  '"a\\"}"',
  '[]',
  '{}',
  '[ ]',
  '{ }',
  '[[],{},"]"]',
  '{"a":{"a":{"a":1}}}',
  '{"}":"{"}',
  '[{"a":"\\"]}"}]',
  '[1,2 ,3]',
  '{ "k" : [ 1 , { "x" : "y" } ] }',
];
const KEYS = [
  '"a"',
  '"socket"',
  '""',
  '"\\u0061b"',
  '"a\\"b"',
  '"\\\\"',
  '"é"',
  '"{"',
  '"__proto__"',
  '"a:b,c"',
];
const SPACES = ['', ' ', '\n', '\t', '\r\n  '];

/** The same numbers in every run (mulberry32), so that what fails once fails again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface Sample {
  readonly text: string;
  readonly members: readonly (readonly [key: string, value: string])[];
}

function sample(seed: number): Sample {
  const below = numbers(seed);
  const one = <T>(list: readonly T[]) => list[below(list.length)] as T;
  const space = () => one(SPACES);
  const members = Array.from({ length: below(6) }, () => [one(KEYS), one(VALUES)] as const);
  const inner = members.map(([k, v]) => `${space()}${k}${space()}:${space()}${v}${space()}`).join(',');
  return { text: `${space()}{${inner || space()}}${space()}`, members };
}

const SAMPLES = Array.from({ length: 500 }, (_, seed) => sample(seed));
const keyOf = (json: string) => JSON.parse(json) as string;

describe('of 500 objects, written in every way', () => {
  test('the members are found in order, their values untouched', () => {
    for (const { text, members } of SAMPLES) {
      const found = jsonMembers(text).map((m) => [m.key, text.slice(m.valueStart, m.valueEnd)]);
      expect(found, text).toEqual(members.map(([k, v]) => [keyOf(k), v]));
    }
  });

  test("a key's value is the one that JSON.parse takes", () => {
    for (const { text, members } of SAMPLES)
      for (const key of [...members.map(([k]) => keyOf(k)), 'absent', 'toString'])
        expect(jsonValue(text, key), text).toBe(members.findLast(([k]) => keyOf(k) === key)?.[1]);
  });

  test('one value is replaced, wherever it stands, and nothing else', () => {
    for (const { text, members } of SAMPLES)
      for (const key of ['a', 'socket', 'absent']) {
        const result = withJsonValue(text, key, '{"new":10.0}');
        const expected = members.map(([k, v]) => [keyOf(k), keyOf(k) === key ? '{"new":10.0}' : v]);
        expect(
          jsonMembers(result).map((m) => [m.key, result.slice(m.valueStart, m.valueEnd)]),
          text,
        ).toEqual(expected);
        if (!members.some(([k]) => keyOf(k) === key)) expect(result).toBe(text);
      }
  });

  test('a key is left out, the others as they were', () => {
    for (const { text, members } of SAMPLES)
      for (const key of ['a', '__proto__', 'absent']) {
        const result = withoutJsonKey(text, key);
        const kept = members.filter(([k]) => keyOf(k) !== key).map(([k, v]) => [keyOf(k), v]);
        expect(
          jsonMembers(result).map((m) => [m.key, result.slice(m.valueStart, m.valueEnd)]),
          text,
        ).toEqual(kept);
        expect(() => JSON.parse(result), text).not.toThrow();
      }
  });
});

test.each(['[]', '[{"a":1}]', '"{\\"a\\":1}"', '1', 'null', 'true', '', '  '])(
  '%s has no members',
  (text) => {
    expect(jsonMembers(text)).toEqual([]);
    expect(jsonValue(text, 'a')).toBeUndefined();
    expect(withJsonValue(text, 'a', '1')).toBe(text);
    expect(withoutJsonKey(text, 'a')).toBe(text);
  },
);

test.each([
  ['{"a":1}', '{}'],
  ['{"a":1,"b":2}', '{"b":2}'],
  ['{"b":2,"a":1}', '{"b":2}'],
  ['{"a":1,"b":2,"a":3}', '{"b":2}'],
  ['{"b":{"a":1}}', '{"b":{"a":1}}'],
])('without a, %s is %s', (text, expected) => expect(withoutJsonKey(text, 'a')).toBe(expected));

test('values nested 10,000 levels deep are cut out whole', () => {
  const arrays = '['.repeat(10_000) + ']'.repeat(10_000);
  const objects = `${'{"a":'.repeat(10_000)}"]}"${'}'.repeat(10_000)}`;
  const text = `{"x":${arrays},"y":${objects},"z":1}`;
  expect(jsonValue(text, 'x')).toBe(arrays);
  expect(jsonValue(text, 'y')).toBe(objects);
  expect(withJsonValue(text, 'x', '1')).toBe(`{"x":1,"y":${objects},"z":1}`);
  expect(withoutJsonKey(text, 'y')).toBe(`{"x":${arrays},"z":1}`);
});

test.each([
  '{',
  '{"',
  '{"a',
  '{"a"',
  '{"a":',
  '{"a":"',
  '{"a":"\\',
  '{"a":[',
  '{"a":1',
  '{"a":1,',
  '{"a":1,"',
])('a text that breaks off ends the scan too: %s', (text) => {
  try {
    jsonMembers(text);
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
  }
});

test('a megabyte of one key over and over is replaced piece by piece', () => {
  // Regression: every replacement copied the whole text, which made one frame of a client cost minutes.
  const text = `{${Array.from({ length: 80_000 }, () => '"socket":"x"').join(',')}}`;
  const expected = `{${Array.from({ length: 80_000 }, () => '"socket":null').join(',')}}`;
  expect(withJsonValue(text, 'socket', 'null') === expected).toBe(true);
});
