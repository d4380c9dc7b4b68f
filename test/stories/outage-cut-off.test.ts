import { describe, it, onTestFinished } from 'vitest';
import { DOORS, type Door, type Visitor } from '../support/doors.ts';
import { TEST_SECRET } from '../support/jwt.ts';
import { ServerProcess } from '../support/server-process.ts';
import { type Running, startYamabiko } from '../support/yamabiko.ts';
import { heardNothingElse, isJoin, isLeave, isText, OutageStage } from './outage-stage.ts';

const ROOM = 'chat:1';
const [RAW, ECHO, CONNECTOR] = [DOORS[0], DOORS[3], DOORS[8]] as [Door, Door, Door];

/** A second node on the same Redis, with a user of its own, by whom it can be cut off from it. */
class CutOffNode {
  readonly #stage: OutageStage;
  readonly node: Running;
  readonly visitors: Visitor[] = [];

  private constructor(stage: OutageStage, node: Running) {
    this.#stage = stage;
    this.node = node;
  }

  static async start(stage: OutageStage, nodeTtlMs: number): Promise<CutOffNode> {
    await stage.redis.client.call('ACL', 'SETUSER', 'cut', 'on', '>pw', '~*', '&*', '+@all');
    const node = await startYamabiko({
      YAMABIKO_REDIS_URL: stage.redis.urlAs('cut', 'pw'),
      YAMABIKO_AUTH_URL: stage.auth.url,
      YAMABIKO_NODE_TTL_MS: String(nodeTtlMs),
    });
    onTestFinished(() => node.stop());
    return new CutOffNode(stage, node);
  }

  async enter(door: Door): Promise<Visitor> {
    const visitor = await door.enter(this.node.url, ROOM, this.#stage.newUser());
    this.visitors.push(visitor);
    return visitor;
  }

  async cut(): Promise<void> {
    await this.#stage.redis.client.call('ACL', 'SETUSER', 'cut', 'off');
    await this.#stage.redis.client.call('CLIENT', 'KILL', 'USER', 'cut');
    await this.#stage.answersReady(503, this.node);
  }

  async mend(): Promise<void> {
    await this.#stage.redis.client.call('ACL', 'SETUSER', 'cut', 'on');
    await this.#stage.answersReady(200, this.node);
  }

  async end(): Promise<void> {
    await Promise.all(this.visitors.map((visitor) => visitor.leave()));
    await this.node.settledToZero();
  }
}

/** Each comes when all before him are there, and they have heard it. */
async function meet(entering: readonly (() => Promise<Visitor>)[]): Promise<Visitor[]> {
  const there: Visitor[] = [];
  for (const enter of entering) {
    const visitor = await enter();
    for (const { heard } of there) await heard.next(isJoin(visitor.user), 'the next one');
    there.push(visitor);
  }
  return there;
}

describe('a node that is cut off from Redis', { timeout: 60_000 }, () => {
  it('shows at its return who came and left elsewhere, in the order in which they did', async () => {
    const ttlMs = 4_000;
    const stage = await OutageStage.open({ YAMABIKO_NODE_TTL_MS: String(ttlMs) });
    const away = await CutOffNode.start(stage, ttlMs);
    const [raw, echo, connector, stayer, leaver] = (await meet([
      () => away.enter(RAW),
      () => away.enter(ECHO),
      () => away.enter(CONNECTOR),
      () => stage.enter(RAW, ROOM),
      () => stage.enter(ECHO, ROOM),
    ])) as [Visitor, Visitor, Visitor, Visitor, Visitor];

    await away.cut();
    const newcomer = await stage.enter(RAW, ROOM);
    const passer = await stage.enter(RAW, ROOM);
    await passer.leave();
    await leaver.leave();
    await newcomer.heard.next(isLeave(leaver.user), 'the leaver leaving');
    await away.mend();

    const cutOff = [raw, echo, connector];
    for (const { heard } of cutOff) {
      await heard.next(isJoin(newcomer.user), 'who came meanwhile');
      await heard.next(isJoin(passer.user), 'who passed by');
      await heard.next(isLeave(passer.user), 'who passed by, leaving');
      await heard.next(isLeave(leaver.user), 'who left meanwhile');
    }
    await stayer.heard.next(isJoin(newcomer.user));
    await stayer.heard.next(isJoin(passer.user));
    await stayer.heard.next(isLeave(passer.user));
    await stayer.heard.next(isLeave(leaver.user));
    await newcomer.heard.next(isJoin(passer.user));
    await newcomer.heard.next(isLeave(passer.user));
    await stage.publish(ROOM, 'done');
    const all = [raw, echo, connector, stayer, newcomer];
    for (const { heard } of all) await heard.next(isText('done'), 'the last message');
    heardNothingElse(all);
    await away.end();
    await stage.end();
  });

  it('for longer than its lease is gone for the others and then back, but not for its own clients', async () => {
    const stage = await OutageStage.open();
    const away = await CutOffNode.start(stage, 1_500);
    const [raw, echo, connector, stayer] = (await meet([
      () => away.enter(RAW),
      () => away.enter(ECHO),
      () => away.enter(CONNECTOR),
      () => stage.enter(RAW, ROOM),
    ])) as [Visitor, Visitor, Visitor, Visitor];
    await away.cut();
    for (const { user } of [raw, echo, connector]) await stayer.heard.next(isLeave(user), 'the lease ending');
    await away.mend();
    for (const { user } of [raw, echo, connector]) await stayer.heard.next(isJoin(user), 'the return');
    // The removals are over when this one has been shown leaving.
    const leaver = await stage.enter(RAW, ROOM);
    await away.cut();
    await leaver.leave();
    await away.mend();
    for (const { heard } of [raw, echo, connector]) {
      await heard.next(isJoin(leaver.user), 'the leaver coming');
      await heard.next(isLeave(leaver.user), 'the leaver leaving');
    }
    heardNothingElse([raw, echo, connector]);
    await away.end();
    await stage.end();
  });
});

describe('a node that is frozen past its lease', { timeout: 60_000 }, () => {
  it('is gone for the others and then back, and does not show its clients their own leaving', async () => {
    const stage = await OutageStage.open();
    const frozen = await ServerProcess.ready({
      YAMABIKO_REDIS_URL: stage.redis.url,
      YAMABIKO_AUTH_URL: stage.auth.url,
      YAMABIKO_JWT_SECRET: TEST_SECRET,
      YAMABIKO_NODE_TTL_MS: '1500',
    });
    const enter = (door: Door) => () => door.enter(frozen.url, ROOM, stage.newUser());
    const [raw, echo, connector, stayer] = (await meet([
      enter(RAW),
      enter(ECHO),
      enter(CONNECTOR),
      () => stage.enter(RAW, ROOM),
    ])) as [Visitor, Visitor, Visitor, Visitor];
    const cold = [raw, echo, connector];
    frozen.kill('SIGSTOP');
    for (const { user } of cold) await stayer.heard.next(isLeave(user), 'the lease ending');
    frozen.kill('SIGCONT');
    for (const { user } of cold) await stayer.heard.next(isJoin(user), 'the return');
    await stage.publish(ROOM, 'awake');
    for (const { heard } of [...cold, stayer]) await heard.next(isText('awake'), 'the message');
    heardNothingElse([...cold, stayer]);
    await Promise.all(cold.map((visitor) => visitor.leave()));
    for (const { user } of cold) await stayer.heard.next(isLeave(user), 'their leaving');
    frozen.kill('SIGTERM');
    await frozen.ended;
    await stage.end();
  });
});
