import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AuthQuestion {
  readonly channel: string;
  readonly socketId: string | null;
  readonly headers: IncomingHttpHeaders;
}

export interface AuthEndpoint {
  readonly url: string;
  readonly questions: readonly AuthQuestion[];
  stop(): Promise<void>;
}

/**
 * Answers as Laravel's `/broadcasting/auth` does (facts of the redis driver), for stories that are not about
 * Laravel itself; those have the real one. `Authorization: Bearer 7:grace` is user 7, named grace; nobody else
 * may. Names in which `forbidden` stands are refused to all.
 * @param answer replaces the usual answer where it returns one
 */
export async function startAuthEndpoint(
  answer: (question: AuthQuestion) => Promise<{ status: number; body: string } | null> | null = () => null,
): Promise<AuthEndpoint> {
  const questions: AuthQuestion[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const channel = form.get('channel_name') ?? '';
    const question = { channel, socketId: form.get('socket_id'), headers: request.headers };
    questions.push(question);
    const { status, body } = (await answer(question)) ?? usualAnswer(question);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/broadcasting/auth`,
    questions,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function usualAnswer({ channel, headers }: AuthQuestion): { status: number; body: string } {
  const [, id, name] = /^Bearer (\d+):(\w+)$/.exec(headers.authorization ?? '') ?? [];
  if (id === undefined || channel.includes('forbidden')) return { status: 403, body: '{"message":""}' };
  if (!channel.startsWith('presence-')) return { status: 200, body: 'true' };
  return {
    status: 200,
    body: `{"channel_data":{"user_id":${id},"user_info":{"id":${id},"name":"${name}"}}}`,
  };
}
