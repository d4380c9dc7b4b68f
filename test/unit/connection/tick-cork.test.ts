import { describe, expect, it } from 'vitest';
import { TickCork } from '../../../server/connection/tick-cork.ts';

function socket(calls: string[] = []) {
  return { calls, cork: () => void calls.push('cork'), uncork: () => void calls.push('uncork') };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const frame = Buffer.from('x');

describe('the cork of a turn', () => {
  it('corks each socket once, and uncorks all at the end of the turn', async () => {
    const tickCork = new TickCork();
    const [a, b] = [socket(), socket()];
    for (const one of [a, b, a, b, a]) tickCork.cork(one);
    expect([a.calls, b.calls]).toEqual([['cork'], ['cork']]);
    await turn();
    expect([a.calls, b.calls]).toEqual([
      ['cork', 'uncork'],
      ['cork', 'uncork'],
    ]);
  });

  it('sends at once what was gathered where it is asked to, and gathers on', async () => {
    const tickCork = new TickCork();
    const [a, b] = [socket(), socket()];
    tickCork.cork(a);
    tickCork.flush(a);
    tickCork.flush(b);
    await turn();
    expect(a.calls).toEqual(['cork', 'uncork', 'cork', 'uncork']);
    expect(b.calls).toEqual([]);
  });

  it('works again in the next turn', async () => {
    const tickCork = new TickCork();
    const a = socket();
    tickCork.cork(a);
    await turn();
    tickCork.cork(a);
    await turn();
    expect(a.calls).toEqual(['cork', 'uncork', 'cork', 'uncork']);
  });

  it('lets what was gathered leave at the end of the turn, before it uncorks', async () => {
    const tickCork = new TickCork();
    const calls: string[] = [];
    tickCork.begin({ endTurn: () => void calls.push('one ends') }, frame);
    tickCork.cork(socket(calls));
    tickCork.begin({ endTurn: () => void calls.push('two ends') }, frame);
    expect(calls).toEqual(['cork']);
    await turn();
    expect(calls).toEqual(['cork', 'one ends', 'two ends', 'uncork']);
    await turn();
    expect(calls).toHaveLength(4);
  });

  it('begins one run for all who are sent the same frame first, and none for those of the next turn', async () => {
    const tickCork = new TickCork();
    const gatherer = { endTurn: () => {} };
    const run = tickCork.begin(gatherer, frame);
    expect(tickCork.begin(gatherer, frame)).toBe(run);
    expect(tickCork.begin(gatherer, Buffer.from('x'))).not.toBe(run);
    await turn();
    expect(tickCork.begin(gatherer, frame)).not.toBe(run);
  });
});
