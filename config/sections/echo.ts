import { boolean, choice } from '../kinds.ts';

export const echoSettings = {
  clientScript: choice({
    env: 'YAMABIKO_CLIENT_SCRIPT',
    default: '4',
    choices: ['4', '2', 'off'],
    doc: 'Which socket.io-client is served at `/socket.io/socket.io.js`, where old pages load it from: 4, or 2 as laravel-echo-server did. Pages that bundle their own need none; either connects.',
  }),
  httpEvents: boolean({
    env: 'YAMABIKO_HTTP_EVENTS',
    default: true,
    doc: "Whether apps may publish by the HTTP API (`POST /apps/:id/events`), as laravel-echo-server's `subscribers.http`. If false they only read.",
  }),
} as const;
