import { type Check, fault, note, ok } from '../check.ts';
import { oneRequest } from '../one-request.ts';
import { isSticky } from '../polling-session.ts';

/** Requests of one polling session; enough that a second node behind a balancer is met. */
const TRIES = 8;

/** The running server, as browsers reach it by `--url`: ready, and polling stays at its node. */
export const serverCheck: Check = {
  name: 'server',
  run: async ({ publicUrl }) => {
    if (publicUrl === null)
      return [note('--url <address> looks at the running server too, through its proxy')];
    const ready = await oneRequest(new URL('/health/ready', publicUrl));
    if ('failed' in ready)
      return [
        fault(`nothing answers at ${publicUrl} (${ready.failed})`, 'start the server, or correct --url'),
      ];
    if (ready.status === 503)
      return [fault('it runs, but is not ready', 'Redis is away, or it is about to end: its log says why')];
    if (ready.status !== 200)
      return [
        fault(
          `it answers ${ready.status} at /health/ready`,
          'the proxy leads elsewhere: see docs/production.md',
        ),
      ];
    const session = await isSticky(publicUrl, TRIES);
    if (session === 'sticky') return [ok('ready, and a polling session stays at its node')];
    if (session === 'lost')
      return [
        fault(
          'a polling session meets another node, which does not know it',
          'balance by address or by a cookie (sticky sessions), or let pages use transports: ["websocket"] alone',
        ),
      ];
    return [
      fault(
        `/socket.io/ answers ${session}`,
        'the proxy must hand on /socket.io/ whole: see docs/production.md',
      ),
    ];
  },
};
