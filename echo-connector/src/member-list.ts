import { guardedCall } from './guarded-call.ts';
import { Listeners } from './listeners.ts';
import { decodeMember, type Member } from './wire.ts';

/** Who is in the room, as the server tells: the list at each subscription, then who comes and who goes. */
export class MemberList {
  readonly #members = new Map<string, Member>();
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

  clear(): void {
    this.#here.clear();
    this.#moves.clear();
  }

  #replace(list: readonly unknown[]): void {
    this.#members.clear();
    this.#known = true;
    for (const entry of list) {
      const member = decodeMember(entry);
      if (member) this.#members.set(String(member.user_id), member);
    }
    this.#here.call('', this.#users() as never);
  }

  #users(): unknown[] {
    return [...this.#members.values()].map((member) => member.user_info);
  }
}
