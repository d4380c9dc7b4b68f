import { fetchToken, messageOf } from '../demo-api.ts';
import type { DemoUser, RoomUser } from '../users.ts';
import { passOn, ROOM, type RoomEvents, type RoomLink } from './room-link.ts';

type Frame =
  | { readonly type: 'connected'; readonly users: readonly RoomUser[] }
  | { readonly type: 'connectOther' | 'disconnectOther'; readonly data: { readonly user: RoomUser } }
  | { readonly type: 'message'; readonly sender: RoomUser; readonly data: unknown }
  | {
      readonly type: 'sended';
      readonly ok: boolean;
      readonly id?: string | number;
      readonly error?: { readonly message: string };
    }
  | { readonly type: 'error'; readonly code: string; readonly message: string };

/** Closures after which coming back is of no use: abuse, a channel not allowed, ended by the application. */
const FINAL_CLOSES: ReadonlySet<number> = new Set([4400, 4403, 4409]);
const LONGEST_WAIT_MS = 10_000;

interface Pending {
  resolve(): void;
  reject(error: Error): void;
}

/** The seed's protocol with nothing but the browser's own WebSocket. */
export function openRawLink(me: DemoUser, room: RoomEvents): RoomLink {
  const pending = new Map<number, Pending>();
  let socket: WebSocket | null = null;
  let timer: number | undefined;
  let attempts = 0;
  let sent = 0;
  let closed = false;

  const connect = async (): Promise<void> => {
    const token = await fetchToken(ROOM, me);
    if (closed) return;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    socket = new WebSocket(`${scheme}://${location.host}/ws?token=${encodeURIComponent(token)}`);
    socket.addEventListener('message', ({ data }) => receive(JSON.parse(String(data)) as Frame));
    socket.addEventListener('close', ({ code }) => lost(code));
  };

  const tryToConnect = (): void => {
    room.status(attempts === 0 ? 'connecting' : 'reconnecting');
    connect().catch((error: unknown) => {
      room.trouble(messageOf(error));
      lost(0);
    });
  };

  const lost = (code: number): void => {
    for (const { reject } of pending.values()) reject(new Error('the connection was lost'));
    pending.clear();
    if (closed) return;
    if (FINAL_CLOSES.has(code)) {
      room.status('failed');
      return;
    }
    room.status('reconnecting');
    timer = window.setTimeout(tryToConnect, Math.min(500 * 2 ** attempts++, LONGEST_WAIT_MS));
  };

  const receive = (frame: Frame): void => {
    if (closed) return;
    switch (frame.type) {
      case 'connected':
        attempts = 0;
        room.status('connected');
        room.subscribed(ROOM);
        return room.here(frame.users);
      case 'connectOther':
        return room.joining(frame.data.user);
      case 'disconnectOther':
        return room.leaving(frame.data.user);
      case 'message':
        return passOn(room, frame.sender, frame.data);
      case 'sended':
        return settle(frame);
      case 'error':
        return room.trouble(frame.message);
    }
  };

  const settle = (frame: Extract<Frame, { type: 'sended' }>): void => {
    const waiting = pending.get(Number(frame.id));
    pending.delete(Number(frame.id));
    if (frame.ok) waiting?.resolve();
    else waiting?.reject(new Error(frame.error?.message ?? 'refused'));
  };

  tryToConnect();
  return {
    send: (message, to) =>
      new Promise((resolve, reject) => {
        if (socket?.readyState !== WebSocket.OPEN) return reject(new Error('not connected'));
        const id = ++sent;
        pending.set(id, { resolve, reject });
        const data = { message, name: me.name, ...(to === null ? {} : { target_user_id: to }) };
        socket.send(JSON.stringify({ data, id }));
      }),
    close: () => {
      closed = true;
      window.clearTimeout(timer);
      socket?.close();
      lost(1000);
    },
  };
}
