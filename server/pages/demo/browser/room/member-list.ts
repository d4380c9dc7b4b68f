import { find, make } from '../elements.ts';
import type { DemoUser, RoomUser } from '../users.ts';

export interface MemberList {
  here(users: readonly RoomUser[]): void;
  /** False for a user who is shown already. */
  add(user: RoomUser): boolean;
  /** False for a user who is not shown. */
  remove(user: RoomUser): boolean;
}

/** Who is here, and who can be written to: the list and the recipients of one pane. */
export function createMemberList(
  root: HTMLElement,
  recipient: HTMLSelectElement,
  me: DemoUser,
  colourOf: (id: number | string) => string,
): MemberList {
  const list = find(root, '[data-members]', HTMLElement);
  const count = find(root, '[data-count]', HTMLElement);
  const members = new Map<string, RoomUser>();

  const chip = (user: RoomUser): HTMLElement => {
    const item = make('li', 'member', make('span', 'member-name', user.name));
    if (user.id === me.id) item.append(make('span', 'member-you', 'you'));
    item.dataset.colour = colourOf(user.id);
    item.dataset.userId = String(user.id);
    return item;
  };

  const draw = (): void => {
    list.replaceChildren(...[...members.values()].map(chip));
    count.textContent = String(members.size);
    const chosen = recipient.value;
    // A user whose id is no number can't be a `target_user_id`, which is an integer.
    const others = [...members.values()].filter((user) => user.id !== me.id && typeof user.id === 'number');
    recipient.replaceChildren(
      new Option('Everybody', ''),
      ...others.map((user) => new Option(user.name, String(user.id))),
    );
    recipient.value = others.some((user) => String(user.id) === chosen) ? chosen : '';
  };

  return {
    here: (users) => {
      members.clear();
      for (const user of users) members.set(String(user.id), user);
      draw();
    },
    add: (user) => {
      const isNew = !members.has(String(user.id));
      members.set(String(user.id), user);
      draw();
      return isNew;
    },
    remove: (user) => {
      const wasHere = members.delete(String(user.id));
      draw();
      return wasHere;
    },
  };
}
