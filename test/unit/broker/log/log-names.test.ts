import { describe, expect, it } from 'vitest';
import { LogNames } from '../../../../server/broker/log/log-names.ts';

const namesOf = (prefix: string, broadcastPrefix = prefix) => new LogNames({ prefix, broadcastPrefix });

describe('The names of a log', () => {
  it('listen to the prefix literally, whatever it holds', () => {
    expect(namesOf('app_').pattern).toBe('app_*');
    expect(namesOf('a*b?[c]\\').pattern).toBe('a\\*b\\?\\[c\\]\\\\*');
  });

  it('turn a Redis name into the channel that it stands for', () => {
    const names = namesOf('app_');
    expect(names.channelsOf('app_private-x')).toEqual(['private-x']);
    expect(names.channelsOf('app_broadcast')).toEqual(['broadcast']);
    expect(names.channelsOf('app_#yamabiko:probe:1')).toEqual([]);
    expect(names.channelsOf('other_x')).toEqual([]);
    expect(names.channelsOf('!epoch')).toEqual([]);
  });

  it('know the custom channel outside of the prefix, and a channel that bears its whole name', () => {
    const apart = namesOf('app_', 'laravel_');
    expect(apart.customApart).toBe(true);
    expect(apart.channelsOf('laravel_broadcast')).toEqual(['broadcast']);
    const empty = namesOf('', 'laravel_');
    expect(empty.customApart).toBe(false);
    expect(empty.channelsOf('laravel_broadcast')).toEqual(['broadcast', 'laravel_broadcast']);
    expect(empty.channelsOf('__keyspace@0__:x')).toEqual(['__keyspace@0__:x']);
  });

  it("leave out of the log what nodes ask each other, and Redis's own notices", () => {
    const names = namesOf('');
    expect(names.counts('#yamabiko:peers#/#')).toBe(false);
    expect(names.counts('__keyspace@0__:x')).toBe(false);
    expect(names.counts(names.marker)).toBe(true);
    expect(names.counts('private-x')).toBe(true);
    expect(namesOf('app_').hears('other_x')).toBe(false);
    expect(namesOf('app_', 'laravel_').hears('laravel_broadcast')).toBe(true);
  });

  it('put all keys on one slot', () => {
    const { head, stream, handover, owner, trial } = namesOf('app_');
    for (const key of [head, stream, handover, owner, trial]) expect(key).toContain('{home}');
  });
});
