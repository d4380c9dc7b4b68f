import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Laravel's auth endpoint: a yes to everybody, who is who his bearer token says. */
export interface LaravelStub {
  readonly url: string;
  /** Requests so far. */
  answered(): number;
  stop(): void;
}

export async function startLaravelStub(): Promise<LaravelStub> {
  let answered = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      answered++;
      const user = Number(request.headers.authorization?.replace('Bearer ', ''));
      const data = { channel_data: { user_id: user, user_info: { name: `user ${user}` } } };
      response.setHeader('content-type', 'application/json');
      response.end(body.includes('channel_name=presence-') ? JSON.stringify(data) : 'true');
    });
  }).listen(0, '127.0.0.1', 10_000);
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/broadcasting/auth`,
    answered: () => answered,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
