import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Handshake } from '../access/access.ts';
import { AT_ONCE } from '../broker/roster/roster.ts';
import type { Attempt, Connection } from '../connection/connection.ts';
import { Subscription } from '../connection/subscription.ts';
import { catalogue } from '../domain/catalogue.ts';
import { type ChannelName, parseChannelName } from '../domain/channel-name.ts';
import { createMember, type Member } from '../domain/member.ts';
import { isRejection, type Rejection, reject, UnavailableError } from '../domain/outcome.ts';
import type { Grant } from '../domain/subscription.ts';
import type { RoomView } from '../hub/room-view.ts';
import { type Admitted, Arrival, cancelled, type JoinAnswers, type JoinOutcome } from './arrival.ts';
import { ALONE, goLive } from './go-live.ts';
import { Coming, type Homecoming } from './homecoming.ts';
import { leaveChannel } from './leave-channel.ts';
import type { Parts } from './parts.ts';
import { renewToken, standsFor } from './renew-token.ts';
import { followsOf, listsMembers, orderOf, roomOf } from './room-routing.ts';
import { tellGap } from './tell-gap.ts';

export interface JoinRequest {
  /** The wire name, as the client wrote it. */
  readonly channel: unknown;
  readonly auth: unknown;
  readonly handshake: Handshake;
  /**
   * The position that the client has on this channel; null: none. Undefined: it keeps one for all its channels, which
   * the homecoming knows.
   */
  readonly since?: string | null | undefined;
  /** Gathers the subscribes of a connection that has several; absent: this one goes live by itself. */
  readonly homecoming?: Homecoming;
}

/**
 * A client subscribes (design.md, journey 2): access -> bus followed -> roster entered -> this node has passed
 * that revision -> admitted -> live. What an attempt did is undone in reverse, by itself alone, wherever it ends.
 *
 * Run it on the connection's queue, under the channel's wire name.
 */
export async function joinChannel(
  parts: Parts,
  connection: Connection,
  request: JoinRequest,
  answers: JoinAnswers,
): Promise<void> {
  const answer = (outcome: JoinOutcome) => answers.answer(outcome);
  const channel = parseChannelName(request.channel, parts.reserved);
  if (isRejection(channel)) return answer(channel);
  let existing = connection.subscriptions.get(channel.wire);
  const stays = (subscription: Subscription) =>
    answer({ ok: true, subscription, position: parts.bus.position(), recovery: null });
  const { homecoming, since } = request;
  const { wire } = channel;
  const refuse = (refusal: Rejection) => {
    if (existing === undefined && homecoming?.wouldBring(wire, since))
      tellGap(connection, wire, 'limit_reached');
    return answer(refusal);
  };
  const waitMs = connection.turnOf(costOf(parts, channel, request.auth));
  if (isRejection(waitMs)) return refuse(waitMs);
  if (existing === undefined && connection.channelCount >= parts.settings.maxSubscriptions) {
    return refuse(reject('limit_reached', 'this connection is subscribed to as many channels as it may'));
  }
  const expect = () => homecoming?.expect(wire, since) ?? new Coming(wire, since ?? null, false);
  const attempt = connection.beginAttempt(wire);
  let coming = existing === undefined ? expect() : null;
  try {
    const { auth, handshake } = request;
    if (waitMs > 0) {
      await passed(waitMs, attempt.signal);
      if (attempt.signal.aborted) return answer(cancelled());
      existing = connection.subscriptions.get(wire);
    }
    if (existing !== undefined && standsFor(existing, auth)) return stays(existing);
    const { socketId } = connection;
    const decision = await parts.access.decide({
      channel,
      auth,
      handshake,
      socketId,
      signal: attempt.signal,
    });
    const grant = decision ?? reject('forbidden', 'nobody may say who subscribes to this channel');
    if (attempt.signal.aborted) return answer(cancelled());
    if (isRejection(grant)) {
      if (coming !== null && isLeftBehind(coming, grant)) tellGap(connection, wire, 'auth_error');
      return answer(grant);
    }
    if (existing !== undefined) {
      const renewed = renewToken(parts, existing, grant);
      if (renewed !== null) return renewed.ok ? stays(existing) : answer(renewed);
      // The old right was another one (public before, a token now): it ends where the new one begins.
      const leaving = leaveChannel(parts, existing, { linger: true });
      homecoming?.left(existing, leaving);
      await leaving;
    }
    coming ??= expect();
    const admitted = await admit(parts, connection, grant, attempt, since !== undefined);
    if (isRejection(admitted)) {
      // Not where the client itself has overtaken it.
      if (isLeftBehind(coming, admitted) && !attempt.signal.aborted) {
        // What is full or too large would be so again at once, and end it again.
        if (admitted.code === 'unavailable') comeAgain(connection);
        else tellGap(connection, wire, 'limit_reached');
      }
      return answer(admitted);
    }
    const arrival = new Arrival(parts, attempt, admitted, coming.from, answers);
    await (homecoming?.arrive(coming, arrival) ?? goLive(parts, connection, [arrival], ALONE));
  } finally {
    if (coming !== null) homecoming?.over(coming);
    connection.endAttempt(attempt);
  }
}

/** Who asks for a public channel and brings no token asks for nothing but a place in the hub. */
function costOf({ settings }: Parts, { kind }: ChannelName, auth: unknown): number {
  const bringsToken = typeof auth === 'object' && auth !== null && 'token' in auth;
  return kind === 'public' && !bringsToken ? 1 : settings.authCost;
}

/** Resolves after that time, or when the signal ends. */
function passed(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {});
}

/**
 * The client keeps one position for all its channels. The others would carry it past what this one has missed, so that
 * nobody could bring it any more; with the connection ended, the client comes back with the position that it has.
 */
function comeAgain(connection: Connection): void {
  connection.end({ code: 'unavailable', message: 'what was missed cannot be read now: reconnect' });
}

/**
 * This channel may be given what it missed, but not now; the client's one position goes on without it. Where Laravel
 * cannot be asked it is not ended as above: all pages would come back at once to a Laravel that is down.
 */
function isLeftBehind(coming: Coming, refusal: Rejection): boolean {
  return coming.holds && coming.from !== null && catalogue[refusal.code].advice === 'later';
}

/** Follows and enters; resolves with the subscription ready to go live, or with the refusal and nothing left behind. */
async function admit(
  parts: Parts,
  connection: Connection,
  grant: Grant,
  attempt: Attempt,
  keepsPosition: boolean,
): Promise<Admitted | Rejection> {
  const { channel, kind, user } = grant;
  const room = roomOf(channel, kind, parts.channels);
  const member = user === null ? null : createMember({ ...user, socketId: connection.memberSocketId });
  if (member !== null && Buffer.byteLength(member.json) > parts.settings.maxMemberBytes)
    return reject('too_large', `a member may have ${parts.settings.maxMemberBytes} bytes`);
  const listed = room !== null && member !== null && listsMembers(channel, kind, parts.channels);
  const seat = listed ? { room, id: randomUUID(), member } : null;
  const follows = followsOf(channel, kind, parts.channels);
  const undo: (() => void)[] = [];
  const undoAll = () => {
    for (const step of undo.reverse()) step();
  };
  try {
    // The view first: announcements that come before the roster has answered are kept in it.
    const view = seat === null ? null : parts.views.acquire(seat.room);
    if (seat !== null) undo.push(() => parts.views.release(seat.room));
    await followAll(parts, follows, undo);
    // Before the seat, so that a channel is occupied before its first member comes.
    parts.occupancy.enter(channel.wire, orderOf(channel, parts.channels));
    undo.push(() => parts.occupancy.leave(channel.wire, AT_ONCE));
    if (seat !== null && view !== null && !attempt.signal.aborted) {
      const full = await enterRoom(parts, connection, seat, view, undo);
      if (full !== null) {
        undoAll();
        return full;
      }
    }
    if (attempt.signal.aborted) {
      undoAll();
      return cancelled();
    }
    // A gap is told to those who are live when it opens: who goes live in the midst of it would miss events unawares.
    if (!parts.bus.ready()) throw new UnavailableError('the bus was lost during the subscribe');
    const place = { room, member, seatId: seat?.id ?? null, follows, keepsPosition };
    return { subscription: new Subscription(connection, grant, place), view, undo: undoAll };
  } catch (error) {
    undoAll();
    if (error instanceof UnavailableError)
      return reject('unavailable', 'not able to subscribe now, try later');
    throw error;
  }
}

async function enterRoom(
  parts: Parts,
  connection: Connection,
  { room, id, member }: { room: string; id: string; member: Member },
  view: RoomView,
  undo: (() => void)[],
): Promise<Rejection | null> {
  // Before the answer: an enter whose outcome is unknown is undone too.
  // A page that reloads may be cut in the midst of it.
  undo.push(
    () =>
      void parts.roster.leave(room, id, {
        linger: connection.closed && connection.closure?.code !== 'ended',
      }),
  );
  const snapshot = await parts.roster.enter(room, { id, member });
  if (snapshot.full === true) return reject('limit_reached', 'this room shows as many users as it may');
  view.begin(snapshot);
  await view.passed(snapshot.revision, AbortSignal.timeout(parts.settings.commandTimeoutMs)).catch(() => {
    throw new UnavailableError('the bus did not bring the roster change back in time');
  });
  // What came after a gap can pass the revision too, while the joining itself was lost: a list without oneself.
  if (!view.shows(member.userId)) throw new UnavailableError('the bus lost the roster change');
  return null;
}

async function followAll(parts: Parts, channels: readonly string[], undo: (() => void)[]): Promise<void> {
  const results = await Promise.allSettled(
    channels.map(async (channel) => {
      await parts.bus.follow(channel);
      undo.push(() => parts.bus.unfollow(channel));
    }),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
