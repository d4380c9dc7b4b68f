import { type Rejection, reject } from '../domain/outcome.ts';
import type { AccessQuestion } from './access.ts';
import { clientHeaders, headerText } from './client-headers.ts';
import type { EndpointRequest } from './laravel-endpoint.ts';

/** A question as it is sent, and what makes two questions one. */
export interface AuthRequest extends EndpointRequest {
  /**
   * Wire name and every header that is sent. Without `socket_id`: with the redis driver Laravel ignores it, and
   * with pusher's and reverb's it only goes into a signature that nobody here checks. With it, the tabs of one
   * user would each cost a request after every restart (laravel-echo-server 568: 50,000 at once).
   */
  readonly identity: string;
}

/** The POST of protocol.md section 8; `too_large` where the client's headers are too many. */
export function authRequest(question: AccessQuestion): AuthRequest | Rejection {
  const { channel, auth, handshake, socketId } = question;
  const fromClient = clientHeaders(auth);
  if (fromClient === null) return reject('too_large', 'auth.headers holds too many or too long headers');
  const headers = [...fromClient].flat();
  const add = (name: string, value: string | undefined) => {
    const text = headerText(value);
    if (text !== null) headers.push(name, text);
  };
  add('cookie', handshake.cookie);
  add('user-agent', handshake.userAgent);
  add('x-forwarded-for', handshake.address);
  // Without these two Laravel answers a guest with a redirect and a refusal with 6 kB of HTML.
  add('accept', 'application/json');
  add('x-requested-with', 'XMLHttpRequest');
  const identity = JSON.stringify([channel.wire, ...headers]);
  add('content-type', 'application/x-www-form-urlencoded');
  const body = new URLSearchParams({ channel_name: channel.wire, socket_id: socketId }).toString();
  return { identity, headers, body };
}
