import { describe, expect, it, onTestFinished } from 'vitest';
import { DOORS, type Door, type User } from '../support/doors.ts';
import { patience } from '../support/event-queue.ts';
import { Nodes } from '../support/nodes.ts';
import { Onlooker, orderFault } from '../support/onlooker.ts';
import { until } from '../support/yamabiko.ts';

// 300 clients and three nodes share this process.
patience.ms = 45_000;

const ROOM = 'chat:truth';
const userOf = (id: number): User => ({ id, name: `user${id}` });
const doorOf = (index: number) => DOORS[index % DOORS.length] as Door;
const sorted = (names: Iterable<string>) => [...names].sort();

/** Every faults of all, and nothing where everybody was told the truth. */
const faultsOf = (onlookers: readonly Onlooker[]) => onlookers.flatMap(({ faults }) => faults);

describe('300 users who come at once to three nodes by every door', { timeout: 120_000 }, () => {
  it('see each other exactly once, all in one order', async () => {
    const nodes = await Nodes.open(3);
    const first = new Onlooker(await doorOf(0).enter(nodes.url(0), ROOM, userOf(1)));
    const others = await Promise.all(
      Array.from({ length: 299 }, async (_, i) => {
        // One in eight by polling would be all that the machine does: the doors differ by what they are told.
        const door = websocketDoorOf(i);
        return new Onlooker(await door.enter(nodes.url(i), ROOM, userOf(i + 2)));
      }),
    );
    const all = [first, ...others];
    onTestFinished(() => leaveAll(all));
    const everybody = sorted(all.map(({ visitor }) => visitor.user.name));
    const seen = () => all.filter((one) => one.look().shown.size >= everybody.length).length;
    await until(
      () => seen() === all.length,
      () => `everybody sees everybody (${seen()} do)`,
      30_000,
    );
    await nodes.publish(ROOM, 'the end');
    const ended = () => all.filter((one) => one.look().story.at(-1) === 'system: the end').length;
    await until(() => ended() === all.length, 'everybody has heard the end');
    expect(faultsOf(all)).toEqual([]);
    for (const one of all) expect(one.names()).toEqual(everybody);
    // What is in the list is not announced: the list and the announcements make everybody once.
    for (const { visitor, story } of all)
      expect(story.filter((line) => line.startsWith('joined')).length).toBe(300 - visitor.list.length);
    expect(others.map((one) => orderFault(first, one)).filter((fault) => fault !== null)).toEqual([]);
    for (const index of [0, 1, 2]) expect(await nodes.members(ROOM, index)).toHaveLength(300);
    await leaveAll(all);
    await nodes.settledToZero();
  });
});

describe('All who are in a room, on three nodes by every door,', { timeout: 60_000 }, () => {
  it('hear one order of messages, comings and leavings, whoever causes them', async () => {
    const nodes = await Nodes.open(3);
    const all: Onlooker[] = [];
    onTestFinished(() => leaveAll(all));
    // Each door on each node.
    for (const node of [0, 1, 2])
      for (const door of DOORS)
        all.push(new Onlooker(await door.enter(nodes.url(node), ROOM, userOf(all.length + 1))));
    const senders = all.filter(({ visitor }) => doorNamed(visitor.user, all).sends);
    const guests = Array.from({ length: 12 }, async (_, i) => {
      const guest = await doorOf(i).enter(nodes.url(i), ROOM, userOf(500 + i));
      await guest.leave();
    });
    const sent = senders.map(async ({ visitor }, i) => {
      for (let n = 0; n < 4; n++) {
        const outcome = await visitor.send({ message: `${i}-${n}`, name: 'x' });
        expect(outcome).toBe('ok');
      }
    });
    const published = Array.from({ length: 20 }, (_, i) => nodes.publish(ROOM, `Laravel ${i}`));
    await Promise.all([...guests, ...sent, ...published]);
    const names = sorted(all.map(({ visitor }) => visitor.user.name));
    await until(
      () => all.every((one) => one.look().names().join() === names.join()),
      'all guests have left for everybody',
    );
    await nodes.publish(ROOM, 'the end');
    await until(() => all.every((one) => one.look().story.at(-1) === 'system: the end'), 'the end');
    expect(faultsOf(all)).toEqual([]);
    const [first, ...others] = all as [Onlooker, ...Onlooker[]];
    expect(others.map((one) => orderFault(first, one)).filter((fault) => fault !== null)).toEqual([]);
    expect(first.story.filter((line) => /^user\d+: /.test(line))).toHaveLength(senders.length * 4);
    expect(first.story.filter((line) => line.startsWith('system: Laravel'))).toHaveLength(20);
    await leaveAll(all);
    await nodes.settledToZero();
  });
});

const WEBSOCKET_DOORS = DOORS.filter(({ name }) => !name.includes('polling'));
const websocketDoorOf = (index: number) => WEBSOCKET_DOORS[index % WEBSOCKET_DOORS.length] as Door;

/** By which door somebody of the second story came: they came in the doors' order, node by node. */
function doorNamed(user: User, all: readonly Onlooker[]): Door {
  return doorOf(all.findIndex(({ visitor }) => visitor.user === user));
}

async function leaveAll(all: Onlooker[]): Promise<void> {
  await Promise.all(all.splice(0).map(({ visitor }) => visitor.leave()));
}
