import { createHmac } from 'node:crypto';
import { SECRET } from '../node.ts';

/** A JWT of a user for one channel. */
export function token(channel: string, user: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const iat = Math.floor(Date.now() / 1000);
  const claims = { id: user, name: `user ${user}`, channel, iat, exp: iat + 3600 };
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}
