import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DropLog } from '../../../server/flows/drop-log.ts';

describe('what is dropped', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is always counted, but a flood of it is logged once a second, with how many were not', () => {
    const lines: object[] = [];
    let counted = 0;
    const drops = new DropLog(
      { warn: (fields) => void lines.push(fields) },
      { dropped: () => void counted++ },
    );
    for (let i = 0; i < 1000; i++) drops.dropped('news', 'not_json');
    expect([counted, lines.length]).toEqual([1000, 20]);
    vi.advanceTimersByTime(1000);
    drops.dropped('news', 'not_json');
    expect(lines.at(-1)).toEqual({ channel: 'news', reason: 'not_json', unlogged: 980 });
  });

  it('for one reason hides nothing of another', () => {
    const lines: object[] = [];
    const drops = new DropLog({ warn: (fields) => void lines.push(fields) }, { dropped: () => {} });
    for (let i = 0; i < 100; i++) drops.dropped('news', 'not_json');
    drops.dropped('broadcast', 'bad_data', { room: 'chat:1' });
    expect(lines.at(-1)).toEqual({ channel: 'broadcast', reason: 'bad_data', room: 'chat:1' });
  });
});
