import { describe, expect, it } from 'vitest';
import { patience } from '../support/event-queue.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { RecoveryNodes } from './recovery-nodes-stage.ts';

patience.ms = 20_000;

const ENDS = [
  ['killed', 'SIGKILL'],
  ['told to end', 'SIGTERM'],
] as const;

/** An unmodified page by WebSocket and by polling, our connector, and raw with `since`: on each node under traffic. */
describe('where nodes end, each client comes back by itself', { timeout: 90_000 }, () => {
  it.each(ENDS)('and misses nothing where one after the other is %s', async (_how, signal) => {
    const stage = await RecoveryNodes.open(3);
    stage.go();
    await stage.allHear();
    const [first, second, third] = stage.nodes as [ServerProcess, ServerProcess, ServerProcess];
    // The first writes the log; then who takes it over, and those who were cut before are cut once more.
    for (const [node, next] of [
      [first, second],
      [second, third],
    ] as const) {
      const cut = stage.on(node);
      node.kill(signal);
      stage.send(cut, next);
      await stage.allHear();
      await node.ended;
    }
    await stage.end();

    expect(stage.faults()).toEqual([]);
    await stage.whispersAgree();
    const [cut, stayed] = [stage.visitors.slice(0, 4), stage.visitors.slice(4)];
    for (const { name, account } of cut) expect(account.returns, name).toEqual([true, true]);
    for (const { name, account } of stayed) expect(account.returns, name).toEqual([]);
    for (const { name, account } of stage.visitors) expect(account.items, name).not.toContain('gap');
  });

  it.each(ENDS)('and is told what is lost where all are %s at once', async (_how, signal) => {
    const stage = await RecoveryNodes.open(2);
    await restartAll(stage, signal);

    expect(stage.faults()).toEqual([]);
    for (const visitor of stage.visitors) {
      const { name, account } = visitor;
      const heard = account.items.filter((item) => item !== 'gap');
      expect(heard.length, `something was lost for ${name}`).toBeLessThan(stage.due(visitor).length);
      expect(account.returns, name).toEqual([false]);
      expect(account.items, name).toContain('gap');
    }
  });

  it.each(ENDS)(
    'and misses nothing where all are %s at once, and the log is written from replication',
    async (_how, signal) => {
      const stage = await RecoveryNodes.open(2, {
        env: { YAMABIKO_RECOVERY_SOURCE: 'replication' },
        redisArgs: ['--repl-diskless-sync-delay', '0'],
      });
      await restartAll(stage, signal);

      expect(stage.faults()).toEqual([]);
      await stage.whispersAgree();
      for (const { name, account } of stage.visitors) {
        expect(account.returns, name).toEqual([true]);
        expect(account.items, name).not.toContain('gap');
      }
    },
  );
});

/** All nodes end at once under traffic, and others take their places after a while. */
async function restartAll(stage: RecoveryNodes, signal: NodeJS.Signals): Promise<void> {
  stage.go();
  await stage.allHear();
  const before = [...stage.nodes];
  const crowds = before.map((node) => stage.on(node));
  for (const node of before) node.kill(signal);
  for (const node of before) await node.ended;
  // Nobody is there who could hear these.
  for (let i = 0; i < 20; i++) await stage.publish();
  const after = await Promise.all(before.map(() => stage.start()));
  // Each comes to the other node than he would have.
  for (const [i, crowd] of crowds.entries()) stage.send(crowd, after[1 - i] as ServerProcess);
  await stage.allHear();
  await stage.end();
}
