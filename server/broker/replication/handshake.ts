import { RedisRefusedError } from '../redis/redis-refused.ts';
import { type Backlog, parseBacklog } from './backlog.ts';
import { type Reply, ReplyError } from './reply.ts';

/** Sends a command and resolves with the reply. @throws ReplyError */
export type Ask = (...parts: readonly string[]) => Promise<Reply>;

export interface Credentials {
  readonly username: string | null;
  readonly password: string | null;
}

/** What an ACL user needs besides what everybody of ours needs. Keys and channels play no role: PSYNC shows everything. */
export const REPLICATION_RIGHTS = 'commands +hello +auth +info +replconf +psync';

const CONNECTION_NAME = 'yamabiko-replication';
/**
 * Not the port of anything. Redis takes it; a Sentinel does not take a replica with such a port into its list, so it
 * neither watches us nor promotes us. (Without a port it lists us for ever, as a replica that is down.)
 */
const NO_PORT = '-1';

/**
 * Has a Redis take this connection for a replica that needs no data.
 * @throws ReplyError, RedisRefusedError where this Redis can never do it
 */
export async function introduce(ask: Ask, { username, password }: Credentials): Promise<Backlog> {
  const auth = password === null ? [] : ['AUTH', username ?? 'default', password];
  const hello = await ask('HELLO', '2', ...auth, 'SETNAME', CONNECTION_NAME);
  if (fieldOf(hello, 'mode') === 'cluster')
    throw new RedisRefusedError(
      'Redis Cluster does not replicate what is published, so its replication stream cannot be the source of broadcasts',
    );
  const backlog = parseBacklog(String(await ask('INFO', 'replication')));
  if (backlog.role !== 'master')
    throw new Error('this Redis is a replica: only the stream of a master holds what is published');
  await ask('REPLCONF', 'listening-port', NO_PORT);
  // Without "eof" Redis 7 ends itself by an assertion when it makes the filtered data set.
  await ask('REPLCONF', 'capa', 'eof', 'capa', 'psync2');
  await ask('REPLCONF', 'rdb-filter-only', '').catch(tellVersion);
  return backlog;
}

function tellVersion(error: unknown): never {
  if (error instanceof ReplyError && /unrecognized/i.test(error.message))
    throw new RedisRefusedError(
      'this Redis is older than 7.0, which would send its whole data set first (REPLCONF rdb-filter-only)',
      { cause: error },
    );
  throw error;
}

/** Of RESP 2 pairs. */
function fieldOf(reply: Reply, name: string): Reply {
  if (!Array.isArray(reply)) return null;
  const at = reply.indexOf(name);
  return at < 0 ? null : (reply[at + 1] ?? null);
}
