import type { Parts } from './parts.ts';

/** What a node says of itself to an operator. */
export interface NodeFacts {
  readonly id: string;
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly connections: number;
  /** Wire names with a subscription on it. */
  readonly channels: number;
  readonly ready: boolean;
  /** What a publish takes to come back to it, in milliseconds; null where that is not measured. */
  readonly busLagMs: number | null;
}

export function describeNode(
  parts: Parts,
  node: { readonly id: string; readonly version: string; readonly ready: boolean },
): NodeFacts {
  return {
    ...node,
    uptimeSeconds: Math.floor(process.uptime()),
    connections: parts.connections.size,
    channels: parts.hub.channelCount,
    busLagMs: parts.bus.lagMs(),
  };
}
