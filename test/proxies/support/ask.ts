import { once } from 'node:events';
import { type Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { request as requestTls } from 'node:https';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Question {
  readonly agent?: Agent;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes it a POST. */
  readonly body?: string;
}

/** One request, with the path exactly as given: fetch would tidy up `/a/../b`. */
export async function ask(origin: string, path: string, question: Question = {}): Promise<Answer> {
  const { agent, headers = {}, body } = question;
  const { protocol, hostname, port } = new URL(origin);
  const send = protocol === 'https:' ? requestTls : request;
  const method = body === undefined ? 'GET' : 'POST';
  const sent = send({ hostname, port, path, method, agent, headers: { ...headers } });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString(),
  };
}
