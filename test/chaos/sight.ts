import type { ClusterNode } from './cluster-node.ts';
import type { Published } from './journal.ts';
import { baseOf, isListed, type Kind } from './scene.ts';

export interface SightOptions {
  /** The client's name, for the story. */
  readonly client: string;
  readonly wire: string;
  readonly kind: Kind;
  /** Raw clients have no frame for Laravel's ordinary events. */
  readonly raw: boolean;
  readonly userId: string;
  /** False where Laravel's plain yes to a private channel named nobody. */
  readonly named: boolean;
  readonly socketId: string;
  readonly node: Pick<ClusterNode, 'name' | 'told' | 'endingAt' | 'frozeIn' | 'leaseLosses'>;
  /** User ids, where the channel has a list. */
  readonly list: readonly string[] | null;
  readonly at?: number;
}

/** Stands among the ids where the client was told of a gap. */
export const GAP = Symbol('gap');

/** Events between these places of the journal may be missing, the client was told. */
interface ToldGap {
  readonly after: number;
  before: number;
}

/** What one subscription of one client has heard, from its going live to its end. */
export class Sight {
  readonly options: SightOptions;
  readonly base: string;
  readonly subscribedAt: number;
  endedAt: number | null = null;
  /** Ids in the order of their coming, not yet compared with the journal. */
  heard: (string | typeof GAP)[] = [];
  /** Who this client shows; null where the channel has no list. */
  readonly members: Set<string> | null;
  /** The journal's entries before it are done with. */
  cursor = 0;
  firstIndex: number | null = null;
  lastIndex = -1;
  toldGaps: ToldGap[] = [];
  readonly indexes = new Set<number>();
  readonly ids = new Set<string>();

  constructor(options: SightOptions) {
    this.options = options;
    this.base = baseOf(options.wire);
    this.subscribedAt = options.at ?? Date.now();
    this.members = options.list === null ? null : new Set(options.list);
  }

  get listed(): boolean {
    return isListed(this.options.kind);
  }

  /** Whether it must hear this, were it subscribed all the time (protocol.md section 1). */
  concerns(entry: Published): boolean {
    const { wire, kind, raw, userId, named, socketId } = this.options;
    if (entry.exceptSocketId !== null && entry.exceptSocketId === socketId) return false;
    if (entry.form === 'event') return entry.redisChannel === wire && !raw;
    if (kind === 'public' || entry.base !== this.base) return false;
    return entry.targetUserId === null || (named && entry.targetUserId === userId);
  }

  /** Whether it may hear this: where nobody is named, what the connection proved elsewhere in the room counts. */
  allows(entry: Published): boolean {
    const { kind, userId } = this.options;
    return (
      this.concerns(entry) ||
      (kind === 'private' && entry.base === this.base && entry.targetUserId === userId)
    );
  }
}
