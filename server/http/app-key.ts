import type { Request, RequestHandler } from 'express';
import { sameSecret } from '../domain/same-secret.ts';
import { sendRefusal } from './refusal.ts';

/** Who may use the HTTP APIs: laravel-echo-server's `clients`. */
export interface App {
  readonly id: string;
  readonly key: string;
}

/**
 * Lets through who bears the key of the app in the path. An unknown app and a wrong key look the same, by their
 * answer and by the time it takes. Runs before any body is read: a stranger's megabyte is not buffered.
 */
export function requireAppKey(apps: readonly App[]): RequestHandler<{ appId: string }> {
  return (req, res, next) => {
    const key = presentedKey(req);
    if (key !== null && isAppKey(apps, req.params.appId, key)) return next();
    sendRefusal(res, 'forbidden', 'Unauthorized');
  };
}

function isAppKey(apps: readonly App[], appId: string, key: string): boolean {
  // No early end, and both parts compared always.
  return (
    apps.filter((app) => [sameSecret(appId, app.id), sameSecret(key, app.key)].every(Boolean)).length > 0
  );
}

/** A bearer's word goes before the query's, as in laravel-echo-server. */
function presentedKey(req: Request<{ appId: string }>): string | null {
  const { authorization } = req.headers;
  const bearer = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const { auth_key: inQuery } = req.query;
  return typeof inQuery === 'string' && inQuery !== '' ? inQuery : null;
}
