import type { Member } from '../domain/member.ts';

/** A change of a room's member list, as the bus brings it. */
export interface PresenceChange {
  readonly type: 'joined' | 'left';
  readonly revision: number;
  readonly member: Member;
}

export interface ViewSnapshot {
  readonly revision: number;
  readonly members: readonly Member[];
}

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

/**
 * What this node shows its clients of one room's members: a replica of the roster's list, moved on by the
 * announcements in the bus's order. Lists come from it and announcements pass through it, so a client's list and
 * what it hears afterwards neither miss nor repeat a member, and nobody who is shown joins again.
 */
export class RoomView {
  readonly #members = new Map<string, Member>();
  readonly #localUsers = new Map<string, number>();
  readonly #waiting = new Set<Waiter>();
  #early: PresenceChange[] = [];
  #revision: number | null = null;

  /** Null until the first snapshot. */
  get revision(): number | null {
    return this.#revision;
  }

  members(): readonly Member[] {
    return [...this.#members.values()];
  }

  shows(userId: string): boolean {
    return this.#members.has(userId);
  }

  /** Takes the roster's word where there is no view yet; what came meanwhile is applied on top. */
  begin(snapshot: ViewSnapshot): void {
    if (this.#revision !== null) return;
    for (const member of snapshot.members) this.#members.set(member.userId, member);
    this.#moveTo(snapshot.revision);
    const early = this.#early;
    this.#early = [];
    for (const change of early) this.apply(change);
  }

  /**
   * Applies one announcement.
   * @returns whether the clients here are to be told
   */
  apply(change: PresenceChange): boolean {
    if (this.#revision === null) {
      this.#early.push(change);
      return false;
    }
    if (change.revision <= this.#revision) return false;
    const told = change.type === 'joined' ? this.#add(change.member) : this.#remove(change.member);
    this.#moveTo(change.revision);
    return told;
  }

  /** Resolves once the view has passed a revision; rejects with the signal's reason when that ends first. */
  passed(revision: number, signal: AbortSignal): Promise<void> {
    if (this.#revision !== null && this.#revision >= revision) return Promise.resolve();
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        revision,
        resolve: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  /**
   * After an outage: takes over the roster's word.
   * @param removals false: only who came is shown, and who is missing stays until the others had time to return
   * @returns what the clients here are to be told; null where announcements have overtaken the snapshot, so that
   *   it says nothing about now: ask for another
   */
  reconcile(snapshot: ViewSnapshot, removals: boolean): Pick<PresenceChange, 'type' | 'member'>[] | null {
    const told: Pick<PresenceChange, 'type' | 'member'>[] = [];
    // Nobody sees a list here yet: the join that waits for its own snapshot begins the view.
    if (this.#revision === null) return told;
    if (snapshot.revision < this.#revision) return null;
    const present = new Set(snapshot.members.map((member) => member.userId));
    for (const member of snapshot.members) if (this.#add(member)) told.push({ type: 'joined', member });
    for (const member of removals ? this.members() : []) {
      if (!present.has(member.userId) && this.#remove(member)) told.push({ type: 'left', member });
    }
    this.#moveTo(snapshot.revision);
    return told;
  }

  /** A user of this node is in the room: whatever others announce, his own node does not show him leaving. */
  addLocal(userId: string): void {
    this.#localUsers.set(userId, (this.#localUsers.get(userId) ?? 0) + 1);
  }

  removeLocal(userId: string): void {
    const count = (this.#localUsers.get(userId) ?? 0) - 1;
    if (count > 0) this.#localUsers.set(userId, count);
    else this.#localUsers.delete(userId);
  }

  #moveTo(revision: number): void {
    this.#revision = revision;
    for (const waiter of this.#waiting) {
      if (waiter.revision > revision) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  #add(member: Member): boolean {
    if (this.#members.has(member.userId)) return false;
    this.#members.set(member.userId, member);
    return true;
  }

  #remove(member: Member): boolean {
    if (this.#localUsers.has(member.userId)) return false;
    return this.#members.delete(member.userId);
  }
}
