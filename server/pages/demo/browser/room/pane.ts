import { messageOf } from '../demo-api.ts';
import { find, make } from '../elements.ts';
import type { DemoUser, RoomUser } from '../users.ts';
import { createMemberList } from './member-list.ts';
import { createMessageLog } from './message-log.ts';
import type { LinkStatus, OpenRoom, RoomLink } from './room-link.ts';

export interface PaneOptions {
  readonly root: HTMLElement;
  readonly me: DemoUser;
  readonly open: OpenRoom;
  /** Which colour a sender has, by his id. */
  colourOf(senderId: number | string): string;
  /** Told of each message of the room, in the order in which this pane hears them. */
  onMessage(sender: RoomUser, text: string): void;
}

export interface Pane {
  /** Sends to everybody, as if typed; what goes wrong is shown in the pane. */
  say(text: string): Promise<void>;
  socketId(): string | undefined;
}

/** A whisper for each key pressed would be a flood; the note stays a little longer than this. */
const TYPING_EVERY_MS = 2000;

/** One way into the room with its light, its members, its log and its input. */
export function createPane({ root, me, open, colourOf, onMessage }: PaneOptions): Pane {
  const light = find(root, '[data-light]', HTMLElement);
  const toggle = find(root, '[data-toggle]', HTMLButtonElement);
  const input = find(root, '[data-input]', HTMLInputElement);
  const recipient = find(root, '[data-recipient]', HTMLSelectElement);
  const typing = find(root, '[data-typing]', HTMLElement);
  const wires = find(root, '[data-wires]', HTMLElement);
  const log = createMessageLog(find(root, '[data-log]', HTMLElement), me, colourOf);
  const members = createMemberList(root, recipient, me, colourOf);
  let link: RoomLink | null = null;
  let typingTimer: number | undefined;
  let whisperedAt = 0;

  const showStatus = (status: LinkStatus): void => {
    root.dataset.status = status;
    light.textContent = status;
    if (status !== 'connected') wires.replaceChildren();
  };

  const showWire = (wire: string): void => {
    const shown = [...wires.children].map((item) => item.textContent);
    if (!shown.includes(wire)) wires.append(make('li', 'wire-name', wire));
  };

  const showTyping = (name: string): void => {
    typing.textContent = `${name} is typing…`;
    window.clearTimeout(typingTimer);
    typingTimer = window.setTimeout(() => {
      typing.textContent = '';
    }, TYPING_EVERY_MS + 1000);
  };

  const connect = (): void => {
    link = open(me, {
      status: showStatus,
      subscribed: showWire,
      here: members.here,
      joining: (user) => {
        if (members.add(user)) log.note(`${user.name} came`);
      },
      leaving: (user) => {
        if (members.remove(user)) log.note(`${user.name} left`);
      },
      message: (sender, text) => {
        typing.textContent = '';
        log.message(sender, text);
        onMessage(sender, text);
      },
      laravelEvent: log.laravelEvent,
      typing: showTyping,
      trouble: log.trouble,
    });
    toggle.textContent = 'Disconnect';
  };

  const disconnect = (): void => {
    link?.close();
    link = null;
    members.here([]);
    showStatus('disconnected');
    toggle.textContent = 'Connect';
  };

  const send = async (text: string, to: number | null, toName: string): Promise<void> => {
    try {
      if (link === null) throw new Error('not connected');
      await link.send(text, to);
      // To one user means to that user only: the sender has no copy of his own.
      if (to !== null) log.sentTo(toName, text);
    } catch (error) {
      log.trouble(messageOf(error));
    }
  };

  toggle.addEventListener('click', () => (link === null ? connect() : disconnect()));
  find(root, '[data-composer]', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text === '') return;
    const to = recipient.value === '' ? null : Number(recipient.value);
    input.value = '';
    void send(text, to, recipient.selectedOptions[0]?.textContent ?? '');
  });
  input.addEventListener('input', () => {
    if (performance.now() - whisperedAt < TYPING_EVERY_MS && whisperedAt > 0) return;
    whisperedAt = performance.now();
    link?.whisperTyping?.();
  });

  find(root, '[data-me]', HTMLElement).textContent = me.name.replace(/ of .*/, '');
  connect();
  return { say: (text) => send(text, null, ''), socketId: () => link?.socketId?.() };
}
