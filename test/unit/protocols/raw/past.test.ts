import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { pastOf } from '../../../../server/protocols/raw/past.ts';

const past = (url?: string) => pastOf({ url } as IncomingMessage);

describe('the past of a raw client', () => {
  it('is nothing without `since`, empty at first, then its last position', () => {
    expect(past(undefined)).toEqual({ since: null, oldSocketIds: [] });
    expect(past('/ws?token=t')).toEqual({ since: null, oldSocketIds: [] });
    expect(past('/ws?since=')).toEqual({ since: '', oldSocketIds: [] });
    expect(past('/ws?since=1-2&socket=3.4')).toEqual({ since: '1-2', oldSocketIds: ['3.4'] });
  });

  it.each(['x', '1', '1.1.1', '1.1%0a', `${'1'.repeat(30)}.1`])('names no connection by %s', (socket) => {
    expect(past(`/ws?since=&socket=${socket}`).oldSocketIds).toEqual([]);
  });

  it('is kept no longer than a position is', () => {
    expect(past(`/ws?since=${'9'.repeat(8_000)}`).since?.length).toBeLessThan(100);
  });
});
