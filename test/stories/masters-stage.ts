import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { DOORS, type Heard, type Visitor } from '../support/doors.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';
import { isJoin, isText } from './outage-stage.ts';

/** A failover takes some seconds, on a busy machine some more. */
export const FAILOVER = { timeout: 120_000 };
/** Below the rate at which a client is refused. */
const PACE_MS = 40;
const PATIENCE_MS = 60_000;
const ROOM = 'chat:1';

/** One of each kind: the doors are alike on what one Redis holds. */
const FEW_DOORS = DOORS.filter(({ name }) => /^(raw|Echo on socket.io-client 4$|.*connector)/.test(name));

export interface StageOptions {
  readonly url: string;
  /** As Laravel publishes: rejects where Redis does. @param name with its prefix */
  readonly publish: (name: string, payload: string) => Promise<unknown>;
}

/** Two nodes on Redis whose masters change, with visitors on both. Ends with its test, every counter at zero. */
export class MastersStage {
  readonly prefix: string;
  readonly room = ROOM;
  readonly nodes: Running[] = [];
  readonly visitors: Visitor[] = [];
  readonly #env: Readonly<Record<string, string>>;
  readonly #publish: StageOptions['publish'];
  #ids = 0;
  #published = 0;

  private constructor(
    prefix: string,
    env: Readonly<Record<string, string>>,
    publish: StageOptions['publish'],
  ) {
    this.prefix = prefix;
    this.#env = env;
    this.#publish = publish;
  }

  static async open({ url, publish }: StageOptions): Promise<MastersStage> {
    const prefix = `${randomUUID()}:`;
    const auth = await startAuthEndpoint();
    onTestFinished(() => auth.stop());
    const env = {
      YAMABIKO_REDIS_URL: url,
      YAMABIKO_REDIS_PREFIX: prefix,
      YAMABIKO_AUTH_URL: auth.url,
      YAMABIKO_APPS: 'app:key',
      YAMABIKO_REDIS_COMMAND_TIMEOUT_MS: '1000',
      YAMABIKO_PROBE_INTERVAL_MS: '200',
    };
    const stage = new MastersStage(prefix, env, publish);
    await stage.startNode();
    await stage.startNode();
    return stage;
  }

  async startNode(): Promise<void> {
    const node = await startYamabiko(this.#env);
    onTestFinished(() => node.stop());
    this.nodes.push(node);
  }

  /** Visitors by each of a few doors on each node, all of whom have heard each other come. */
  async enterByFewDoors(): Promise<void> {
    for (const { url } of this.nodes) for (const door of FEW_DOORS) await this.enter(door, url);
  }

  async enter(door: (typeof DOORS)[number] = FEW_DOORS[0]!, url = this.nodes[0]!.url): Promise<Visitor> {
    const id = ++this.#ids + 100;
    const visitor = await door.enter(url, ROOM, { id, name: `user${id}` });
    for (const earlier of this.visitors) await earlier.heard.next(isJoin(visitor.user), 'the next one');
    this.visitors.push(visitor);
    return visitor;
  }

  /** Laravel and a client of each node publish, until the returned function is called, whatever is refused. */
  startTraffic(): () => Promise<void> {
    let stopped = false;
    const go = async (send: (text: string) => Promise<unknown>) => {
      while (!stopped) {
        await send(`message ${++this.#published}`).catch(() => null);
        await sleep(PACE_MS);
      }
    };
    const senders = this.visitors.filter((_, i) => i % FEW_DOORS.length === 0);
    const loops = [
      go((text) => this.publish(text)),
      ...senders.map((sender) => go((message) => sender.send({ message, name: sender.user.name }))),
    ];
    return async () => {
      stopped = true;
      await Promise.all(loops);
    };
  }

  /** As Laravel does, at the custom channel. */
  async publish(message: string): Promise<void> {
    const payload = JSON.stringify({ channel: ROOM, data: { message, name: 'Laravel' } });
    await this.#publish(`${this.prefix}broadcast`, payload);
  }

  ready(status: 200 | 503): Promise<void> {
    return until(
      async () => {
        const answers = await Promise.all(this.nodes.map(({ url }) => fetch(`${url}/health/ready`)));
        return answers.every((answer) => answer.status === status);
      },
      `ready is ${status} on both nodes`,
      PATIENCE_MS,
    );
  }

  /** What Laravel and each node publish now is heard by everybody. */
  async flows(): Promise<void> {
    const texts = [`Laravel ${randomUUID()}`];
    await this.publish(texts[0]!);
    for (const sender of this.visitors.filter((_, i) => i % FEW_DOORS.length === 0)) {
      const message = `${sender.user.name} ${randomUUID()}`;
      const outcome = await sender.send({ message, name: 'n' });
      if (outcome !== 'ok') throw new Error(`a message was refused: ${outcome}`);
      texts.push(message);
    }
    for (const { heard } of this.visitors) for (const text of texts) await heard.next(isText(text), text);
  }

  /** What everybody has heard besides and not read: of which each is for a reason. */
  unread(): { readonly messages: string[][]; readonly others: Heard[] } {
    const all = this.visitors.map(({ heard }) => heard.drain());
    return {
      messages: all.map((some) =>
        some.flatMap((one) => (one.type === 'message' ? [(one.data as { message: string }).message] : [])),
      ),
      others: all.flat().filter(({ type }) => type !== 'message'),
    };
  }

  /** The members that the HTTP API of each node counts, and the connections on the room's wire name. */
  async counts(): Promise<{ readonly user_count: number; readonly subscription_count: number }[]> {
    return Promise.all(
      this.nodes.map(async ({ url }) => {
        const headers = { authorization: 'Bearer key' };
        const answer = await fetch(`${url}/apps/app/channels/presence-${ROOM}`, { headers });
        const { user_count, subscription_count } = (await answer.json()) as Record<string, number>;
        return { user_count: user_count ?? -1, subscription_count: subscription_count ?? -1 };
      }),
    );
  }

  /** Resolves when each node has told that it may have missed something. */
  gapsTold(): Promise<void> {
    return until(() => this.gapReasons().every(({ length }) => length > 0), 'gaps are told', PATIENCE_MS);
  }

  gapReasons(): string[][] {
    return this.nodes.map(({ log }) =>
      log
        .filter(({ message }) => message === 'broadcasts may have been lost')
        .map(({ fields }) => (fields as { reason: string }).reason),
    );
  }

  async end(): Promise<void> {
    await Promise.all(this.visitors.splice(0).map((visitor) => visitor.leave()));
    for (const node of this.nodes) await node.settledToZero();
  }
}

/**
 * The story of each failover: clients stay connected, nobody is seen to leave or come, no message comes twice, and
 * afterwards everything goes on.
 * @param fail resolves when another master has taken over
 */
export async function tellFailover(stage: MastersStage, fail: () => Promise<unknown>): Promise<void> {
  await stage.enterByFewDoors();
  const stopTraffic = stage.startTraffic();
  await fail();
  // Until they have noticed, they may still be ready.
  await stage.gapsTold();
  await stage.ready(200);
  await stage.flows();
  await stopTraffic();
  await stage.flows();
  const { messages, others } = stage.unread();
  if (others.length > 0) throw new Error(`seen to come or leave: ${JSON.stringify(others)}`);
  for (const texts of messages) {
    const twice = texts.filter((text, i) => texts.indexOf(text) !== i);
    if (twice.length > 0) throw new Error(`heard twice: ${twice.join(', ')}`);
    if (texts.length === 0) throw new Error('somebody heard nothing of the traffic');
  }
  const late = await stage.enter();
  const names = stage.visitors.map(({ user }) => user.name);
  if ([...late.list].sort().join() !== [...names].sort().join())
    throw new Error(`the list is ${late.list.join()} and should be ${names.join()}`);
}
