import { describe, expect, it, onTestFinished } from 'vitest';
import { DOORS, type Door, type User } from '../support/doors.ts';
import { patience } from '../support/event-queue.ts';
import { Nodes } from '../support/nodes.ts';
import { Onlooker } from '../support/onlooker.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { until } from '../support/yamabiko.ts';

patience.ms = 30_000;

const NODES = 3;
const USERS = 10;
const OPERATIONS = 300;
/** Operations that run at once: what is next to each other may overtake each other. */
const AT_ONCE = 5;
/** After so many operations everybody waits until all see the truth. */
const BETWEEN_TRUTHS = 30;
const MOST_SEATS = 24;

/** To run a churn again as it was: the seed that it printed. */
const SEED = Number(process.env.YAMABIKO_TEST_SEED ?? Date.now() % 1_000_000);

/** Users who come, go, open second tabs and come back, at random nodes by random doors. */
class Churn {
  readonly #nodes: Nodes;
  readonly #random: SeededRandom;
  readonly #room: string;
  readonly #here = new Set<Onlooker>();
  readonly #faults: string[] = [];
  /** What was done, for whoever has to find out why. */
  readonly done: string[] = [];

  constructor(nodes: Nodes, random: SeededRandom, room: string) {
    this.#nodes = nodes;
    this.#random = random;
    this.#room = room;
  }

  async step(): Promise<void> {
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#operation()));
    for (const one of this.#here) this.#faults.push(...one.look().faults.splice(0));
    expect(this.#faults, this.#story()).toEqual([]);
  }

  /** Everybody sees who is here, and so says each node's HTTP API. */
  async truth(): Promise<void> {
    const names = [...new Set([...this.#here].map(({ visitor }) => visitor.user.name))].sort();
    const wrong = () => [...this.#here].filter((one) => one.look().names().join() !== names.join());
    await until(
      () => wrong().length === 0,
      () =>
        `all see ${names}; not so ${wrong().map((one) => `${nameOf(one)}: ${one.names()}`)}${this.#story()}`,
      20_000,
    );
    for (let node = 0; node < NODES; node++) {
      const members = async () => (await this.#nodes.members(this.#room, node)).map((id) => `user${id}`);
      await until(
        async () => (await members()).sort().join() === names.join(),
        `node ${node} tells ${names}`,
      );
    }
  }

  /** Before all others: he stays, and so what he hears of each user must alternate. */
  host(): Promise<Onlooker> {
    return this.#enter({ id: 1, name: 'user1' });
  }

  async leaveAll(except: Onlooker | null = null): Promise<void> {
    await Promise.all([...this.#here].filter((one) => one !== except).map((one) => this.#leave(one)));
  }

  #operation(): Promise<unknown> {
    // The first is the host.
    const leavers = [...this.#here].slice(1);
    const one = this.#random.of(leavers);
    const kind = this.#random.of(['enter', 'enter', 'leave', 'come back', 'move'] as const);
    if (one === undefined || (kind === 'enter' && leavers.length < MOST_SEATS)) return this.#enter();
    const { user } = one.visitor;
    // A reload: the old connection ends and the new one comes, in whichever order they arrive.
    if (kind === 'come back') return Promise.all([this.#leave(one), this.#enter(user)]);
    if (kind === 'move') return this.#enter(user).then(() => this.#leave(one));
    return this.#leave(one);
  }

  async #enter(user = userOf(this.#random.below(USERS) + 2)): Promise<Onlooker> {
    const node = this.#random.below(NODES);
    const door = this.#random.of(DOORS) as Door;
    this.done.push(`${user.name} enters node ${node} by ${door.name}`);
    const entered = new Onlooker(await door.enter(this.#nodes.url(node), this.#room, user));
    this.#here.add(entered);
    return entered;
  }

  async #leave(one: Onlooker): Promise<void> {
    if (!this.#here.delete(one)) return;
    this.done.push(`${nameOf(one)} leaves`);
    this.#faults.push(...one.look().faults);
    await one.visitor.leave();
  }

  #story(): string {
    return `\n  seed ${SEED}, the last operations:\n  ${this.done.slice(-40).join('\n  ')}\n`;
  }
}

const userOf = (id: number): User => ({ id, name: `user${id}` });
const nameOf = ({ visitor }: Onlooker) => visitor.user.name;

describe.each([
  { grace: 'without a grace', env: {} },
  { grace: 'with a grace', env: { YAMABIKO_PRESENCE_GRACE_MS: '400' } },
])('SeededRandom comings and goings on three nodes, $grace', { timeout: 180_000 }, ({ env }) => {
  it(`end with every list equal to the truth, and nobody is told a lie (seed ${SEED})`, async () => {
    const nodes = await Nodes.open(NODES, env);
    const churn = new Churn(nodes, new SeededRandom(SEED), 'chat:churn');
    onTestFinished(() => churn.leaveAll());
    const host = await churn.host();
    for (let i = 0; i < OPERATIONS; i += AT_ONCE) {
      await churn.step();
      if ((i + AT_ONCE) % BETWEEN_TRUTHS === 0) await churn.truth();
    }
    await churn.leaveAll(host);
    await churn.truth();
    expect(host.names()).toEqual(['user1']);
    // As often as somebody came he left, and in turn: none of it was missed or repeated.
    const turns = new Map<string, string[]>();
    for (const line of host.story) {
      const [type = '', name = ''] = line.split(' ');
      turns.set(name, [...(turns.get(name) ?? []), type]);
    }
    for (const [name, types] of turns)
      expect(types, name).toEqual(types.map((_, i) => (i % 2 === 0 ? 'joined' : 'left')));
    await churn.leaveAll();
    await nodes.settledToZero();
  });
});
