import type { Heard, Visitor } from './doors.ts';

/**
 * A visitor and what he must believe of the room: his list, moved on by what he hears. Whatever cannot be true
 * (one who is shown comes again, a stranger leaves, a list with somebody twice) becomes a fault.
 */
export class Onlooker {
  readonly visitor: Visitor;
  readonly shown: Set<string>;
  /** All that he heard, in his order, as one line each. */
  readonly story: string[] = [];
  readonly faults: string[] = [];

  constructor(visitor: Visitor) {
    this.visitor = visitor;
    this.shown = new Set(visitor.list);
    if (this.shown.size !== visitor.list.length) this.#fault(`a list with repeats: ${visitor.list}`);
    if (!this.shown.has(visitor.user.name)) this.#fault('a list without himself');
  }

  /** Takes in what he has heard since the last time. */
  look(): this {
    for (const heard of this.visitor.heard.drain()) this.#take(heard);
    return this;
  }

  names(): string[] {
    return [...this.shown].sort();
  }

  #take(heard: Heard): void {
    if (heard.type === 'message') {
      this.story.push(`${heard.sender.name}: ${(heard.data as { message: string }).message}`);
      return;
    }
    const { type, user } = heard;
    this.story.push(`${type} ${user}`);
    if (type === 'joined' && this.shown.has(user)) this.#fault(`${user} joined, and was there`);
    if (type === 'left' && !this.shown.has(user)) this.#fault(`${user} left, and was not there`);
    if (type === 'left' && user === this.visitor.user.name) this.#fault('his own leaving');
    if (type === 'joined') this.shown.add(user);
    else this.shown.delete(user);
  }

  #fault(what: string): void {
    this.faults.push(`${this.visitor.user.name} heard of ${what}`);
  }
}

/** Where one's order of hearing is not the tail of another's, who was there before him. @returns what differs, or null */
export function orderFault(first: Onlooker, later: Onlooker): string | null {
  const tail = first.story.slice(first.story.length - later.story.length);
  const at = later.story.findIndex((line, i) => line !== tail[i]);
  if (at < 0 && later.story.length <= first.story.length) return null;
  const name = later.visitor.user.name;
  return `${name} heard "${later.story[at]}" where the first heard "${tail[at]}" (${at} of ${tail.length})`;
}
