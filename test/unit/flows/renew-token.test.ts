import { describe, expect, it, vi } from 'vitest';
import { Connection } from '../../../server/connection/connection.ts';
import { Subscription } from '../../../server/connection/subscription.ts';
import { createMember } from '../../../server/domain/member.ts';
import type { Grant } from '../../../server/domain/subscription.ts';
import type { Parts } from '../../../server/flows/parts.ts';
import { renewToken, standsFor } from '../../../server/flows/renew-token.ts';
import { CONNECTION_SETTINGS } from '../connection-settings.ts';

const PARTS = {} as Parts;
const FAR_MS = Date.now() + 3_600_000;

function grantOf(fields: Partial<Grant> = {}): Grant {
  return {
    ok: true,
    kind: 'token',
    channel: { wire: 'chat:1', kind: 'public', base: 'chat:1' },
    user: { userIdJson: '1', userInfoJson: '{"id":1,"name":"ada"}' },
    by: 'token',
    expiresAtMs: FAR_MS,
    ...fields,
  };
}

function subscribed(fields: Partial<Grant> = {}): Subscription {
  const transport = {
    write: vi.fn(),
    bufferedBytes: () => 0,
    flush: () => {},
    revoked: vi.fn(),
    close: vi.fn(),
  };
  const connection = new Connection({ name: 'test', deliver: vi.fn() }, transport, CONNECTION_SETTINGS);
  const grant = grantOf(fields);
  const member = grant.user === null ? null : createMember({ ...grant.user, socketId: '1.1' });
  const subscription = new Subscription(connection, grant, {
    room: 'chat:1',
    member,
    seatId: null,
    follows: [],
  });
  connection.subscriptions.set('chat:1', subscription);
  return subscription;
}

describe('a newer token', () => {
  it.each([
    ['a later end', FAR_MS + 1000, FAR_MS + 1000],
    ['an earlier end', FAR_MS - 1000, FAR_MS],
    ['the same end', FAR_MS, FAR_MS],
    ['no end', null, null],
  ])('with %s', (_name, expiresAtMs, lasts) => {
    const existing = subscribed();
    expect(renewToken(PARTS, existing, grantOf({ expiresAtMs }))).toEqual({ ok: true });
    expect(existing.expiresAtMs).toBe(lasts);
    existing.expiry.clear();
  });

  it('of another user is refused, and changes nothing', () => {
    const existing = subscribed();
    const grant = grantOf({ user: { userIdJson: '2' }, expiresAtMs: FAR_MS + 1000 });
    expect(renewToken(PARTS, existing, grant)).toMatchObject({ ok: false, code: 'forbidden' });
    expect(existing.expiresAtMs).toBe(FAR_MS);
  });

  it('of the same user is told by the id, number or text', () => {
    const existing = subscribed();
    const outcome = renewToken(PARTS, existing, grantOf({ user: { userIdJson: '"1"' } }));
    expect(outcome).toMatchObject({ ok: true });
  });

  it('does not bring back what has ended while it was looked at: that is joined anew', () => {
    const existing = subscribed();
    existing.connection.subscriptions.delete('chat:1');
    expect(renewToken(PARTS, existing, grantOf({ expiresAtMs: FAR_MS + 1000 }))).toBeNull();
    expect(existing.expiresAtMs).toBe(FAR_MS);
  });

  it('takes the place of a public subscription', () => {
    expect(renewToken(PARTS, subscribed({ by: 'public', kind: 'public', user: null }), grantOf())).toBeNull();
  });

  it("takes nothing by Laravel's word from a subscription by token", () => {
    const existing = subscribed();
    const grant = grantOf({ by: 'laravel', expiresAtMs: null });
    expect(renewToken(PARTS, existing, grant)).toEqual({ ok: true });
    expect(existing.expiresAtMs).toBe(FAR_MS);
  });
});

describe('a repeated subscribe', () => {
  it.each([
    ['without auth', undefined, true],
    ['with auth that is none', 5, true],
    ['with a token', { token: 'x' }, false],
    ['with null as token, sent by mistake', { token: null }, false],
    ['with headers, where a token stands', { headers: {} }, false],
  ])('%s needs no new decision: %s %s', (_name, auth, stands) => {
    expect(standsFor(subscribed(), auth)).toBe(stands);
  });

  it("with headers needs none where it is Laravel's yes already", () => {
    expect(standsFor(subscribed({ by: 'laravel' }), { headers: {} })).toBe(true);
  });
});
