import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { CLUSTERS_OF_MASTERS, CLUSTERS_OF_NODES, type Cluster } from '../support/clusters.ts';
import { DOORS, type User, type Visitor } from '../support/doors.ts';

const ada: User = { id: 11, name: 'ada' };
const bob: User = { id: 12, name: 'bob' };
const eve: User = { id: 13, name: 'eve' };

/** Where the engine is what is new, one door of each kind will do: they are alike on what one Redis holds. */
const FEW_DOORS = DOORS.filter(({ name }) => /^(raw|Echo on socket.io-client 4$|.*connector)/.test(name));
const ROWS = [
  ...CLUSTERS_OF_NODES.map((kind) => ({ name: kind.name, kind, doors: DOORS })),
  ...CLUSTERS_OF_MASTERS.map((kind) => ({ name: kind.name, kind, doors: FEW_DOORS })),
];

/** One list for every door, as the one who comes and as the one who is there. */
describe.each(ROWS)('one room $name', ({ kind, doors }) => {
  let auth: AuthEndpoint;
  let cluster: Cluster;
  let rooms = 0;
  const visitors: Visitor[] = [];
  const newRoom = () => `chat:story${++rooms}`;

  beforeAll(async () => {
    auth = await startAuthEndpoint();
    cluster = await kind.start({ YAMABIKO_AUTH_URL: auth.url });
  });
  afterEach(async () => {
    await Promise.all(visitors.splice(0).map((visitor) => visitor.leave()));
    await cluster.settledToZero();
  });
  afterAll(async () => {
    await cluster?.stop();
    await auth?.stop();
  });

  async function enter(
    door: (typeof DOORS)[number],
    room: string,
    user: User,
    { url } = cluster.server,
  ): Promise<Visitor> {
    const visitor = await door.enter(url, room, user);
    visitors.push(visitor);
    return visitor;
  }

  describe.each(doors)('by $name', (door) => {
    it('shows who comes in himself, and each user once', async () => {
      const room = newRoom();
      expect((await enter(door, room, ada)).list).toEqual(['ada']);
      expect((await enter(door, room, ada)).list).toEqual(['ada']);
    });

    it('hears a message that Laravel publishes on the custom channel, from the system user', async () => {
      const room = newRoom();
      const visitor = await enter(door, room, ada);
      await cluster.publish(
        'broadcast',
        JSON.stringify({ channel: room, data: { message: 'hi', name: 'Laravel' }, type: 'message' }),
      );
      expect(await visitor.heard.next()).toEqual({
        type: 'message',
        sender: { id: 0, name: 'system' },
        data: { message: 'hi', name: 'Laravel' },
      });
    });

    it('gets a message for one user only if it is for him', async () => {
      const room = newRoom();
      const visitor = await enter(door, room, ada);
      const to = (target_user_id: number | null, message: string) =>
        cluster.publish(
          'broadcast',
          JSON.stringify({ channel: room, data: { message, name: 'L', target_user_id } }),
        );
      await to(bob.id, 'for bob');
      await to(ada.id, 'for ada');
      await to(null, 'for all');
      expect(await visitor.heard.next()).toMatchObject({ data: { message: 'for ada', name: 'L' } });
      expect(await visitor.heard.next()).toMatchObject({ data: { message: 'for all', name: 'L' } });
    });
  });

  describe.each(doors)('who is there by $name', (door) => {
    it.each(doors)('hears who comes by $name come, send and leave, once', async (other) => {
      const room = newRoom();
      const host = await enter(door, room, ada);
      const guest = await enter(other, room, bob, cluster.guestServer);
      expect([...guest.list].sort()).toEqual(['ada', 'bob']);
      expect(await host.heard.next()).toEqual({ type: 'joined', user: 'bob' });
      if (other.sends) {
        expect(await guest.send({ message: 'hello', name: 'bob' })).toBe('ok');
        const message = {
          type: 'message',
          sender: { id: 12, name: 'bob' },
          data: { message: 'hello', name: 'bob' },
        };
        expect(await host.heard.next()).toEqual(message);
        expect(await guest.heard.next()).toEqual(message);
      }
      // A second connection of the same user is no news, nor is its end.
      const second = await enter(other, room, bob);
      await second.leave();
      const third = await enter(door, room, eve);
      expect([...third.list].sort()).toEqual(['ada', 'bob', 'eve']);
      expect(await host.heard.next()).toEqual({ type: 'joined', user: 'eve' });
      await guest.leave();
      expect(await host.heard.next()).toEqual({ type: 'left', user: 'bob' });
      // Whatever came twice or late would stand before this.
      await cluster.publish(
        'broadcast',
        JSON.stringify({ channel: room, data: { message: 'last', name: 'L' } }),
      );
      expect(await host.heard.next()).toMatchObject({ data: { message: 'last' } });
      expect(host.heard.unread()).toEqual([]);
    });
  });
});
