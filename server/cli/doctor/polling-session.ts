import { oneRequest, type Reply } from './one-request.ts';

/** Engine.IO's packets: a pong, which every session takes at any time, and the end. */
const PONG = '3';
const CLOSE = '1';

/**
 * Opens a polling session and speaks in it by one connection after another, as a browser behind a balancer may.
 * @returns `lost` where a node did not know it; the status or code of what is no Engine.IO
 */
export async function isSticky(serverUrl: string, tries: number): Promise<'sticky' | 'lost' | string> {
  const url = new URL('/socket.io/?EIO=4&transport=polling', serverUrl);
  const opened = await oneRequest(url);
  const sid = 'failed' in opened ? null : sidIn(opened.body);
  if ('failed' in opened) return opened.failed;
  if (sid === null) return String(opened.status);
  url.searchParams.set('sid', sid);
  // Balancers that set a cookie want it back.
  const headers = { cookie: cookiesOf(opened), 'content-type': 'text/plain;charset=UTF-8' };
  const post = (body: string) => oneRequest(url, { method: 'POST', headers, body });
  for (let i = 0; i < tries; i++) {
    const answer = await post(PONG);
    if ('failed' in answer) return answer.failed;
    if (answer.status === 400 && answer.body.includes('Session ID unknown')) return 'lost';
    if (answer.status !== 200) return String(answer.status);
  }
  await post(CLOSE);
  return 'sticky';
}

function sidIn(body: string): string | null {
  return /"sid":"([^"]+)"/.exec(body)?.[1] ?? null;
}

function cookiesOf({ headers }: Reply): string {
  return (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';', 1)[0]).join('; ');
}
