import { describe, expect, it, onTestFinished } from 'vitest';
import { DOORS, type User } from '../support/doors.ts';
import { Nodes } from '../support/nodes.ts';
import { Onlooker } from '../support/onlooker.ts';
import { until } from '../support/yamabiko.ts';

const ROOM = 'chat:foreign';
const PREFIX = 'laravel_database_';
const userOf = (id: number): User => ({ id, name: `user${id}` });

/** What @socket.io/redis-adapter takes as a request, and what it does with garbage. */
const FOREIGN: readonly (string | Buffer)[] = [
  '',
  'garbage',
  '{',
  'null',
  '[]',
  '{}',
  // msgpack's nil: the adapter reads a property of it.
  Buffer.from([0xc0]),
  '{"type":5}',
  '{"type":6}',
  '{"type":6,"uid":"x","requestId":"1"}',
  '{"type":6,"uid":"x","requestId":"1","data":["error",{}]}',
  '{"type":6,"uid":"x","requestId":"1","data":["connection",{}]}',
  '{"type":6,"uid":"x","requestId":"1","data":["yamabiko:endUser",{"userId":7}]}',
  '{"type":6,"uid":"x","requestId":"1","data":["yamabiko:of a later version",null]}',
  '{"type":4,"opts":{"rooms":[],"except":[]},"close":true}',
  '{"type":7,"requestId":"1","opts":{"rooms":[],"except":[]},"packet":{"type":2,"nsp":"/","data":["message","x"]}}',
];

/** Envelopes on a room's channel that no node of this version writes. */
const ENVELOPES = [
  '{"yamabiko":"of a later version","revision":1}',
  '{"yamabiko":7}',
  '{"yamabiko":"joined","revision":"7","member":{"user_id":9}}',
  '{"yamabiko":"joined","revision":1e300,"member":{"user_id":9}}',
  '{"yamabiko":"joined","revision":7}',
  '{"yamabiko":"left","revision":7,"member":"nobody"}',
  '{"yamabiko":"message","ref":7,"sender":{},"data":[]}',
  '{"yamabiko":"joined",',
];

describe('What no node of ours has published', { timeout: 60_000 }, () => {
  it('on the channels on which nodes speak to each other is dropped, told, counted and survived', async () => {
    const nodes = await Nodes.open(2);
    const all: Onlooker[] = [];
    onTestFinished(async () => void (await Promise.all(all.map(({ visitor }) => visitor.leave()))));
    for (const [i, door] of DOORS.entries())
      all.push(new Onlooker(await door.enter(nodes.url(i), ROOM, userOf(i + 1))));
    const channels = (await nodes.redis.client.pubsub('CHANNELS', '*')) as string[];
    const internal = channels.filter((channel) => channel.startsWith(`${PREFIX}#`));
    // Each node's probe, and the adapter's questions and answers.
    expect(internal.length).toBeGreaterThanOrEqual(4);
    for (const channel of internal)
      for (const payload of FOREIGN) await nodes.redis.client.publish(channel, payload);
    for (const payload of ENVELOPES) await nodes.redis.client.publish(PREFIX + ROOM, payload);
    await nodes.publish(ROOM, 'the end');
    await until(() => all.every((one) => one.look().story.at(-1) === 'system: the end'), 'the end is heard');
    for (const one of all) {
      expect(one.faults).toEqual([]);
      expect(one.story.filter((line) => !line.startsWith('joined'))).toEqual(['system: the end']);
    }
    for (const [i, server] of nodes.servers.entries()) {
      // Of the two with the names of our questions the adapter is told; it takes them for nothing.
      await until(
        async () =>
          (await server.metric('yamabiko_dropped_total', { source: 'peers' })) >= FOREIGN.length - 2,
        'foreign messages are counted',
      );
      expect(await server.metric('yamabiko_dropped_total', { reason: 'bad_envelope' })).toBe(
        ENVELOPES.length - 1,
      );
      expect(await server.metric('yamabiko_dropped_total', { reason: 'not_json' })).toBe(1);
      expect(server.log).toContainEqual(
        expect.objectContaining({ level: 'warn', message: expect.stringContaining('nodes ask each other') }),
      );
      expect(await nodes.members(ROOM, i)).toHaveLength(DOORS.length);
      expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
    }
    // They can still ask each other.
    const status = await fetch(`${nodes.url(0)}/apps/app/status`, {
      headers: { authorization: 'Bearer key' },
    });
    expect(await status.json()).toMatchObject({ subscription_count: DOORS.length });
    expect(nodes.servers.flatMap(({ log }) => log.filter(({ level }) => level === 'error'))).toEqual([]);
    await Promise.all(all.splice(0).map(({ visitor }) => visitor.leave()));
    await nodes.settledToZero();
  });
});
