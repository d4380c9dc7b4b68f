import { describe, expect, it } from 'vitest';
import {
  comparePositions,
  formatPosition,
  parsePosition,
  placeBefore,
} from '../../../server/domain/position.ts';

describe('A position', () => {
  it.each(['0-0', '1764054000000-1', '1-9007199254740991', '9007199254740991-1'])(
    'is read from %s and written as it was',
    (text) => {
      const position = parsePosition(text);
      expect(position && formatPosition(position)).toBe(text);
    },
  );

  it.each([
    '',
    '-',
    '1',
    '1-',
    '-1',
    '-1-1',
    '1--1',
    '1-1-1',
    ' 1-1',
    '1-1 ',
    '1-1\n',
    '1.5-1',
    '1e3-1',
    '0x1-1',
    '+1-1',
    '١-١',
    'a-b',
    'null',
    '9007199254740992-1',
    '1-9007199254740993',
    '99999999999999999-1',
    `1-${'9'.repeat(50)}`,
  ])('is none in %j', (text) => {
    expect(parsePosition(text)).toBeNull();
  });

  it('comes after all of an earlier epoch, and then in the order of numbers, not of texts', () => {
    const ordered = ['9-99', '10-2', '10-9', '10-10', '10-9007199254740991', '11-0'].map((text) => ({
      text,
      position: parsePosition(text) ?? expect.fail(text),
    }));
    for (const [i, a] of ordered.entries())
      for (const [j, b] of ordered.entries())
        expect(Math.sign(comparePositions(a.position, b.position)), `${a.text} ${b.text}`).toBe(
          Math.sign(i - j),
        );
  });
});

describe('the place before another', () => {
  it.each([
    ['5-2', '5-1'],
    ['5-1', '5-0'],
    ['5-0', '5-0'],
  ])('%s is %s', (place, before) => {
    expect(placeBefore(place)).toBe(before);
  });
});
