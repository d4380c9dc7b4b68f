import type { DemoUser } from './users.ts';

/** What the server's stand-in for Laravel wrote to the bus. */
export interface Publication {
  readonly channel: string;
  readonly payload: string;
}

/** Laravel's token route, on this page. */
export async function fetchToken(channel: string, user: DemoUser): Promise<string> {
  const answer = await post('token', { channel, user });
  return (answer as { token: string }).token;
}

/** Presses a button of the Laravel side. @throws Error with the server's words */
export async function publish(
  kind: 'chat' | 'tweet' | 'event',
  body: object,
  headers: Record<string, string> = {},
): Promise<Publication> {
  return (await post(`publish/${kind}`, body, headers)) as Publication;
}

export async function startJob(): Promise<Publication> {
  return (await post('job', {})) as Publication;
}

/** How the page's Echo tells the stand-in who it is, as an app would by its cookie. */
export function userHeader(user: DemoUser): Record<string, string> {
  return { 'X-Demo-User': `${user.id}:${encodeURIComponent(user.name)}` };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(`/demo/${path}`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  const { error } = answer as { error?: unknown };
  throw new Error(typeof error === 'string' ? error : `HTTP ${response.status}`);
}
