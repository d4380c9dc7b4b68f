import type { Published } from './journal.ts';
import type { LinePlan } from './page-scene.ts';
import { Sight } from './sight.ts';

/** One connection of a page. */
export interface Stretch {
  /** The position that the page has, and brings when it comes back. */
  offset: string | null;
}

/** How an event came to a page. */
export interface Hearing {
  /** The event's place, where it bore it; null where it came without. */
  readonly position: string | null;
  /** Whether the page knows a reason for which its position may not have gone on with this one. */
  readonly excused: boolean;
  readonly stretch: Stretch;
}

export interface HeardEvent {
  readonly type: 'event';
  readonly id: string;
  readonly ownIds: readonly string[];
  readonly hearing: Hearing;
}

/** Something that came on a line, in its order. */
type Heard = HeardEvent | { readonly type: 'notice' };

/** Between these places of the journal something may be missing: the page was told. */
interface Notice {
  readonly after: number;
  before: number;
}

/** What one page hears on one channel from its first subscribe to the end of the run, over all its connections. */
export class Line {
  readonly page: string;
  readonly plan: LinePlan;
  /** The journal's entries before it are done with. */
  cursor = 0;
  lastIndex = -1;
  heard: Heard[] = [];
  notices: Notice[] = [];
  /** What came since the cursor, as places of the journal. */
  readonly indexes = new Set<number>();
  /** What came since the quiet point before the last one. */
  ids = new Map<string, Hearing>();
  earlierIds = new Map<string, Hearing>();
  readonly #view: Sight;
  readonly #everIds: ReadonlySet<string>;

  /** @param everIds all socket ids that the page has ever had */
  constructor(page: string, plan: LinePlan, raw: boolean, userId: number, everIds: ReadonlySet<string>) {
    this.page = page;
    this.plan = plan;
    this.#everIds = everIds;
    const node = { name: '', endingAt: null, told: () => false, frozeIn: () => false, leaseLosses: [] };
    const { wire, kind } = plan;
    this.#view = new Sight({
      client: page,
      wire,
      kind,
      raw,
      userId: String(userId),
      named: true,
      socketId: '',
      node,
      list: null,
    });
  }

  /** Whether the page must be given this. */
  isOwed(entry: Published): boolean {
    const { exceptSocketId } = entry;
    return (exceptSocketId === null || !this.#everIds.has(exceptSocketId)) && this.#view.concerns(entry);
  }

  /** Whether it is for this channel, though perhaps not for this page's own ears. */
  concerns(entry: Published): boolean {
    return this.#view.concerns(entry);
  }
}
