import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../server/broker/bus/bus.ts';
import { decodeRoomEnvelope } from '../../server/broker/bus/room-envelope.ts';
import type { Roster, RosterSnapshot, Seat } from '../../server/broker/roster/roster.ts';
import { createMember } from '../../server/domain/member.ts';
import { Heard } from './heard.ts';

export interface OpenRoster {
  readonly roster: Roster;
  /** Another node's roster on the same store, or the same one where there are no others. */
  readonly other: Roster;
  readonly bus: Bus;
  readonly stop: () => Promise<void>;
}

export function seat(id: string, userId: number | string = id, info = '{"name":"N"}'): Seat {
  const userIdJson = JSON.stringify(userId);
  return { id, member: createMember({ userIdJson, userInfoJson: info, socketId: `public-${id}` }) };
}

export function users(snapshot: RosterSnapshot): string[] {
  return snapshot.members.map((member) => member.userId).sort();
}

export interface Announced {
  readonly type: string;
  readonly userId: string;
  readonly revision: number;
  readonly json: string;
}

/** The presence announcements heard on a room, in their order. */
export function announcements(heard: Heard, room: string): Announced[] {
  return heard.on(room).flatMap((text) => {
    const envelope = decodeRoomEnvelope(text, JSON.parse(text) as Record<string, unknown>);
    if (envelope === null || envelope.type === 'message') return [];
    const { type, revision, member } = envelope;
    return [{ type, userId: member.userId, revision, json: member.json }];
  });
}

/** `joined 1`, `left 1`... */
export function story(heard: Heard, room: string): string[] {
  return announcements(heard, room).map(({ type, userId }) => `${type} ${userId}`);
}

/** What every roster must do (server/broker/roster.ts); the numbers are the contract's. */
export function describeRoster(name: string, open: (heard: Heard) => Promise<OpenRoster>): void {
  describe(`${name}, as every roster,`, () => {
    let heard: Heard;
    let roster: Roster;
    let other: Roster;
    let bus: Bus;
    let stop: () => Promise<void>;

    beforeEach(async () => {
      heard = new Heard();
      ({ roster, other, bus, stop } = await open(heard));
      await bus.follow('room');
    });
    afterEach(() => stop());

    async function fence(): Promise<void> {
      const count = heard.on('broadcast').length;
      await bus.publish('broadcast', 'fence');
      await heard.payloads('broadcast', count + 1);
    }

    it('gives a room that nobody is in as empty', async () => {
      expect((await roster.members('room')).members).toEqual([]);
    });

    it('announces the first seat of a user, with the revision that its answer bears (1, 2)', async () => {
      const answer = await roster.enter('room', seat('a', 1));
      await fence();
      expect(users(answer)).toEqual(['1']);
      expect(announcements(heard, 'room')).toEqual([
        { type: 'joined', userId: '1', revision: answer.revision, json: seat('a', 1).member.json },
      ]);
      expect(await other.members('room')).toEqual(answer);
    });

    it("announces neither a user's second seat nor the leaving of any but the last (2)", async () => {
      await roster.enter('room', seat('a', 1));
      const second = await other.enter('room', seat('b', 1));
      expect(users(second)).toEqual(['1']);
      await roster.leave('room', 'a');
      await fence();
      expect(story(heard, 'room')).toEqual(['joined 1']);
      await other.leave('room', 'b');
      await fence();
      expect(story(heard, 'room')).toEqual(['joined 1', 'left 1']);
      expect((await roster.members('room')).members).toEqual([]);
    });

    it("keeps what a user's first seat brought until its last one leaves (4)", async () => {
      const first = seat('a', 1, '{"name":"First"}');
      await roster.enter('room', first);
      const answer = await other.enter('room', seat('b', 1, '{"name":"Second"}'));
      expect(answer.members.map((m) => m.json)).toEqual([first.member.json]);
      await roster.leave('room', 'a');
      await other.leave('room', 'b');
      await fence();
      expect(announcements(heard, 'room').map((a) => a.json)).toEqual([first.member.json, first.member.json]);
    });

    it('takes the same seat twice as one (5)', async () => {
      const first = await roster.enter('room', seat('a', 1));
      expect(await roster.enter('room', seat('a', 1))).toEqual(first);
      await roster.leave('room', 'a');
      await roster.leave('room', 'a');
      await fence();
      expect(story(heard, 'room')).toEqual(['joined 1', 'left 1']);
      expect(roster.seatCount()).toBe(0);
    });

    it('takes the leaving of an unknown seat as none', async () => {
      await roster.leave('room', 'nobody');
      await roster.enter('room', seat('a', 1));
      await roster.leave('room', 'nobody');
      await fence();
      expect(story(heard, 'room')).toEqual(['joined 1']);
    });

    it('gives each change a higher revision, also after the room was empty (3)', async () => {
      for (let round = 0; round < 5; round++) {
        await roster.enter('room', seat('a', 1));
        await other.enter('room', seat('b', 2));
        await roster.leave('room', 'a');
        await other.leave('room', 'b');
      }
      await fence();
      const revisions = announcements(heard, 'room').map((a) => a.revision);
      expect(revisions).toHaveLength(20);
      expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
      expect((await roster.members('room')).revision).toBeGreaterThanOrEqual(Math.max(...revisions));
    });

    it('leaves every byte of a member as it is: large ids, {} and [], floats', async () => {
      const info = '{"id":9007199254740993,"a":{},"b":[],"c":10.0,"n":"山びこ \\u2028"}';
      const member = createMember({
        userIdJson: '9223372036854775807',
        userInfoJson: info,
        socketId: '1.2',
      });
      const answer = await roster.enter('room', { id: 'a', member });
      expect(answer.members).toEqual([member]);
      await roster.leave('room', 'a');
      await fence();
      expect(announcements(heard, 'room').map((a) => a.json)).toEqual([member.json, member.json]);
    });

    it('counts 0 and strings as users, and 1 and "1" as the same', async () => {
      await roster.enter('room', seat('a', 0));
      await roster.enter('room', seat('b', 'constructor'));
      await roster.enter('room', seat('c', 1));
      expect(users(await roster.enter('room', seat('d', '1')))).toEqual(['0', '1', 'constructor']);
    });

    it('keeps rooms apart, whatever their names hold', async () => {
      const rooms = ['room', 'room:1', '{room}', '{', '}{', 'r*', '通知', '__proto__', 'a|b', 'room:seats'];
      for (const [i, name] of rooms.entries()) {
        await bus.follow(name);
        expect(users(await roster.enter(name, seat('same-id', i)))).toEqual([String(i)]);
      }
      expect(roster.seatCount()).toBe(rooms.length);
      for (const name of rooms) await roster.leave(name, 'same-id');
      await fence();
      for (const [i, name] of rooms.entries())
        expect(story(heard, name)).toEqual([`joined ${i}`, `left ${i}`]);
    });

    it('gives 300 who come at once a full list each, and announces each user once (1, 2)', async () => {
      const answers = await Promise.all(
        Array.from({ length: 300 }, (_, i) => {
          const at = i % 2 === 0 ? roster : other;
          return at.enter('room', seat(`s${i}`, Math.floor(i / 2)));
        }),
      );
      await fence();
      const joined = announcements(heard, 'room');
      expect(joined).toHaveLength(150);
      for (const { members, revision } of answers) {
        const expected = joined.filter((a) => a.revision <= revision).map((a) => a.userId);
        expect(users({ members, revision })).toEqual(expected.sort());
      }
      expect(users(await other.members('room'))).toHaveLength(150);
    });

    it('restores nothing where nothing is lost', async () => {
      await roster.enter('room', seat('a', 1));
      await roster.restore();
      await fence();
      expect(story(heard, 'room')).toEqual(['joined 1']);
    });

    it('gives its seats up when it stops, announced', async () => {
      await roster.enter('room', seat('a', 1));
      await roster.enter('room', seat('b', 2));
      await roster.stop();
      await fence();
      expect(story(heard, 'room').sort()).toEqual(['joined 1', 'joined 2', 'left 1', 'left 2']);
      expect(roster.seatCount()).toBe(0);
    });
  });
}
