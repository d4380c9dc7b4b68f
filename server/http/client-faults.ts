import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Code } from '../domain/catalogue.ts';
import { refuseUpgrade } from './refusal.ts';

/** What Node's parser and clock find; anything else is a request that is none. */
const FAULTS: Readonly<Record<string, { code: Code; status?: number; message: string }>> = {
  HPE_HEADER_OVERFLOW: { code: 'too_large', status: 431, message: 'the headers are too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'timed_out', message: 'the request did not come in time' },
};

/** Answers what never becomes a request, with a code like every refusal, and ends its connection. */
export function answerClientFaults(server: Server, refused: (code: Code) => void): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const fault = FAULTS[error.code ?? ''];
    if (fault !== undefined) refused(fault.code);
    // Where no handshake came about, as of a plain request to a TLS port, nothing that we write can be read.
    if (/^ERR_(SSL|TLS)_/.test(error.code ?? '')) return void socket.destroy();
    // In the midst of an answer another one would be taken for part of it.
    if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(socket as Socket))
      return void socket.destroy();
    const { code, status, message } = fault ?? { code: 'invalid_message', message: 'malformed request' };
    refuseUpgrade(socket, { code, message }, status);
  });
}

/** Node's own mark of the answer that is under way; its default handler asks it too. */
function isAnswering(socket: Socket & { _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}
