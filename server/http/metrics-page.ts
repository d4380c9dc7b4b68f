import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { sameSecret } from '../domain/same-secret.ts';
import { isLoopback } from './client-address.ts';
import { sendRefusal } from './refusal.ts';

/** What the page shows; a prom-client registry fits. */
export interface MetricsText {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** A proxy on this machine connects from loopback too, but says for whom it asks. */
const FORWARDING_HEADERS =
  /^(x-forwarded(-.*)?|forwarded|via|x-real-ip|(x-)?client-ip|(x-)?cluster-client-ip|true-client-ip|cf-connecting-ip)$/;

/**
 * `/metrics` (protocol.md section 7): for this machine itself, or with the key.
 * @param metricsKey null: nobody but this machine
 */
export function createMetricsPage(registry: MetricsText, metricsKey: string | null): RequestHandler {
  return async (req, res) => {
    if (!isDirectLoopback(req) && !bearsKey(req, metricsKey))
      return sendRefusal(res, 'forbidden', 'metrics need their key');
    const text = await registry.metrics();
    res.set({ 'content-type': registry.contentType, 'cache-control': 'no-store' }).send(text);
  };
}

function isDirectLoopback(req: IncomingMessage): boolean {
  return (
    isLoopback(req.socket.remoteAddress) && !Object.keys(req.headers).some((h) => FORWARDING_HEADERS.test(h))
  );
}

function bearsKey(req: IncomingMessage, metricsKey: string | null): boolean {
  const presented = /^bearer +(\S+) *$/i.exec(req.headers.authorization ?? '')?.[1];
  return metricsKey !== null && presented !== undefined && sameSecret(presented, metricsKey);
}
