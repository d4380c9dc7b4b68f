import { afterEach, describe, expect, it } from 'vitest';
import { Heard } from './heard.ts';
import { type OpenRoster, seat, story, users } from './roster-behaviour.ts';

const LINGER = { linger: true };

/** What every roster must do with a bound on a room (server/broker/roster.ts, number 6). */
export function describeFull(
  name: string,
  open: (heard: Heard, graceMs: number, maxMembers: number) => Promise<OpenRoster>,
): void {
  describe(`${name}, in a room of two users,`, () => {
    let heard = new Heard();
    let stop = async () => {};
    afterEach(() => stop());

    async function opened(graceMs = 0): Promise<OpenRoster> {
      heard = new Heard();
      const made = await open(heard, graceMs, 2);
      stop = made.stop;
      await made.bus.follow('room');
      for (const id of [1, 2]) await made.roster.enter('room', seat(`${id}`, id));
      return made;
    }

    /** What was announced until now. */
    async function told({ bus }: OpenRoster): Promise<readonly string[]> {
      const count = heard.on('broadcast').length;
      await bus.publish('broadcast', 'fence');
      await heard.payloads('broadcast', count + 1);
      return story(heard, 'room');
    }

    it('lets no third one in, on any node, and tells nobody of him', async () => {
      const opens = await opened();
      for (const at of [opens.roster, opens.other]) {
        expect((await at.enter('room', seat('third', 3))).full).toBe(true);
        await at.leave('room', 'third');
      }
      expect(users(await opens.roster.members('room'))).toEqual(['1', '2']);
      expect(opens.roster.seatCount()).toBe(2);
      expect(await told(opens)).toEqual(['joined 1', 'joined 2']);
    });

    it('lets those in by another seat who are shown, and those who linger back', async () => {
      const opens = await opened(300_000);
      expect((await opens.other.enter('room', seat('again', 1))).full).toBeUndefined();
      await opens.roster.leave('room', '2', LINGER);
      expect((await opens.other.enter('room', seat('third', 3))).full).toBe(true);
      expect((await opens.other.enter('room', seat('back', 2))).full).toBeUndefined();
      expect(await told(opens)).toEqual(['joined 1', 'joined 2']);
    });

    it('lets somebody in when another has left', async () => {
      const opens = await opened();
      await opens.roster.leave('room', '1');
      const snapshot = await opens.other.enter('room', seat('third', 3));
      expect(snapshot.full).toBeUndefined();
      expect(users(snapshot)).toEqual(['2', '3']);
      expect(await told(opens)).toEqual(['joined 1', 'joined 2', 'left 1', 'joined 3']);
    });
  });
}
