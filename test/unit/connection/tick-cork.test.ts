import { describe, expect, it } from 'vitest';
import { TickCork } from '../../../server/connection/tick-cork.ts';

function socket() {
  const calls: string[] = [];
  return { calls, cork: () => void calls.push('cork'), uncork: () => void calls.push('uncork') };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

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
});
