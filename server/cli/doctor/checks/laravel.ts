import { type Check, type Finding, fault, type LaravelReply, note, ok, warning } from '../check.ts';

const TLS_CODE = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO/;

/** What Laravel's endpoint answers to a guest: 401 or 403 is as it should be. */
export const laravelCheck: Check = {
  name: 'laravel',
  run: async ({ askLaravel, config }) => {
    const reply = await askLaravel();
    if (reply === null)
      return [note('no endpoint is set: private and presence channels need a JWT', 'set YAMABIKO_AUTH_URL')];
    return ['failed' in reply ? unreachable(reply.failed, config.auth.url ?? '') : judge(reply)];
  },
};

function unreachable(code: string, url: string): Finding {
  const { origin } = new URL(url);
  if (TLS_CODE.test(code))
    return fault(
      `the certificate of ${origin} is not accepted (${code})`,
      'for an authority of your own (Herd, Valet) set NODE_EXTRA_CA_CERTS=/path/of/its.pem',
    );
  return fault(
    `${origin} does not answer (${code})`,
    'start Laravel, or correct YAMABIKO_AUTH_URL (from inside a container localhost is the container)',
  );
}

function judge({ status, body, type, location }: Exclude<LaravelReply, { failed: string }>): Finding {
  if (status === 401 || status === 403) return ok(`it refuses a guest with ${status}, as it should`);
  if (status >= 300 && status < 400)
    return fault(
      `it redirects to ${location ?? 'elsewhere'}: a login page, or http to https`,
      'give YAMABIKO_AUTH_URL as it is after the redirect; guards must answer JSON requests with 401',
    );
  if (
    status === 200 &&
    (type.includes('text/html') || body.trimStart().startsWith('<')) &&
    body.trim() !== 'true'
  )
    return fault(
      'it answers 200 with a page of HTML: a login page, or no Laravel at all',
      'YAMABIKO_AUTH_URL must be the whole URL of /broadcasting/auth',
    );
  if (status === 200)
    return warning(
      'it lets a guest into private-yamabiko-doctor',
      'routes/channels.php says yes to everybody: put the route under auth',
    );
  const known = STATUS[status];
  return known === undefined
    ? fault(`it answers ${status}, which is neither yes nor no`, 'look into its log')
    : fault(`it answers ${status}: ${known.says}`, known.cure);
}

const STATUS: Readonly<Record<number, { readonly says: string; readonly cure: string }>> = {
  404: {
    says: 'there is no such route',
    cure: 'enable BroadcastServiceProvider in config/app.php (Laravel 8 to 10), or run `php artisan install:broadcasting` (from 11); or correct YAMABIKO_AUTH_URL',
  },
  405: {
    says: 'the route takes no POST',
    cure: 'YAMABIKO_AUTH_URL must be the whole URL of /broadcasting/auth',
  },
  419: {
    says: 'it wants a CSRF token, which no server can have: the session does not belong to that route',
    cure: 'use /broadcasting/auth, or take your own route out of VerifyCsrfToken (`$except`)',
  },
  429: { says: 'it is asked too often', cure: 'take the throttle middleware off the broadcasting route' },
  500: {
    says: 'it threw an exception',
    cure: 'look into storage/logs/laravel.log; on the pusher and reverb drivers it wants credentials that are none of ours: use BROADCAST_CONNECTION=redis',
  },
  502: { says: 'the web server before it cannot reach PHP', cure: 'start php-fpm' },
  503: { says: 'it is in maintenance mode', cure: 'php artisan up' },
};
