import { appendBounded, make } from '../elements.ts';
import type { DemoUser, RoomUser } from '../users.ts';

export interface MessageLog {
  message(sender: RoomUser, text: string): void;
  /** What this pane sent to one user. */
  sentTo(name: string, text: string): void;
  laravelEvent(wire: string, event: string): void;
  /** Who came and left. */
  note(text: string): void;
  trouble(text: string): void;
}

const MAX_ENTRIES = 100;

export function createMessageLog(
  list: HTMLElement,
  me: DemoUser,
  colourOf: (id: number | string) => string,
): MessageLog {
  const add = (kind: string, colour: string, ...content: (Node | string)[]): void => {
    const entry = make('li', `entry entry-${kind}`, ...content);
    entry.dataset.colour = colour;
    appendBounded(list, entry, MAX_ENTRIES);
  };
  const line = (kind: string, who: string, colour: string, text: string): void =>
    add(kind, colour, make('span', 'entry-who', who), make('span', 'entry-text', text));

  return {
    message: (sender, text) =>
      line(sender.id === me.id ? 'mine' : 'message', sender.name, colourOf(sender.id), text),
    sentTo: (name, text) => line('private', `to ${name} only`, colourOf(me.id), text),
    laravelEvent: (wire, event) => line('event', event, 'laravel', `on ${wire}`),
    note: (text) => add('note', 'other', text),
    trouble: (text) => add('trouble', 'trouble', text),
  };
}
