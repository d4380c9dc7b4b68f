import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../server/connection/connection.ts';
import { Connections } from '../../../server/connection/connections.ts';

describe('the connections of a node', () => {
  it('are those that came and have not gone', () => {
    const connections = new Connections();
    const [a, b] = [{} as Connection, {} as Connection];
    connections.add(a);
    connections.add(b);
    connections.remove(a);
    connections.remove(a);
    expect(connections.size).toBe(1);
    expect([...connections]).toEqual([b]);
  });

  it('take nobody any more once they drain', () => {
    const connections = new Connections();
    expect(connections.refusal()).toBeNull();
    connections.drain();
    expect(connections.refusal()?.code).toBe('restarting');
  });
});
