import { guardedCall } from './guarded-call.ts';
import { Listeners } from './listeners.ts';
import { decodeMember, type Member } from './wire.ts';

/** Who is in the room, as the server tells: the list at each subscription, then who comes and who goes. */
export class MemberList {
  readonly #members = new Map<string, Member>();
  /** Whether the list of this membership has come. */
  #known = false;
  readonly #here = new Listeners<[users: never]>();
  readonly #moves = new Listeners<[user: never]>();

  /** `isCurrent`: whether the list is that of a living subscription. */
  onHere(callback: (users: never) => void, isCurrent: boolean): void {
    this.#here.add('', callback);
    if (this.#known && isCurrent) queueMicrotask(() => guardedCall(callback, this.#users() as never));
  }

  onMove(event: 'presence:joining' | 'presence:leaving', callback: (user: never) => void): void {
    this.#moves.add(event, callback);
  }

  receive(event: string, data: unknown): void {
    if (event === 'presence:subscribed') return this.#replace(Array.isArray(data) ? data : []);
    if (event !== 'presence:joining' && event !== 'presence:leaving') return;
    const member = decodeMember(data);
    if (!member) return;
    const key = String(member.user_id);
    if (event === 'presence:joining') this.#members.set(key, member);
    else this.#members.delete(key);
    this.#moves.call(event, member.user_info as never);
  }

  /** The membership ended: the next list is that of a new one. */
  forget(): void {
    this.#known = false;
  }

  clear(): void {
    this.#here.clear();
    this.#moves.clear();
  }

  /** A renewed token brings the list again: no news, unless it differs. */
  #replace(list: readonly unknown[]): void {
    const members = list.map(decodeMember).filter((member) => member !== null);
    const keys = new Set(members.map((member) => String(member.user_id)));
    const isNews =
      !this.#known || keys.size !== this.#members.size || [...keys].some((key) => !this.#members.has(key));
    this.#known = true;
    this.#members.clear();
    for (const member of members) this.#members.set(String(member.user_id), member);
    if (isNews) this.#here.call('', this.#users() as never);
  }

  #users(): unknown[] {
    return [...this.#members.values()].map((member) => member.user_info);
  }
}
