import { describe, expect, it } from 'vitest';
import type { Head, LogCommands } from '../../../../server/broker/log/log-commands.ts';
import { LogOpening } from '../../../../server/broker/log/log-opening.ts';
import type { LogReader } from '../../../../server/broker/log/log-reader.ts';
import type { Position } from '../../../../server/domain/position.ts';
import { quietLog } from '../../../contract/heard.ts';

const EPOCH = 100;
const RUN = 'abc';

/** The log ends at index 10; its last marker stands at 6 and had 50 PUBLISH calls before it. */
function openingAt({ head = { epoch: EPOCH, index: 10 } as Head, place = { epoch: EPOCH, index: 10 } } = {}) {
  const opened: Head[] = [];
  const commands = {
    head: async () => head,
    open: async (seen: Head) => {
      opened.push(seen);
      return EPOCH + 1;
    },
  } as unknown as LogCommands;
  const opening = new LogOpening({ commands, reader: { place } as unknown as LogReader, log: quietLog() });
  opening.sawMarker({ epoch: EPOCH, index: 6 }, Buffer.from(`last|50|${RUN}`));
  return { opening, opened };
}

const own = (calls: number | null, runId: string | null = RUN) => ({ nonce: 'own', calls, runId, count: 3 });
const NEXT: Position = { epoch: EPOCH, index: 11 };

describe('A log that nobody can write', () => {
  it('goes on where Redis counted as many calls as the log has entries', async () => {
    // The last marker itself and four entries after it: 50 + 5 calls before ours.
    const found = await openingAt().opening.bridge([own(55)], true);
    expect(found).toEqual({ marker: own(55), at: NEXT, before: 0 });
  });

  it.each([
    ['one call more', own(56)],
    ['one call less', own(54)],
    ['no count', own(null)],
    ['no process', own(55, null)],
    ['another process of Redis', own(55, 'def')],
  ])('proves nothing by a marker with %s', async (_what, marker) => {
    expect(await openingAt().opening.bridge([marker], true)).toBeNull();
  });

  it('goes on with what was heard before the marker, where that is all that the log lacks', async () => {
    // The marker is the third that was heard.
    const found = await openingAt().opening.bridge([own(57)], true);
    expect(found).toEqual({ marker: own(57), at: { epoch: EPOCH, index: 13 }, before: 2 });
    // Some of it may be in the log already, so that something else is missing.
    expect(await openingAt().opening.bridge([own(57)], false)).toBeNull();
    expect(await openingAt().opening.bridge([own(58)], true)).toBeNull();
  });

  it('proves nothing from where it was not read to, or is gone', async () => {
    expect(await openingAt({ head: { epoch: EPOCH, index: 11 } }).opening.bridge([own(55)], true)).toBeNull();
    expect(
      await openingAt({ head: { epoch: EPOCH + 1, index: 1 } }).opening.bridge([own(55)], true),
    ).toBeNull();
    expect(await openingAt({ head: null }).opening.bridge([own(55)], true)).toBeNull();
  });

  it('takes whichever marker proves it, also of another node', async () => {
    const other = { ...own(55), nonce: 'of another', count: 2 };
    expect(await openingAt().opening.bridge([other, own(56)], true)).toEqual({
      marker: other,
      at: NEXT,
      before: 0,
    });
  });

  it('proves nothing any more once a stranger has written to it', async () => {
    const { opening } = openingAt();
    opening.sawForeign();
    expect(await opening.bridge([own(55)], true)).toBeNull();
    await opening.open(own(55), false);
    expect(await opening.bridge([own(55)], true)).not.toBeNull();
  });

  it('begins anew with the own marker as its second entry', async () => {
    const { opening, opened } = openingAt();
    expect(await opening.open(own(56), false)).toEqual({
      marker: own(56),
      at: { epoch: EPOCH + 1, index: 2 },
      before: 0,
    });
    expect(opened).toEqual([{ epoch: EPOCH, index: 10 }]);
  });

  it('does not begin anew beyond what was read: the own marker may stand there', async () => {
    const { opening, opened } = openingAt({ head: { epoch: EPOCH, index: 11 } });
    expect(await opening.open(own(56), false)).toBeNull();
    expect(opened).toEqual([]);
  });

  it('begins anew where it went back, as after a failover', async () => {
    const { opening, opened } = openingAt({ head: { epoch: EPOCH, index: 8 } });
    expect(await opening.open(own(56), false)).not.toBeNull();
    expect(opened).toEqual([{ epoch: EPOCH, index: 8 }]);
  });

  it('waits, while there is one, where it only may be gone', async () => {
    expect(await openingAt().opening.open(own(56), true)).toBeNull();
    expect(await openingAt({ head: null }).opening.open(own(56), true)).not.toBeNull();
  });

  it('has nobody to wait for in another process of Redis, or where there never was one', () => {
    expect(openingAt().opening.nobodyCanBeAligned(own(1, 'def'))).toBe(true);
    expect(openingAt().opening.nobodyCanBeAligned(own(1))).toBe(false);
    expect(openingAt().opening.nobodyCanBeAligned(own(1, null))).toBe(false);
    // Another node has begun anew a moment ago: three nodes would begin three epochs.
    const begun = openingAt({ place: { epoch: EPOCH + 1, index: 1 } });
    expect(begun.opening.nobodyCanBeAligned(own(1, 'def'))).toBe(false);
    expect(openingAt({ place: { epoch: 0, index: 0 } }).opening.nobodyCanBeAligned(own(1))).toBe(true);
  });
});
