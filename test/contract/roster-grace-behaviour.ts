import { afterEach, describe, expect, it } from 'vitest';
import { Heard, until } from './heard.ts';
import { announcements, type OpenRoster, seat, story, users } from './roster-behaviour.ts';

const LINGER = { linger: true };
/** So long that nothing ends by it within a test. */
const LONG_MS = 300_000;
const SHORT_MS = 150;

/** What every roster must do with a grace (server/broker/roster.ts, number 2). */
export function describeGrace(
  name: string,
  open: (heard: Heard, graceMs: number) => Promise<OpenRoster>,
): void {
  describe(`${name}, with a grace,`, () => {
    const heard = { current: new Heard() };
    let stop = async () => {};
    afterEach(() => stop());

    async function opened(graceMs: number): Promise<OpenRoster> {
      heard.current = new Heard();
      const made = await open(heard.current, graceMs);
      stop = made.stop;
      await made.bus.follow('room');
      return made;
    }

    const told = () => story(heard.current, 'room');

    async function fence({ bus }: OpenRoster): Promise<void> {
      const count = heard.current.on('broadcast').length;
      await bus.publish('broadcast', 'fence');
      await heard.current.payloads('broadcast', count + 1);
    }

    it('announces neither leaving nor joining of who comes back within it, on any node', async () => {
      const opens = await opened(LONG_MS);
      const { roster, other } = opens;
      const first = seat('a', 1, '{"name":"First"}');
      await roster.enter('room', first);
      await roster.leave('room', 'a', LINGER);
      expect((await other.members('room')).members).toEqual([first.member]);
      expect(roster.seatCount()).toBe(0);
      const back = await other.enter('room', seat('b', 1, '{"name":"Second"}'));
      expect(back.members).toEqual([first.member]);
      await other.leave('room', 'b', LINGER);
      await roster.enter('room', seat('c', 1));
      await fence(opens);
      expect(told()).toEqual(['joined 1']);
    });

    it('announces the leaving once after it, with what he first brought', async () => {
      const opens = await opened(SHORT_MS);
      const { roster, other } = opens;
      await roster.enter('room', seat('stays', 2));
      await roster.enter('room', seat('a', 1, '{"name":"First"}'));
      await roster.leave('room', 'a', LINGER);
      await until(() => told().includes('left 1'), 'user 1 has left');
      await fence(opens);
      expect(told()).toEqual(['joined 2', 'joined 1', 'left 1']);
      expect(announcements(heard.current, 'room').at(-1)?.json).toBe(
        seat('a', 1, '{"name":"First"}').member.json,
      );
      expect(users(await other.members('room'))).toEqual(['2']);
      // Really gone: what he brings now holds, and is news.
      await other.enter('room', seat('b', 1, '{"name":"Second"}'));
      await fence(opens);
      expect(announcements(heard.current, 'room').at(-1)).toMatchObject({
        type: 'joined',
        json: seat('b', 1, '{"name":"Second"}').member.json,
      });
    });

    it('lets who says that he leaves go at once, lingering seats of his or not', async () => {
      const opens = await opened(LONG_MS);
      const { roster, other } = opens;
      await roster.enter('room', seat('a', 1));
      await other.enter('room', seat('b', 1));
      await roster.leave('room', 'a', LINGER);
      await other.leave('room', 'b');
      await fence(opens);
      expect(told()).toEqual(['joined 1', 'left 1']);
      expect(users(await roster.members('room'))).toEqual([]);
    });

    it('lets the last seat decide: he who keeps one does not linger', async () => {
      const opens = await opened(SHORT_MS);
      const { roster, other } = opens;
      await roster.enter('room', seat('a', 1));
      await other.enter('room', seat('b', 1));
      await roster.leave('room', 'a', LINGER);
      // Somebody else's end of grace comes later than his would.
      await roster.enter('room', seat('c', 2));
      await roster.leave('room', 'c', LINGER);
      await until(() => told().includes('left 2'), 'user 2 has left');
      expect(told()).not.toContain('left 1');
      expect(users(await other.members('room'))).toEqual(['1']);
    });

    it('gives who came back the whole grace again', async () => {
      const opens = await opened(1_000);
      const { roster, other } = opens;
      await roster.enter('room', seat('a', 1));
      await roster.leave('room', 'a', LINGER);
      await other.enter('room', seat('b', 1));
      await roster.enter('room', seat('c', 2));
      await roster.leave('room', 'c', LINGER);
      await until(() => told().includes('left 2'), 'user 2 has left');
      expect(told()).not.toContain('left 1');
      await other.leave('room', 'b', LINGER);
      await until(() => told().includes('left 1'), 'user 1 has left');
      await fence(opens);
      expect(told()).toEqual(['joined 1', 'joined 2', 'left 2', 'left 1']);
    });

    it('tells each of many who linger in many rooms once', async () => {
      const opens = await opened(SHORT_MS);
      const { roster, other } = opens;
      const rooms = ['room', 'r1', 'r2', 'r3'];
      for (const name of rooms.slice(1)) await opens.bus.follow(name);
      for (const name of rooms)
        for (let i = 0; i < 20; i++) await (i % 2 ? roster : other).enter(name, seat(`s${i}`, i));
      for (const name of rooms)
        for (let i = 0; i < 20; i++) await (i % 2 ? roster : other).leave(name, `s${i}`, LINGER);
      for (const name of rooms)
        await until(() => story(heard.current, name).length === 40, `everybody has left ${name}`);
      await fence(opens);
      for (const name of rooms) {
        const left = story(heard.current, name).slice(20);
        expect([...left].sort()).toEqual(Array.from({ length: 20 }, (_, i) => `left ${i}`).sort());
        expect((await roster.members(name)).members).toEqual([]);
      }
    });
  });
}
