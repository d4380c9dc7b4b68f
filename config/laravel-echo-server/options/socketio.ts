import { always, changed, dropped, isOn, kept, type OldOption, wrong } from '../old-option.ts';
import { originsOf } from '../origins-of.ts';

const at = (name: string) => `socketio.${name}`;

const ours = (name: string) => always(at(name), dropped('settled here'));

/** What it handed on to Socket.IO 2. */
export const socketIoOptions: readonly OldOption[] = [
  {
    path: at('origins'),
    given: (value) => originsOf(value),
    absent: () =>
      changed('pages of every site may connect, as before: name yours in http.origins (YAMABIKO_ORIGINS)', {
        'http.origins': ['*'],
      }),
  },
  {
    path: at('serveClient'),
    given: (value) => kept({ 'echo.clientScript': isOn(value) ? '2' : 'off' }),
    absent: () => kept({ 'echo.clientScript': '2' }, 'version 2 at /socket.io/socket.io.js, as before'),
  },
  {
    path: at('path'),
    given: (value) =>
      typeof value === 'string' && value.replace(/\/$/, '') === '/socket.io'
        ? kept({})
        : wrong('must be /socket.io, the only path that is served: let the proxy in front rewrite another'),
  },
  { path: at('pingInterval'), given: (value) => kept({ 'connection.pingIntervalMs': value }) },
  { path: at('pingTimeout'), given: (value) => kept({ 'connection.pingTimeoutMs': value }) },
  { path: at('maxHttpBufferSize'), given: (value) => kept({ 'connection.maxFrameBytes': value }) },
  {
    path: at('transports'),
    given: (value) =>
      Array.isArray(value) && value.includes('polling') && value.includes('websocket')
        ? kept({}, 'both, as always here')
        : changed('both polling and WebSocket are served: the client chooses'),
  },
  {
    path: at('cookie'),
    given: (value) =>
      value === false
        ? kept({}, 'none is set here either')
        : changed('no cookie is set: balance by address, or by a cookie of the proxy'),
  },
  ...['cookiePath', 'cookieHttpOnly', 'allowUpgrades', 'upgradeTimeout', 'perMessageDeflate'].map(ours),
  ...['httpCompression', 'wsEngine', 'parser', 'initialPacket', 'allowRequest', 'adapter'].map(ours),
];
