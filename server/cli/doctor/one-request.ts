import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

export interface OneRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

const TIMEOUT_MS = 10_000;
const MAX_BODY_LENGTH = 65_536;

/**
 * One request on a connection of its own: a balancer picks a node for it anew, which a kept connection would hide.
 * @returns the reply, redirects too, or a code such as ECONNREFUSED
 */
export function oneRequest(
  url: URL,
  { method = 'GET', headers = {}, body = '' }: OneRequest = {},
): Promise<Reply | { readonly failed: string }> {
  return new Promise((resolve) => {
    const failed = (error: Error & { code?: string }) => resolve({ failed: error.code ?? error.message });
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
    const options = { method, headers, agent: false as const, signal: AbortSignal.timeout(TIMEOUT_MS) };
    const request = send(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text = (text + chunk).slice(0, MAX_BODY_LENGTH);
      });
      response.on('error', failed);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
      );
    });
    request.on('error', failed);
    request.end(body);
  });
}
