import type { Handshake } from '../../access/access.ts';
import type { Connection } from '../../connection/connection.ts';
import type { Subscription } from '../../connection/subscription.ts';
import { parseChannelName } from '../../domain/channel-name.ts';
import { isRejection, type Rejection, reasonOf, reject, retryAfter } from '../../domain/outcome.ts';
import type { JoinOutcome } from '../../flows/arrival.ts';
import type { Homecoming } from '../../flows/homecoming.ts';
import { joinChannel } from '../../flows/join-channel.ts';
import { leaveChannel } from '../../flows/leave-channel.ts';
import { listedMembers } from '../../flows/list-members.ts';
import type { Parts } from '../../flows/parts.ts';
import { relayWhisper } from '../../flows/relay-whisper.ts';
import { runCommand } from '../../flows/run-command.ts';
import { sendMessage } from '../../flows/send-message.ts';
import { decodeClientEvent, decodeFields, decodeSince, type Fields } from './decode.ts';
import { encodeMembers, encodeSubscribed, encodeSubscriptionError } from './encode.ts';
import { type Waiting, weigh } from './waiting.ts';

interface Client {
  readonly connection: Connection;
  readonly handshake: Handshake;
  readonly homecoming: Homecoming;
}

type Ack = (answer: object) => void;
type Command = (parts: Parts, client: Client, command: Waiting, ack: Ack) => Promise<void> | void;

const NO_ACK: Ack = () => {};

/** Echo's commands (protocol.md section 6), by their event names. */
const COMMANDS: ReadonlyMap<string, { decode: (argument: unknown) => Fields | Rejection; run: Command }> =
  new Map([
    ['subscribe', { decode: decodeFields, run: subscribe }],
    ['unsubscribe', { decode: decodeFields, run: unsubscribe }],
    ['client event', { decode: decodeClientEvent, run: whisper }],
    ['send', { decode: decodeFields, run: send }],
  ]);

/** One event of a client. Whatever it holds, nothing is thrown out of here, and whoever asked for an ack gets one. */
export function receiveCommand(parts: Parts, client: Client, event: string, args: readonly unknown[]): void {
  const { connection } = client;
  if (connection.ending) return;
  const last = args.at(-1);
  // Acks wait in Engine.IO's queue, so a client that asks for them and never reads is ended as a slow reader.
  const ack: Ack = typeof last === 'function' ? (answer) => connection.keepsUp() && last(answer) : NO_ACK;
  const command = COMMANDS.get(event);
  const fields = command?.decode(typeof args[0] === 'function' ? undefined : args[0]) ?? NO_COMMAND;
  const waiting = isRejection(fields) ? fields : weigh(fields);
  if (command === undefined || isRejection(waiting)) {
    const no = isRejection(waiting) ? waiting : NO_COMMAND;
    if (event === 'subscribe') connection.write(encodeSubscriptionError('', no.status));
    // What makes no sense costs little, but not nothing.
    return refuse(parts, event, ack, connection.commandRefusal() ?? no);
  }
  const { channel } = waiting.fields;
  const key = typeof channel === 'string' ? channel : '';
  // At once, before the queue: a subscribe that still waits for its answer must not outlive its unsubscribe.
  if (event === 'unsubscribe') connection.cancelAttempt(key);
  const queued = runCommand(parts, connection, {
    key,
    bytes: waiting.bytes,
    stage: event,
    run: () => command.run(parts, client, waiting, ack),
    failed: () => refuse(parts, event, ack, reject('internal_error', 'a fault of the server')),
  });
  if (queued) return;
  const crowded = connection.crowded();
  if (event === 'subscribe') connection.write(encodeSubscriptionError(key, crowded.status));
  refuse(parts, event, ack, crowded);
}

const NO_COMMAND = reject('invalid_message', 'no such command');

function refuse(parts: Parts, event: string, ack: Ack, rejection: Rejection): void {
  parts.meters.refused(rejection.code);
  const { code, status, message } = rejection;
  const more = { ...retryAfter(rejection), ...reasonOf(rejection) };
  ack(
    event === 'send'
      ? { type: 'sended', ok: false, error: { code, message, ...more } }
      : { ok: false, code, status, message, ...more },
  );
}

function subscribe(
  parts: Parts,
  { connection, handshake, homecoming }: Client,
  { fields }: Waiting,
  ack: Ack,
): Promise<void> {
  const { channel, auth } = fields;
  const since = decodeSince(fields);
  const answer = (outcome: JoinOutcome) => {
    if (!outcome.ok) {
      connection.write(encodeSubscriptionError(typeof channel === 'string' ? channel : '', outcome.status));
      return refuse(parts, 'subscribe', ack, outcome);
    }
    const { subscription, position, recovery } = outcome;
    const { wire } = subscription;
    if (subscription.kind === 'token' || subscription.kind === 'presence') {
      connection.write(encodeMembers(wire, listedMembers(parts, subscription)));
    }
    connection.write(encodeSubscribed(wire, recovery, position));
    ack({
      ok: true,
      channel: wire,
      ...expiresIn(subscription, parts.settings.clockToleranceMs),
      // Only to a client that keeps one for this channel, as it shows by bringing it, or saying that it has none.
      ...(position === null || since === undefined ? {} : { position }),
      ...recovery,
    });
  };
  return joinChannel(parts, connection, { channel, auth, handshake, since, homecoming }, { answer });
}

/** Seconds left on the JWT itself, so that the client can renew it by its own clock; the tolerance is not its to use. */
function expiresIn({ expiresAtMs }: Subscription, toleranceMs: number): { expires_in?: number } {
  if (expiresAtMs === null) return {};
  return { expires_in: Math.max(0, Math.floor((expiresAtMs - toleranceMs - Date.now()) / 1000)) };
}

async function unsubscribe(
  parts: Parts,
  { connection, homecoming }: Client,
  { fields: { channel } }: Waiting,
  ack: Ack,
): Promise<void> {
  const turn = connection.turnOf(1);
  if (isRejection(turn)) return refuse(parts, 'unsubscribe', ack, turn);
  const name = parseChannelName(channel, parts.reserved);
  if (isRejection(name)) return refuse(parts, 'unsubscribe', ack, name);
  const subscription = connection.subscriptions.get(name.wire);
  if (subscription !== undefined) {
    // Who asks for an answer knows when he has left. A page of Echo's never asks: should it subscribe again at once,
    // as React's hooks do, it has never meant to be away.
    const leaving = leaveChannel(parts, subscription, { linger: false });
    if (ack === NO_ACK) homecoming.left(subscription, leaving);
    await leaving;
  }
  ack({ ok: true });
}

async function whisper(parts: Parts, { connection }: Client, command: Waiting, ack: Ack): Promise<void> {
  const { fields, dataText } = command;
  const { channel, event } = fields;
  const outcome = await relayWhisper(parts, connection, { channel, event, dataText });
  if (!outcome.ok) return refuse(parts, 'client event', ack, outcome);
  ack({ ok: true });
}

function send(
  parts: Parts,
  { connection }: Client,
  { fields, dataText, hasHash }: Waiting,
  ack: Ack,
): Promise<void> | void {
  if (!hasHash) return refuse(parts, 'send', ack, reject('invalid_message', 'data must be an object'));
  return sendMessage(parts, connection, { channel: fields.channel, dataText }, (outcome) => {
    if (!outcome.ok) return refuse(parts, 'send', ack, outcome);
    ack({ type: 'sended', ok: true });
  });
}
