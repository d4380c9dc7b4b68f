import { onPageHide, sessionStorage } from './page.ts';
import { isPosition } from './positions.ts';

/** Where positions are kept over a reload: as much of the DOM's Storage as is needed. */
export interface PositionStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export interface KeepPositions {
  /** How old they may be, in milliseconds, above 0. Default 120000: so long does the server keep its history. */
  readonly maxAgeMs?: number | undefined;
  /** Default: the page's sessionStorage, which each tab has for itself. */
  readonly storage?: PositionStorage | undefined;
}

const defaultMaxAgeMs = 120_000;
/** More than a page has; a storage is small, and shared with the rest of the page. */
const maxChannels = 200;
/** Between two writes while events flow. The last one, as the page goes, is exact. */
const writeEveryMs = 1000;

/**
 * Takes the positions over a reload. Whatever is wrong with the storage (forbidden, full, written by somebody else)
 * costs the page no more than what it would have had without: it then begins where it subscribes.
 */
export class PositionKeeper {
  readonly #key: string;
  readonly #maxAgeMs: number;
  readonly #storage: PositionStorage;
  readonly #restored: Map<string, string>;
  readonly #savedAtMs: number;
  #all: () => Array<[wireName: string, position: string]> = () => [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(key: string, maxAgeMs: number, storage: PositionStorage) {
    this.#key = key;
    this.#maxAgeMs = maxAgeMs;
    this.#storage = storage;
    const { savedAtMs, positions } = read(storage, key);
    this.#savedAtMs = savedAtMs;
    this.#restored = positions;
    onPageHide(() => this.#write());
  }

  /** Null where the page does not want it, or has no storage. */
  static of(key: string, option: boolean | KeepPositions): PositionKeeper | null {
    if (option === false) return null;
    const { maxAgeMs = defaultMaxAgeMs, storage = sessionStorage() } = option === true ? {} : option;
    return storage ? new PositionKeeper(key, maxAgeMs, storage) : null;
  }

  /** Where the positions come from. */
  follow(all: () => Array<[wireName: string, position: string]>): void {
    this.#all = all;
  }

  /** The position of this channel before the reload, once, and not when it is too old. */
  take(wireName: string): string | null {
    const position = this.#restored.get(wireName);
    this.#restored.delete(wireName);
    const ageMs = Date.now() - this.#savedAtMs;
    return position !== undefined && ageMs >= 0 && ageMs <= this.#maxAgeMs ? position : null;
  }

  /** Something moved: it is written soon. */
  changed(): void {
    this.#timer ??= setTimeout(() => this.#write(), writeEveryMs);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      const positions = this.#all().slice(-maxChannels);
      this.#storage.setItem(this.#key, JSON.stringify({ savedAtMs: Date.now(), positions }));
    } catch {
      // Full or forbidden: after a reload the page begins where it subscribes, as without this option.
    }
  }
}

function read(storage: PositionStorage, key: string): { savedAtMs: number; positions: Map<string, string> } {
  const positions = new Map<string, string>();
  try {
    const kept = JSON.parse(storage.getItem(key) ?? 'null') as {
      savedAtMs?: unknown;
      positions?: unknown;
    } | null;
    if (typeof kept?.savedAtMs !== 'number' || !Array.isArray(kept.positions))
      return { savedAtMs: 0, positions };
    for (const entry of kept.positions.slice(0, maxChannels) as unknown[]) {
      const [wireName, position] = Array.isArray(entry) ? (entry as unknown[]) : [];
      if (typeof wireName === 'string' && isPosition(position)) positions.set(wireName, position);
    }
    return { savedAtMs: kept.savedAtMs, positions };
  } catch {
    // Forbidden, or not ours: as if there were nothing.
    return { savedAtMs: 0, positions: new Map() };
  }
}
