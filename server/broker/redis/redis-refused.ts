/**
 * Redis answers, but lets us not do what we must: a wrong password or a missing right. At the start it ends the
 * process, since no retry cures it; while running it is an outage like any other.
 */
export class RedisRefusedError extends Error {
  override readonly name = 'RedisRefusedError';
}

/** What only keeping a history needs; where it is missing the server falls back to delivering without one. */
const RECOVERY_RIGHTS = '+psubscribe +punsubscribe +@stream';

/** What an ACL user of ours needs; goes into every refusal, since Redis names only the first thing missing. */
export function neededRights(names: { prefix: string; broadcastPrefix: string; url?: string }): string {
  const ofCluster = names.url?.includes('+cluster:') ? '+cluster|slots +cluster|info ' : '';
  const ofSentinel = names.url?.includes('+sentinel:')
    ? '; its sentinelUser needs +hello +auth +sentinel|get-master-addr-by-name'
    : '';
  const [prefix, broadcastPrefix] = [literally(names.prefix), literally(names.broadcastPrefix)];
  return (
    'commands +hello +auth +info +subscribe +unsubscribe +publish +pubsub +eval +evalsha +time ' +
    `${ofCluster}+@hash +@set +@sortedset +get +set +del +exists +expire, ` +
    `keys ~${prefix}yamabiko:*, channels &${prefix}* &${broadcastPrefix}broadcast; ` +
    `for recovery also ${RECOVERY_RIGHTS}${ofSentinel}`
  );
}

/** Rights are patterns, in which a prefix must stand for itself. The log's PSUBSCRIBE must bear the same words. */
function literally(prefix: string): string {
  return prefix.replaceAll(/[\\*?[\]]/g, '\\$&');
}

/** How the error begins that tells what all Sentinels answered. */
export const NO_SENTINEL = 'no Sentinel names the master';
const WRONG_PASSWORD = /^(WRONGPASS|NOAUTH)|invalid password|Client sent AUTH/;

/** Redis 7 says it of what a script calls in words of its own, and does not say what that was. */
const DENIED = /NOPERM|The user executing the script can't/;

/** @returns null where the error is of another kind (unreachable, timeout) */
export function refusalOf(error: unknown, rights: string): RedisRefusedError | null {
  if (!(error instanceof Error)) return null;
  const reply = error.message;
  if (WRONG_PASSWORD.test(reply))
    return new RedisRefusedError(
      `Redis refused the user or password of YAMABIKO_REDIS_URL (${reply.split(/[.:]/)[0]})`,
      { cause: error },
    );
  if (
    reply.startsWith(NO_SENTINEL) &&
    error.cause instanceof Error &&
    WRONG_PASSWORD.test(error.cause.message)
  )
    return new RedisRefusedError(
      'Sentinel refused the sentinelUser or sentinelPassword of YAMABIKO_REDIS_URL, or wants one',
      { cause: error },
    );
  if (!DENIED.test(reply)) return refusalOf(error.cause, rights);
  return new RedisRefusedError(
    `Redis denied ${attemptOf(error)}: ${reply}. The user of YAMABIKO_REDIS_URL needs ${rights}`,
    { cause: error },
  );
}

/** ioredis puts the command on its errors. Only channels are shown of it: arguments of AUTH are secret. */
function attemptOf(error: Error): string {
  const { name = 'a command', args = [] } =
    (error as { command?: { name?: string; args?: unknown[] } }).command ?? {};
  const channels = name === 'subscribe' ? args : name === 'publish' ? args.slice(0, 1) : [];
  return [name.toUpperCase(), ...channels.slice(0, 3)].join(' ');
}
