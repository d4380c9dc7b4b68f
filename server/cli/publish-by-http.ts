import type { Config } from '../../config/settings.ts';
import { httpApi } from './http-api-client.ts';
import type { Publication } from './laravel-publication.ts';

/** Asks a running server, by laravel-echo-server's HTTP API. @param url of the server; default as configured here */
export async function publishByHttp(
  { channel, event, data, socketId }: Publication,
  config: Config,
  url: string | undefined,
): Promise<string> {
  const api = httpApi(config, url, '(or set YAMABIKO_REDIS_URL for both, and the message goes by Redis)');
  // Laravel's `message` on the room's private channel is a message of the room (protocol.md section 1).
  const wire = event === null ? `private-${channel}` : channel;
  const body = {
    channel: wire,
    name: event ?? 'message',
    data,
    ...(socketId !== null && { socket_id: socketId }),
  };
  await api.ask('POST', '/events', body);
  return `published ${body.name} on ${wire} by ${api.origin}`;
}
