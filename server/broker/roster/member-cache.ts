import { decodeMember, type Member } from '../../domain/member.ts';

/** Members kept; beyond it the oldest go. A member is some hundred bytes. */
const MAX_MEMBERS = 20_000;

/**
 * Decodes each member's text once: every join brings the room's whole list again, and decoding it each time
 * would hold the process up for as many milliseconds as the room has hundreds of users.
 */
export class MemberCache {
  readonly #byJson = new Map<string, Member>();

  /** @returns null for what no roster of ours wrote */
  decode(json: string): Member | null {
    const known = this.#byJson.get(json);
    if (known !== undefined) return known;
    const member = decodeMember(json);
    if (member === null) return null;
    if (this.#byJson.size >= MAX_MEMBERS) this.#forgetOldest();
    this.#byJson.set(json, member);
    return member;
  }

  #forgetOldest(): void {
    for (const json of this.#byJson.keys()) {
      this.#byJson.delete(json);
      return;
    }
  }
}
