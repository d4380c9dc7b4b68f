import { type RequestHandler, Router } from 'express';
import { parseChannelName, type ReservedNames } from '../domain/channel-name.ts';
import { isRejection } from '../domain/outcome.ts';
import type { NodeFacts } from '../flows/describe-node.ts';
import type { EndUser } from '../flows/end-user.ts';
import { sendRefusal } from './refusal.ts';

export interface OperationsApiParts {
  /** Lets through who bears the key of the app in the path. */
  readonly guard: RequestHandler<{ appId: string }>;
  readonly operations: Operations;
  readonly reserved: ReservedNames;
}

interface Operations {
  /** Ends a user on all nodes. @throws UnavailableError where a node did not answer; the others have done it */
  endUser(end: EndUser): Promise<number>;
  /** Every living node. @throws UnavailableError */
  nodes(): Promise<readonly NodeFacts[]>;
}

/** Longest user id in a path, in characters. */
const MAX_USER_ID_LENGTH = 200;

/** What an application and an operator may do whatever protocol clients speak: end users, see the nodes. */
export function createOperationsApi({ guard, operations, reserved }: OperationsApiParts): Router {
  const router = Router();
  router.use('/apps/:appId', guard);

  router.post('/apps/:appId/users/:userId/terminate', async (req, res) => {
    const { userId } = req.params;
    if (userId.length > MAX_USER_ID_LENGTH)
      return sendRefusal(res, 'invalid_message', 'the user id is too long');
    res.json({ message: 'ok', connections: await operations.endUser({ userId, wire: null }) });
  });

  router.post('/apps/:appId/channels/:name/users/:userId/terminate', async (req, res) => {
    const { name, userId } = req.params;
    const channel = parseChannelName(name, reserved);
    if (isRejection(channel)) return sendRefusal(res, channel.code, channel.message);
    if (userId.length > MAX_USER_ID_LENGTH)
      return sendRefusal(res, 'invalid_message', 'the user id is too long');
    res.json({ message: 'ok', subscriptions: await operations.endUser({ userId, wire: channel.wire }) });
  });

  router.get('/apps/:appId/nodes', async (_req, res) => {
    res.json({ nodes: (await operations.nodes()).map(spellNode) });
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
