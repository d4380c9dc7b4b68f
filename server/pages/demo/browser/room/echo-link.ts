import Echo from 'laravel-echo';
import { io } from 'socket.io-client';
import { publish, userHeader } from '../demo-api.ts';
import type { DemoUser, RoomUser } from '../users.ts';
import { passOn, ROOM, type RoomEvents, type RoomLink } from './room-link.ts';

const EVENT = 'OrderShipped';

/**
 * Laravel Echo exactly as it ships. It can listen and whisper; to speak it asks Laravel, which writes to Redis
 * (here: the demo's stand-in).
 */
export function openEchoLink(me: DemoUser, room: RoomEvents): RoomLink {
  const echo = new Echo({
    broadcaster: 'socket.io',
    client: io,
    host: location.origin,
    forceNew: true,
    auth: { headers: userHeader(me) },
  });
  room.status('connecting');
  const stopStatus = echo.connector.onConnectionChange((status) => room.status(status));
  // The built-in connector's `.subscribed()` and `.error()` never fire, so the page listens below it.
  echo.connector.socket.on('subscription_succeeded', (channel: string) => room.subscribed(channel));
  echo.connector.socket.on('subscription_error', (channel: string, status: number) => {
    room.trouble(`${channel} was refused (${status})`);
  });

  const presence = echo.join(ROOM);
  presence
    .here((users: RoomUser[]) => room.here(users))
    .joining((user: RoomUser) => room.joining(user))
    .leaving((user: RoomUser) => room.leaving(user))
    .listen('.message', (message: { sender?: RoomUser; data?: unknown }) => {
      if (message.sender) passOn(room, message.sender, message.data);
    })
    .listen(EVENT, () => room.laravelEvent(`presence-${ROOM}`, EVENT))
    .listenForWhisper('typing', ({ name }: { name: string }) => room.typing(name));
  echo.private(ROOM).listen(EVENT, () => room.laravelEvent(`private-${ROOM}`, EVENT));
  echo.channel(ROOM).listen(EVENT, () => room.laravelEvent(ROOM, EVENT));

  return {
    send: async (message, to) => {
      const socketId = echo.socketId();
      const body = { message, name: me.name, target_user_id: to };
      await publish('chat', body, { ...userHeader(me), ...(socketId ? { 'X-Socket-ID': socketId } : {}) });
    },
    whisperTyping: () => presence.whisper('typing', { name: me.name }),
    socketId: () => echo.socketId(),
    close: () => {
      stopStatus();
      echo.disconnect();
    },
  };
}
