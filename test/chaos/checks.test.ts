import { beforeEach, describe, expect, it } from 'vitest';
import { EventCheck } from './event-check.ts';
import { Journal } from './journal.ts';
import { PresenceCheck } from './presence-check.ts';
import { Recorder } from './report.ts';
import { Sight, type SightOptions } from './sight.ts';

const NOW = Date.now();
const QUIET_NODE = { name: 'A1', endingAt: null, told: () => false, frozeIn: () => false, leaseLosses: [] };

const sightOf = (options: Partial<SightOptions> = {}) =>
  new Sight({
    client: 'c00',
    wire: 'private-chat:1',
    kind: 'private',
    raw: false,
    userId: '100',
    named: true,
    socketId: '1.1',
    node: QUIET_NODE,
    list: null,
    at: NOW,
    ...options,
  });

let recorder: Recorder;
let journal: Journal;
let events: EventCheck;
let presence: PresenceCheck;

beforeEach(() => {
  recorder = new Recorder(() => {});
  journal = new Journal('redis://127.0.0.1:1', '', []);
  events = new EventCheck(journal, recorder, () => '');
  presence = new PresenceCheck(
    recorder,
    () => '',
    () => new Set(['100', '101', '102']),
  );
});

describe('events: the check', () => {
  /** Publishes numbers 1 to n on the channel, a millisecond apart, from `NOW` on. */
  const publish = (n: number, socket: string | null = null) => {
    for (let i = 1; i <= n; i++)
      journal.take(
        'private-chat:1',
        JSON.stringify({ event: 'E', data: { message: `L:${i}` }, socket }),
        NOW + 10 + i,
      );
  };
  const hear = (sight: Sight, ...numbers: number[]) => {
    for (const i of numbers) events.arrived(sight, `L:${i}@private-chat:1`);
    events.settle(sight);
  };

  it('is content with everything once and in order, and with what was before the first', () => {
    publish(4);
    hear(sightOf(), 1, 2, 3, 4);
    hear(sightOf({ at: NOW + 100 }), 3, 4);
    expect(recorder.violations).toEqual({});
  });

  it('sees one that is missing', () => {
    publish(4);
    hear(sightOf(), 1, 2, 4);
    expect(recorder.violations).toEqual({ 'lost silently': 1 });
  });

  it('sees the last one missing where the client is still there, not where it was cut', () => {
    publish(4);
    hear(sightOf(), 1, 2, 3);
    expect(recorder.violations).toEqual({ 'lost silently': 1 });
    const cut = sightOf();
    cut.endedAt = NOW + 20;
    hear(cut, 1, 2, 3);
    expect(recorder.violations).toEqual({ 'lost silently': 1 });
  });

  it('sees that nothing came for long before a cut', () => {
    publish(4);
    const cut = sightOf();
    cut.endedAt = NOW + 60_000;
    hear(cut, 1);
    expect(recorder.violations).toEqual({ 'lost silently': 3 });
  });

  it('counts apart what the node has told', () => {
    publish(4);
    const sight = sightOf({ node: { ...QUIET_NODE, told: () => true } });
    events.arrived(sight, 'L:1@private-chat:1');
    events.toldOfGap(sight);
    hear(sight, 4);
    expect(recorder.violations).toEqual({});
    expect(recorder.counts['events lost in a told gap']).toBe(2);
  });

  it('sees that a client was not told of a gap, or not at its place', () => {
    publish(4);
    const node = { ...QUIET_NODE, told: () => true };
    hear(sightOf({ node }), 1, 4);
    expect(recorder.violations).toEqual({ 'gap not told to client': 2 });
    const late = sightOf({ node });
    for (const i of [1, 4]) events.arrived(late, `L:${i}@private-chat:1`);
    events.toldOfGap(late);
    hear(late);
    expect(recorder.violations).toEqual({ 'gap not told to client': 4 });
    hear(sightOf({ node, raw: true, kind: 'token', wire: 'chat:1' }));
    expect(recorder.violations).toEqual({ 'gap not told to client': 4 });
  });

  it('sees one that comes twice, at once or after a quiet point', () => {
    publish(3);
    const sight = sightOf();
    hear(sight, 1, 2, 2, 3);
    expect(recorder.violations).toEqual({ repeated: 1 });
    hear(sight, 2);
    expect(recorder.violations).toEqual({ repeated: 1, 'out of order': 1 });
  });

  it('sees a wrong order', () => {
    publish(3);
    hear(sightOf(), 1, 3, 2);
    expect(recorder.violations).toEqual({ 'out of order': 1 });
  });

  it('sees what was never published, and what was for others', () => {
    publish(1, '1.1');
    hear(sightOf(), 7);
    expect(recorder.violations).toEqual({ 'never published': 1 });
    hear(sightOf(), 1);
    expect(recorder.violations).toEqual({ 'never published': 1, misdelivered: 1 });
  });

  it('owes a targeted message to its user alone', () => {
    journal.take(
      'broadcast',
      JSON.stringify({ channel: 'chat:1', data: { message: 'L:1', target_user_id: 101 } }),
    );
    events.settle(sightOf());
    expect(recorder.violations).toEqual({});
    events.settle(sightOf({ userId: '101' }));
    expect(recorder.violations).toEqual({ 'lost silently': 1 });
  });
});

describe('presence: the check', () => {
  const inRoom = (userId: string, list: readonly string[], at = NOW) => {
    const sight = sightOf({ wire: 'presence-chat:1', kind: 'presence', userId, list, at });
    presence.opened(sight);
    return sight;
  };

  it('is content with who comes and goes', () => {
    const sight = inRoom('100', ['100']);
    const other = inRoom('101', ['100', '101']);
    presence.joined(sight, '101');
    expect(presence.differences()).toEqual([]);
    other.endedAt = NOW + 1;
    presence.left(sight, '101', NOW + 2);
    expect(presence.differences()).toEqual([]);
    expect(recorder.violations).toEqual({});
  });

  it('sees announcements of who is shown, of who is not, of strangers, and of oneself', () => {
    const sight = inRoom('100', ['100', '101']);
    presence.joined(sight, '101');
    presence.left(sight, '102');
    presence.joined(sight, '999');
    presence.left(sight, '100');
    inRoom('102', ['100']);
    expect(recorder.violations).toEqual({
      'joined though shown': 1,
      'left though not shown': 1,
      'stranger shown': 1,
      'shown own leaving': 1,
      'missing member': 1,
    });
  });

  it('sees ghosts and who is missing', () => {
    inRoom('100', ['100', '102']);
    inRoom('101', ['100', '101']);
    presence.settle();
    expect(recorder.violations).toEqual({ 'ghost member': 1, 'missing member': 1 });
  });

  const stays = (node: SightOptions['node']) => {
    const hearer = inRoom('100', ['100', '101']);
    const stayer = {
      wire: 'presence-chat:1',
      kind: 'presence',
      userId: '101',
      list: ['100', '101'],
    } as const;
    presence.opened(sightOf({ ...stayer, at: NOW - 60_000, node }));
    presence.left(hearer, '101', NOW);
    presence.joined(hearer, '101');
    presence.settle();
    return recorder.violations;
  };

  it('sees somebody leave who has been there all the while', () => {
    expect(stays({ ...QUIET_NODE, name: 'B1' })).toEqual({ 'stayer shown leaving': 1 });
  });

  it('takes it that others saw him leave whose node stood still', () => {
    expect(stays({ ...QUIET_NODE, name: 'B1', frozeIn: () => true })).toEqual({});
  });

  it('counts apart whose node lost its lease without any fault of ours', () => {
    expect(stays({ ...QUIET_NODE, name: 'B1', leaseLosses: [NOW + 100] })).toEqual({});
    expect(recorder.counts['stayers shown leaving whose node the machine starved']).toBe(1);
  });

  it('but not where Redis was hurt before', () => {
    presence.hurts.push({ from: NOW - 1_000, to: NOW - 500, still: false });
    expect(stays({ ...QUIET_NODE, name: 'B1', leaseLosses: [NOW + 100] })).toEqual({
      'stayer shown leaving': 1,
    });
  });

  it('counts apart whose other tab left a store that was emptied a moment ago, and only then', () => {
    const leaving = (emptied: boolean) => {
      recorder.violations['stayer shown leaving'] = 0;
      presence.hurts.splice(0, 1, { from: NOW - 1_000, to: NOW - 1_000, still: false, emptied });
      inRoom('101', ['100', '101'], NOW - 60_000);
      const tab = sightOf({
        client: 'c09',
        wire: 'presence-chat:1',
        kind: 'presence',
        userId: '101',
        list: ['101'],
      });
      presence.opened(tab);
      tab.endedAt = NOW;
      const hearer = inRoom('100', ['100', '101']);
      presence.left(hearer, '101', NOW);
      presence.joined(hearer, '101');
      presence.settle();
      return recorder.violations['stayer shown leaving'];
    };
    expect(leaving(true)).toBe(0);
    expect(leaving(false)).toBe(1);
  });
});
