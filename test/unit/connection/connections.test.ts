import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../server/connection/connection.ts';
import { Connections } from '../../../server/connection/connections.ts';

describe('the connections of a node', () => {
  const one = () => ({}) as Connection;

  it('are full at their bound, until one leaves', () => {
    const connections = new Connections(2);
    const [a, b] = [one(), one()];
    connections.add(a);
    expect(connections.refusal()).toBeNull();
    connections.add(b);
    expect(connections.refusal()?.code).toBe('limit_reached');
    connections.remove(a);
    connections.remove(a);
    expect(connections.refusal()).toBeNull();
    expect([...connections]).toEqual([b]);
  });

  it('take nobody any more once they drain', () => {
    const connections = new Connections(2);
    connections.drain();
    expect(connections.refusal()?.code).toBe('restarting');
  });
});
