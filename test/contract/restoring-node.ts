import { Heard } from './heard.ts';
import { type NodeOptions, RedisNode } from './redis-node.ts';

class RestoringHeard extends Heard {
  restore: () => Promise<void> = async () => {};

  override readiness(ready: boolean): void {
    super.readiness(ready);
    // What fails is tried again by the roster itself.
    if (ready && this.readinesses.length > 1) void this.restore().catch(() => {});
  }
}

/** A node whose roster is put right whenever its bus comes back, as resync-after-outage does it. */
export function restoringNode(options: Omit<NodeOptions, 'heard'>): RedisNode {
  const heard = new RestoringHeard();
  const node = new RedisNode({ ...options, heard });
  heard.restore = () => node.roster.restore();
  return node;
}
