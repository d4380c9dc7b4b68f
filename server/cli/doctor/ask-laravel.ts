import type { LaravelReply } from './check.ts';
import { oneRequest } from './one-request.ts';

/** Asks as the server does, for a channel that nobody has, as nobody. */
export async function askLaravel(authUrl: string): Promise<LaravelReply> {
  const reply = await oneRequest(new URL(authUrl), {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'x-requested-with': 'XMLHttpRequest',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'channel_name=private-yamabiko-doctor&socket_id=1.1',
  });
  if ('failed' in reply) return reply;
  const { status, body, headers } = reply;
  return {
    status,
    body,
    type: headers['content-type'] ?? '',
    date: headers.date ?? null,
    location: headers.location ?? null,
  };
}
