import { Router } from 'express';
import { parseChannelName, type ReservedNames } from '../../domain/channel-name.ts';
import { isRejection, reject } from '../../domain/outcome.ts';
import type { NodeFacts } from '../../flows/describe-node.ts';
import type { EndUser } from '../../flows/end-user.ts';
import { sendRejection } from './http-api-refusal.ts';

export interface Operations {
  /** Ends a user on all nodes. @throws UnavailableError where a node did not answer; the others have done it */
  endUser(end: EndUser): Promise<number>;
  /** Every living node. @throws UnavailableError */
  nodes(): Promise<readonly NodeFacts[]>;
  readonly reserved: ReservedNames;
}

/** Longest user id in a path, in characters. */
const MAX_USER_ID_LENGTH = 200;

/** Beyond laravel-echo-server's API: end users, see the nodes. Mounted behind the same key. */
export function createOperations({ endUser, nodes, reserved }: Operations): Router {
  const router = Router();

  router.post('/apps/:appId/users/:userId/terminate', async (req, res) => {
    const { userId } = req.params;
    if (userId.length > MAX_USER_ID_LENGTH)
      return sendRejection(res, reject('invalid_message', 'the user id is too long'));
    res.json({ message: 'ok', connections: await endUser({ userId, wire: null }) });
  });

  router.post('/apps/:appId/channels/:name/users/:userId/terminate', async (req, res) => {
    const { name, userId } = req.params;
    const channel = parseChannelName(name, reserved);
    if (isRejection(channel)) return sendRejection(res, channel);
    if (userId.length > MAX_USER_ID_LENGTH)
      return sendRejection(res, reject('invalid_message', 'the user id is too long'));
    res.json({ message: 'ok', subscriptions: await endUser({ userId, wire: channel.wire }) });
  });

  router.get('/apps/:appId/nodes', async (_req, res) => {
    res.json({ nodes: (await nodes()).map(spellNode) });
  });
  return router;
}

function spellNode({ id, version, uptimeSeconds, connections, channels, ready, busLagMs }: NodeFacts) {
  return {
    id,
    version,
    uptime: uptimeSeconds,
    connections,
    channels,
    ready,
    bus_lag_ms: busLagMs === null ? null : Math.round(busLagMs * 100) / 100,
  };
}
