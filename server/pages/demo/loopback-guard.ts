import type { NextFunction, Request, Response } from 'express';
import { reject } from '../../domain/outcome.ts';

/**
 * Lets in only pages that this machine served to itself. The server is bound to loopback already; without this
 * check another site could point its own name at 127.0.0.1 (DNS rebinding) and read tokens here.
 */
export function refuseStrangers(request: Request, response: Response, next: NextFunction): void {
  const host = request.get('host');
  if (host !== undefined && isLoopbackHost(host) && isSameOrigin(request.get('origin'), host)) {
    next();
    return;
  }
  const { status, code, message } = reject('forbidden', 'the demo is open to localhost only');
  response.status(status).json({ error: message, code });
}

/** @param host a Host header: a name or address, with or without a port */
function isLoopbackHost(host: string): boolean {
  if (!/^(?:[a-z0-9.-]+|\[::1\])(?::[0-9]{1,5})?$/i.test(host)) return false;
  const name = host.replace(/:[0-9]+$/, '').toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost') || name === '127.0.0.1' || name === '[::1]';
}

/** No Origin at all is a plain visit, or our own server asking for authorisation. */
function isSameOrigin(origin: string | undefined, host: string): boolean {
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}
