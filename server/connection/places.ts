import type { Closure } from '../domain/outcome.ts';

export interface PlaceSettings {
  /** Connections in all, handshakes under way among them; from 1. */
  readonly maxConnections: number;
  /** Connections of one address; 0: as many as there are. */
  readonly maxPerAddress: number;
}

/** One client's, from its handshake to its end. */
export interface Place {
  /** Gives it back; a second time does nothing. */
  free(): void;
}

/** Nobody knows when somebody else leaves; a client that looks again so often is no burden. */
const RETRY_AFTER_MS = 5_000;

/**
 * The places of this node. Taken at the handshake, before anything is done for a client: where only those counted who
 * have come in, handshakes alone could fill the memory.
 */
export class Places {
  readonly #settings: PlaceSettings;
  /** Only addresses that have a place, so it is never longer than there are places. */
  readonly #byAddress = new Map<string, number>();
  #taken = 0;

  constructor(settings: PlaceSettings) {
    this.#settings = settings;
  }

  get taken(): number {
    return this.#taken;
  }

  /** @param address null: not counted by its address */
  take(address: string | null): Place | Closure {
    const { maxConnections, maxPerAddress } = this.#settings;
    if (this.#taken >= maxConnections) return full('this server is full');
    const counted = maxPerAddress === 0 ? null : address;
    if (counted !== null && this.#of(counted) >= maxPerAddress)
      return full('this address has as many connections as it may');
    this.#add(counted, 1);
    let isFree = false;
    return {
      free: () => {
        if (!isFree) this.#add(counted, -1);
        isFree = true;
      },
    };
  }

  #of(address: string): number {
    return this.#byAddress.get(address) ?? 0;
  }

  #add(address: string | null, change: 1 | -1): void {
    this.#taken += change;
    if (address === null) return;
    const count = this.#of(address) + change;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
  }
}

function full(message: string): Closure {
  return { code: 'limit_reached', message, retryAfterMs: RETRY_AFTER_MS };
}
