import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Code, catalogue } from '../domain/catalogue.ts';
import { retryAfter } from '../domain/outcome.ts';

/** Every refusal over HTTP: the catalogue's status and `{"error","code"}`. */
export function sendRefusal(res: ServerResponse, code: Code, message: string): void {
  const { status, headers, body } = refusal({ code, message });
  res.writeHead(status, headers).end(body);
}

/** How long a refused client has to take its answer before its socket is destroyed. */
const LINGER_MS = 2_000;

interface Refusal {
  readonly code: Code;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** The same on the bare socket of an upgrade, and the end of it. @param status where HTTP has a better one */
export function refuseUpgrade(
  socket: Duplex,
  why: Refusal,
  status: number = catalogue[why.code].status,
): void {
  const { headers, body } = refusal(why);
  const lines = Object.entries({ ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  // Reads and drops what still comes, or the unread bytes would turn our answer into a reset.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

function refusal({ code, message, ...rest }: Refusal) {
  const when = retryAfter(rest);
  const body = JSON.stringify({ error: message, code, ...when });
  const headers = {
    ...(when.retry_after !== undefined && { 'retry-after': String(when.retry_after) }),
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  };
  return { status: catalogue[code].status, headers, body };
}
