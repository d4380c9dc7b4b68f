import Echo from 'laravel-echo';
import { YamabikoConnector, type YamabikoEcho } from 'yamabiko-echo-connector';
import { fetchToken } from '../demo-api.ts';
import type { DemoUser, RoomUser } from '../users.ts';
import { passOn, ROOM, type RoomEvents, type RoomLink } from './room-link.ts';

const EVENT = 'OrderShipped';

/** Echo with our connector: the JWT channel itself, so that it lists, listens and sends without asking Laravel. */
export function openConnectorLink(me: DemoUser, room: RoomEvents): RoomLink {
  const echo: YamabikoEcho = new Echo<'function'>({
    broadcaster: YamabikoConnector,
    host: location.origin,
    token: () => fetchToken(ROOM, me),
  });
  room.status('connecting');
  const stopStatus = echo.connector.onConnectionChange((status) => room.status(status));

  const channel = echo.channel(ROOM);
  channel
    .here((users: RoomUser[]) => room.here(users))
    .joining((user: RoomUser) => room.joining(user))
    .leaving((user: RoomUser) => room.leaving(user))
    .onMessage(({ sender, data }) => passOn(room, sender, data))
    .listen(EVENT, () => room.laravelEvent(ROOM, EVENT))
    .subscribed(() => room.subscribed(ROOM))
    .error(({ code, message }) => room.trouble(`${code}: ${message}`));
  const presence = echo
    .join(ROOM)
    .subscribed(() => room.subscribed(`presence-${ROOM}`))
    .listen(EVENT, () => room.laravelEvent(`presence-${ROOM}`, EVENT))
    .listenForWhisper('typing', ({ name }: { name: string }) => room.typing(name));
  echo
    .private(ROOM)
    .subscribed(() => room.subscribed(`private-${ROOM}`))
    .listen(EVENT, () => room.laravelEvent(`private-${ROOM}`, EVENT));

  return {
    send: async (message, to) => {
      await channel.send({ message, name: me.name, ...(to === null ? {} : { target_user_id: to }) });
    },
    whisperTyping: () => presence.whisper('typing', { name: me.name }),
    close: () => {
      stopStatus();
      echo.disconnect();
    },
  };
}
