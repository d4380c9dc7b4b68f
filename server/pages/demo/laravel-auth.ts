import { DEMO_ROOM, decodeUserHeader } from './demo-input.ts';

export interface AuthAnswer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Stands in for Laravel's `/broadcasting/auth` with one rule in its `routes/channels.php`: who names himself may
 * join the demo's room. Answers what Laravel's redis driver answers.
 * @param userHeader `X-Demo-User`, which the page's Echo sends in `auth.headers` as an app would its cookie
 */
export function authoriseDemoChannel(form: unknown, userHeader: string | undefined): AuthAnswer {
  const channel =
    typeof form === 'object' && form !== null && 'channel_name' in form ? form.channel_name : null;
  const user = decodeUserHeader(userHeader);
  if (user === null) return { status: 403, body: { message: '' } };
  if (channel === `private-${DEMO_ROOM}`) return { status: 200, body: true };
  if (channel === `presence-${DEMO_ROOM}`)
    return { status: 200, body: { channel_data: { user_id: user.id, user_info: user } } };
  return { status: 403, body: { message: '' } };
}
