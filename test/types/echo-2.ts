// What a page with laravel-echo 2 may write, and what must not compile. Never run: tsc reads it.
import { configureEcho as configureReact, echo as reactEcho } from '@laravel/echo-react';
import { configureEcho as configureVue } from '@laravel/echo-vue';
import Echo, { type Channel, type ConnectionStatus, type PresenceChannel } from 'laravel-echo';
import {
  type YamabikoCode,
  YamabikoConnector,
  type YamabikoEcho,
  type YamabikoError,
  type YamabikoOptions,
  type YamabikoPresenceChannel,
  yamabikoBroadcaster,
} from '../../echo-connector/src/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T | undefined => undefined;

const echo: YamabikoEcho = new Echo<'function'>({
  broadcaster: YamabikoConnector,
  host: 'https://ws.example.com',
  token: 'a token',
});

// The channels are typed, and not silently `any` as Echo leaves them.
holds<Equal<ReturnType<typeof echo.join>, YamabikoPresenceChannel>>();

echo
  .channel('chat:room1')
  .listen('Shipped', (order: { id: number }) => order.id)
  .listenToAll((event, data) => [event.length, data])
  .notification((note: { text: string }) => note.text)
  .here((users: Array<{ name: string }>) => users.length)
  .joining<{ name: string }>((user) => user.name)
  .leaving(() => {})
  .onMessage<{ message: string }>(({ sender, data }) => `${sender.name}: ${data.message}`)
  .onGap(({ reason, position }) => [reason.length, position?.length])
  .recovered(({ recovered, replayed }) => recovered || replayed.toFixed())
  .subscribed(() => {})
  .error(({ code, status, message }) => [advise(code), status.toFixed(), message.length]);

const sent: Promise<void> = echo.private('chat:room1').send({ message: 'hello' });
sent.catch((error: YamabikoError) => advise(error.code));
echo
  .join('chat:room1')
  .whisper('typing', { by: 1 })
  .listenForWhisper('typing', () => {});
const status: ConnectionStatus = echo.connector.connectionStatus();
const stop: () => void = echo.connector.onConnectionChange((now) => now === status);
stop();

// Ours fit where Echo's own are asked for.
const asChannel: Channel = echo.channel('a');
const asPresence: PresenceChannel = echo.join('a');
asPresence.here(() => {}).joining(() => asChannel.stopListening('a'));

// The hooks' packages, through the wrapper.
configureReact(yamabikoBroadcaster({ host: 'https://ws.example.com', token: (channel) => channel }));
configureVue(yamabikoBroadcaster({ token: async () => null, transports: ['websocket'] }));
reactEcho().private('a');

// @ts-expect-error: the reason for the wrapper, BroadcastDriver leaves classes out
configureReact({ broadcaster: YamabikoConnector, host: 'https://ws.example.com' });

const options: YamabikoOptions = { token: { 'chat:1': 't', news: null }, reconnectionAttempts: 5 };
holds<Equal<typeof options.tokenEndpoint, string | undefined>>();

// @ts-expect-error: a token is a string, a map or a function, never a number
yamabikoBroadcaster({ token: 5 });
// @ts-expect-error: a token function gives a string or null
yamabikoBroadcaster({ token: () => 5 });
// @ts-expect-error: an option with a slip of the pen
yamabikoBroadcaster({ tokenEndPoint: '/token' });
// @ts-expect-error: with it socket.io-client sends again by itself, and a send is sent once
yamabikoBroadcaster({ retries: 3 });
// @ts-expect-error: data is a hash (the seed's protocol)
echo.channel('a').send('hello');
// @ts-expect-error: nobody whispers on a plain channel
echo.channel('a').whisper('typing', {});
// @ts-expect-error: private-X makes no member and gets no list
echo.private('a').here(() => {});
// @ts-expect-error: without a type of its own the data is unknown, not any
echo.channel('a').listen('Shipped', (order) => order.id);
// @ts-expect-error: a code that does not exist
const wrong: YamabikoCode = 'token_gone';

/** Whoever handles every code hears from the compiler when there is a new one. */
function advise(code: YamabikoCode): string {
  switch (code) {
    case 'token_missing':
    case 'token_invalid':
    case 'token_expired':
      return 'log in again';
    case 'rate_limited':
    case 'limit_reached':
    case 'too_slow':
      return 'slower';
    case 'ask_error':
    case 'auth_error':
    case 'unavailable':
    case 'restarting':
    case 'internal_error':
    case 'timed_out':
      return 'later';
    case 'denied':
    case 'forbidden':
    case 'not_subscribed':
    case 'send_forbidden':
    case 'ended':
      return 'not for you';
    case 'invalid_message':
    case 'invalid_channel':
    case 'invalid_event':
    case 'invalid_data':
    case 'cancelled':
    case 'not_found':
    case 'too_large':
    case 'unsupported_media_type':
    case 'protocol_abuse':
      return `a mistake in the page: ${wrong}`;
    default: {
      const never: never = code;
      return never;
    }
  }
}
