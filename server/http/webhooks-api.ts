import { type RequestHandler, Router } from 'express';
import type { Outbox } from '../broker/outbox/outbox.ts';
import { sendRefusal } from './refusal.ts';

export interface WebhooksApiParts {
  /** Lets through who bears the key of the app in the path. */
  readonly guard: RequestHandler<{ appId: string }>;
  /** Null: Laravel is told nothing, and there is nothing to see. */
  readonly outbox: Pick<Outbox, 'look' | 'replay'> | null;
}

/** Events that one answer shows. */
const SHOWN = 100;

/** What Laravel has not been told: what waits, and what it refused for good, which can be told again. */
export function createWebhooksApi({ guard, outbox }: WebhooksApiParts): Router {
  const router = Router();
  router.use('/apps/:appId/webhooks', guard);

  router.get('/apps/:appId/webhooks', async (_req, res) => {
    if (outbox === null) return sendRefusal(res, 'not_found', 'webhooks are off');
    const { waiting, buriedCount, buried } = await outbox.look(SHOWN);
    res.json({
      waiting,
      refused: buriedCount,
      events: buried.map(({ id, atMs, kind, room, json, reason }) => ({
        id,
        time_ms: atMs,
        reason,
        what: kind === 'event' ? (JSON.parse(json) as { name?: unknown }).name : kind,
        where: kind === 'event' ? (JSON.parse(json) as { channel?: unknown }).channel : room,
      })),
    });
  });

  router.post('/apps/:appId/webhooks/replay', async (req, res) => {
    if (outbox === null) return sendRefusal(res, 'not_found', 'webhooks are off');
    const { id } = req.query;
    if (id !== undefined && typeof id !== 'string')
      return sendRefusal(res, 'invalid_message', 'id must be given once');
    res.json({ message: 'ok', events: await outbox.replay(id === undefined ? null : [id]) });
  });
  return router;
}
