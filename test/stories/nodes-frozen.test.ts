import { describe, expect, it } from 'vitest';
import { patience } from '../support/event-queue.ts';
import { mintToken } from '../support/jwt.ts';
import type { Onlooker } from '../support/onlooker.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { WireClient } from '../support/wire-client.ts';
import { until } from '../support/yamabiko.ts';
import { doorNamed, faultsOf, heard, lines, NodesStage, names, ROOM } from './nodes-stage.ts';

patience.ms = 20_000;

/** Of which users are ended; nobody looks at it. */
const OTHER = 'chat:ended';

interface Answer {
  readonly what: string;
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

async function ask({ url }: ServerProcess, path: string, method = 'GET'): Promise<Answer> {
  const headers = { authorization: 'Bearer key' };
  const response = await fetch(`${url}/apps/app${path}`, { method, headers });
  return { what: `${method} ${path}`, status: response.status, body: await response.json() };
}

/** Questions that each have been answered, or have not: a frozen node must hold up none. */
class Asked {
  readonly #unanswered = new Set<string>();
  readonly #answers: Answer[] = [];

  /** @param questions `GET /channels` and the like */
  constructor(nodes: readonly ServerProcess[], questions: readonly string[]) {
    for (const [n, node] of nodes.entries())
      for (const question of questions) void this.#ask(n, node, question);
  }

  /** All of them. @throws where one of them hangs, with its name */
  async answered(): Promise<readonly Answer[]> {
    await until(
      () => this.#unanswered.size === 0,
      () => `each question is answered during the freeze, not so ${[...this.#unanswered]}`,
      30_000,
    );
    return this.#answers;
  }

  async #ask(n: number, node: ServerProcess, question: string): Promise<void> {
    const name = `${question} of living node ${n}`;
    this.#unanswered.add(name);
    const [method, path = ''] = question.split(' ');
    const failed = (error: Error) => ({ what: question, status: 0, body: error.message });
    this.#answers.push(await ask(node, path, method).catch(failed));
    this.#unanswered.delete(name);
  }
}

/** Somebody who is only there to be ended: by a raw connection, and by a page in presence-X. */
class Victim {
  private constructor(
    readonly id: number,
    readonly raw: RawClient,
    readonly page: WireClient,
  ) {}

  static async enter({ url }: ServerProcess, id: number): Promise<Victim> {
    const token = mintToken({ id, name: `victim${id}`, channel: OTHER });
    const raw = await RawClient.join({ url, token, name: `victim ${id}` });
    const page = await WireClient.open({ url, name: `victim ${id}, his page` });
    expect(await page.subscribe(`presence-${OTHER}`, { token })).toMatchObject({ ok: true });
    return new Victim(id, raw, page);
  }

  /** Where his whole user, that is both connections, or his one subscription is ended. */
  get terminate(): string {
    return `POST /users/${this.id}/terminate`;
  }

  get terminateOfChannel(): string {
    return `POST /channels/presence-${OTHER}/users/${this.id}/terminate`;
  }

  async isEnded(): Promise<void> {
    expect(await this.raw.closed()).toMatchObject({ code: 4409 });
    await this.page.next('disconnect');
  }

  /** His page has lost the one channel, and his raw connection goes on. */
  async isOut(): Promise<void> {
    expect((await this.page.next('subscription_error')).args).toEqual([`presence-${OTHER}`, 403]);
    this.raw.send({});
    await this.raw.next('sended');
    expect(this.page.socket.connected).toBe(true);
  }

  async leave(): Promise<void> {
    this.page.close();
    await this.raw.close();
  }
}

const QUESTIONS = [
  'GET /status',
  'GET /channels',
  `GET /channels/presence-${ROOM}`,
  `GET /channels/presence-${ROOM}/users`,
  'GET /nodes',
];

/** An answer, or that there is none now. */
function isAnswerOrUnavailable({ status, body }: Answer): boolean {
  return status === 200 || (status === 503 && body.code === 'unavailable');
}

const sorted = (users: readonly { readonly id: number }[]) => users.map(({ id }) => id).sort((a, b) => a - b);
/** Of those by every door: Echo's five, and one by JWT. */
const PAGES_IN_PRESENCE = 6;
const idsOf = (all: readonly Onlooker[]) => sorted(all.map(({ visitor }) => visitor.user));

describe('A node of three that is frozen', { timeout: 180_000 }, () => {
  it('past its lease loses its members on the others, holds up nobody, and puts itself right', async () => {
    const stage = await NodesStage.open({ YAMABIKO_APPS: 'app:key' });
    const nodes = (await stage.nodes(3)) as [ServerProcess, ServerProcess, ServerProcess];
    const [frozen, living, third] = nodes;
    const watchers = [
      await stage.enter(living),
      await stage.enter(third),
      await stage.enter(third, doorNamed('Echo through the connector')),
    ];
    const leaver = await stage.enter(living, doorNamed('JWT on Socket.IO, plain X'));
    const own = await stage.enterByEveryDoor(frozen);
    await stage.fence([...watchers, ...own]);
    for (const one of [...watchers, ...own]) one.story.length = 0;
    // One on each node, ended wholly and in the one channel; and two by whom the first questions are asked.
    const users = await Promise.all(nodes.map((node, n) => Victim.enter(node, 9001 + n)));
    const members = await Promise.all(nodes.map((node, n) => Victim.enter(node, 9011 + n)));

    frozen.kill('SIGSTOP');
    // Before the lease is over, and after.
    const early = new Asked([living, third], QUESTIONS);
    const left = watchers.length + 1;
    await until(
      () => watchers.every((one) => one.look().shown.size === left),
      () => `the frozen ones have left: ${watchers.map((one) => `[${one.names()}]`)}`,
      20_000,
    );
    const late = new Asked(
      [living, third],
      [
        ...QUESTIONS,
        ...users.map((victim) => victim.terminate),
        ...members.map((victim) => victim.terminateOfChannel),
      ],
    );
    const answers = [...(await early.answered()), ...(await late.answered())];
    expect(answers.filter((answer) => !isAnswerOrUnavailable(answer))).toEqual([]);
    // What was not done everywhere must not pass for done.
    const done = answers.filter(({ what, status }) => what.startsWith('POST') && status !== 503);
    expect(done).toEqual([]);
    // Where no other node need be asked, there is an answer, and it is the truth.
    for (const node of [living, third]) {
      const { body } = await ask(node, `/channels/presence-${ROOM}/users`);
      expect(sorted(body.users)).toEqual(idsOf([...watchers, leaver]));
    }
    await Promise.all([...users.slice(1).map((v) => v.isEnded()), ...members.slice(1).map((v) => v.isOut())]);
    for (const watcher of watchers) expect(heard(watcher)).toEqual(lines('left', names(own)));

    const comer = await stage.enter(third);
    await leaver.visitor.leave();
    const gone = (one: Onlooker) => !one.look().shown.has(leaver.visitor.user.name);
    await until(() => [...watchers, comer].every(gone), 'one has left', 20_000);
    for (const one of watchers) {
      expect(heard(one)).toEqual([`joined ${names([comer])}`, `left ${names([leaver])}`]);
    }
    comer.story.length = 0;

    frozen.kill('SIGCONT');
    const all = [...watchers, comer, ...own];
    await frozen.answersReady(200);
    const truth = names(all).sort().join();
    await until(
      () => all.every((one) => one.look().names().join() === truth),
      () => `all see ${truth}: ${all.map((one) => `\n${one.names()}`)}`,
      20_000,
    );
    // The fences, too, were kept from nobody: what was said meanwhile is heard when the node is back.
    await stage.fence(all);
    expect(faultsOf(all)).toEqual([]);
    for (const one of [...watchers, comer]) expect(heard(one)).toEqual(lines('joined', names(own)));
    for (const one of own) {
      const presence = heard(one).filter((line) => !line.startsWith('system: '));
      expect(presence).toEqual([`joined ${names([comer])}`, `left ${names([leaver])}`]);
    }
    // What was asked of it meanwhile it does.
    await Promise.all([users[0]?.isEnded(), members[0]?.isOut()]);

    await everyNodeAnswers(nodes, all);
    await everyNodeEnds(nodes);
    // Its seats are in order: who leaves now leaves once, and the others stay.
    await own[0]?.visitor.leave();
    await until(() => watchers.every((one) => one.look().story.length > 0), 'he leaves', 20_000);
    await stage.fence(watchers);
    for (const one of watchers) expect(heard(one)).toEqual(lines('left', names(own.slice(0, 1))));
    await Promise.all(members.map((victim) => victim.leave()));
  });
});

/** The same on all of them, and what is so. */
async function everyNodeAnswers(nodes: readonly ServerProcess[], all: readonly Onlooker[]): Promise<void> {
  for (const node of nodes) {
    await until(async () => (await ask(node, '/channels')).status === 200, 'all nodes answer', 30_000);
  }
  const asked = async (path: string) =>
    (await Promise.all(nodes.map((node) => ask(node, path)))).map(({ body }) => body);
  for (const { users } of await asked(`/channels/presence-${ROOM}/users`))
    expect(sorted(users)).toEqual(idsOf(all));
  for (const { user_count } of await asked(`/channels/presence-${ROOM}`)) expect(user_count).toBe(all.length);
  // Each visitor holds one subscription, of the one wire name or of the other.
  for (const { channels } of await asked('/channels')) {
    const counts = [ROOM, `presence-${ROOM}`].map((wire) => channels[wire].subscription_count);
    expect(counts).toEqual([all.length - PAGES_IN_PRESENCE, PAGES_IN_PRESENCE]);
  }
  for (const { nodes: told } of await asked('/nodes')) expect(told).toHaveLength(nodes.length);
}

/** Each node ends somebody who is on the next one, and the one channel of somebody who is on the one after. */
async function everyNodeEnds(nodes: readonly ServerProcess[]): Promise<void> {
  for (const [n, node] of nodes.entries()) {
    const next = await Victim.enter(nodes[(n + 1) % nodes.length] as ServerProcess, 9101 + n);
    const after = await Victim.enter(nodes[(n + 2) % nodes.length] as ServerProcess, 9111 + n);
    const [, path = ''] = next.terminate.split(' ');
    expect(await ask(node, path, 'POST')).toMatchObject({ status: 200, body: { connections: 2 } });
    await next.isEnded();
    const [, pathOfChannel = ''] = after.terminateOfChannel.split(' ');
    expect(await ask(node, pathOfChannel, 'POST')).toMatchObject({ status: 200, body: { subscriptions: 1 } });
    await after.isOut();
    await after.leave();
  }
}
