import { createMember } from '../../domain/member.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import type { RedisRoom } from './redis-room.ts';
import type { RosterLease } from './roster-lease.ts';

/** A room of ours that no client's traffic touches: no channel's name begins with #. */
const CHECK_ROOM = '#yamabiko:check';

/**
 * Does once what every join does, so that a missing right is told at the start and not by every client.
 * Where Redis is unreachable there is nothing to tell.
 * @throws RedisRefusedError
 */
export async function checkRosterRights(
  connections: RedisConnections,
  roomOf: (name: string) => RedisRoom,
  lease: RosterLease,
): Promise<void> {
  const room = roomOf(CHECK_ROOM);
  const field = lease.field('check');
  const member = createMember({ userIdJson: '"check"', socketId: 'check' });
  try {
    await connections.call((redis) => lease.list(redis, CHECK_ROOM));
    await connections.call((redis) => lease.unlist(redis, CHECK_ROOM));
    await connections.call((redis) => room.enter(redis, { field, member }, 0));
    await connections.call((redis) => room.leave(redis, field, 0));
  } catch (err) {
    const refusal = connections.refusal(err);
    if (refusal !== null) throw refusal;
  }
}
