import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Code, catalogue } from '../domain/catalogue.ts';

/** Every refusal over HTTP: the catalogue's status and `{"error","code"}`. */
export function sendRefusal(res: ServerResponse, code: Code, message: string): void {
  const { status, headers, body } = refusal(code, message);
  res.writeHead(status, headers).end(body);
}

/** How long a refused client has to take its answer before its socket is destroyed. */
const LINGER_MS = 2_000;

/** The same on the bare socket of an upgrade, and the end of it. */
export function refuseUpgrade(socket: Duplex, code: Code, message: string): void {
  const { status, headers, body } = refusal(code, message);
  const lines = Object.entries({ ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  // Reads and drops what still comes, or the unread bytes would turn our answer into a reset.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

function refusal(code: Code, message: string) {
  const body = JSON.stringify({ error: message, code });
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  };
  return { status: catalogue[code].status, headers, body };
}
