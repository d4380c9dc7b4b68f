import { decodeMember, type Member } from '../../domain/member.ts';

/** Members kept of each age; beyond it the ages change earlier. A member is some hundred bytes. */
const MAX_MEMBERS = 20_000;
/** Who has not been seen for one to two of these is forgotten, in milliseconds. */
const AGE_MS = 30_000;

/**
 * Decodes each member's text once: every join brings the room's whole list again, and decoding it each time
 * would hold the process up for as many milliseconds as the room has hundreds of users. Each connection makes a text of
 * its own, so those who are gone must go from here too.
 */
export class MemberCache {
  #young = new Map<string, Member>();
  #old = new Map<string, Member>();
  #youngSinceMs = performance.now();

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** @returns null for what no roster of ours wrote */
  decode(json: string, nowMs: number = performance.now()): Member | null {
    if (nowMs - this.#youngSinceMs > AGE_MS || this.#young.size >= MAX_MEMBERS) this.#grow(nowMs);
    const known = this.#young.get(json);
    if (known !== undefined) return known;
    const member = this.#old.get(json) ?? decodeMember(json);
    if (member === null) return null;
    this.#old.delete(json);
    this.#young.set(json, member);
    return member;
  }

  #grow(nowMs: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSinceMs = nowMs;
  }
}
