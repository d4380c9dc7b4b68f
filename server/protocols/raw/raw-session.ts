import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Handshake } from '../../access/access.ts';
import { AbuseCount } from '../../connection/abuse-count.ts';
import { Connection, type ConnectionSettings } from '../../connection/connection.ts';
import type { Place } from '../../connection/places.ts';
import type { TickCork } from '../../connection/tick-cork.ts';
import { type Closure, type Rejection, reject } from '../../domain/outcome.ts';
import { createSocketId } from '../../domain/socket-id.ts';
import { dropConnection, takeConnection } from '../../flows/drop-connection.ts';
import { joinChannel } from '../../flows/join-channel.ts';
import type { Parts } from '../../flows/parts.ts';
import { runCommand } from '../../flows/run-command.ts';
import { sendMessage } from '../../flows/send-message.ts';
import { channelOfToken, tokenOf } from './credentials.ts';
import { decodeRawFrame } from './decode.ts';
import { encodeSended } from './encode.ts';
import { positionedRawFrames, rawFrames } from './frames.ts';
import { keepAlive } from './heartbeat.ts';
import { pastOf } from './past.ts';
import { RawTransport } from './raw-transport.ts';
import { Welcome } from './welcome.ts';

export interface RawSettings {
  /** URL paths whose upgrades are taken, each whole and exact. */
  readonly paths: readonly string[];
  /** Largest frame in, in bytes: a bigger one closes with 1009. */
  readonly maxFrameBytes: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** So many bad frames within the window end the connection. */
  readonly badFrames: number;
  readonly badFramesWindowMs: number;
  readonly connection: ConnectionSettings;
}

/** The name that ws gives to a frame over `maxPayload`. */
const FRAME_TOO_BIG = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';

interface RawClient {
  readonly webSocket: WebSocket;
  readonly request: IncomingMessage;
  readonly admission: Place | Closure;
  readonly handshake: Handshake;
  readonly tickCork: TickCork;
}

/** One raw client from its upgrade to its end. Handlers are attached before anything is awaited. */
export function acceptRawClient(parts: Parts, settings: RawSettings, client: RawClient): void {
  const { webSocket, request, admission, handshake, tickCork } = client;
  const { since, oldSocketIds } = pastOf(request);
  const connection = new Connection(
    since === null ? rawFrames : positionedRawFrames,
    new RawTransport(webSocket, tickCork),
    settings.connection,
    [createSocketId(), ...oldSocketIds],
  );
  const abuse = new AbuseCount(settings.badFrames, settings.badFramesWindowMs);
  webSocket.on('error', (error) => {
    // ws has closed it with 1009 by itself.
    if ((error as NodeJS.ErrnoException).code === FRAME_TOO_BIG) parts.meters.refused('too_large');
    parts.log.debug({ err: error, connection: connection.id }, 'raw socket error');
  });
  if ('free' in admission) webSocket.once('close', () => admission.free());
  if (!takeConnection(parts, connection, 'free' in admission ? null : admission)) return;
  webSocket.once('close', () => void dropConnection(parts, connection));
  keepAlive(webSocket, settings.pingIntervalMs, settings.pingTimeoutMs);

  const token = tokenOf(request);
  const channel = channelOfToken(token);
  const failed = () => connection.end({ code: 'internal_error', message: 'a fault of the server' });
  const run = (bytes: number, command: () => Promise<void>) =>
    runCommand(parts, connection, { key: channel ?? '', bytes, stage: 'raw command', run: command, failed });
  const session: Session = { parts, connection, channel, abuse, run };
  webSocket.on('message', (bytes, isBinary) => {
    receive(session, isBinary ? null : bytes.toString());
  });
  // Each costs, as a command does; answered by ws itself, a flood would be cut without a word.
  webSocket.on('ping', (data) => {
    if (connection.commandRefusal() === null && connection.keepsUp()) webSocket.pong(data);
  });
  webSocket.on('pong', () => void connection.commandRefusal());
  join(session, { token, since, handshake });
}

interface Coming {
  readonly token: string | null;
  readonly since: string | null;
  readonly handshake: Handshake;
}

/** Apart from the handlers, which would hold what is needed here once, the token too, as long as the client is there. */
function join({ parts, connection, channel, run }: Session, { token, since, handshake }: Coming): void {
  const welcome = new Welcome(parts, connection, since !== null);
  if (channel === null) {
    const code = token === null ? 'token_missing' : 'token_invalid';
    return welcome.answer(reject(code, 'a token with a channel claim is needed'));
  }
  const joining = { channel, auth: { token }, handshake, since: since === '' ? null : since };
  run(0, () => joinChannel(parts, connection, joining, welcome));
}

interface Session {
  readonly parts: Parts;
  readonly connection: Connection;
  readonly channel: string | null;
  readonly abuse: AbuseCount;
  readonly run: (bytes: number, command: () => Promise<void>) => boolean;
}

/** One frame in. @param text null for a binary frame */
function receive({ parts, connection, channel, abuse, run }: Session, text: string | null): void {
  // The client may not have read the close frame yet, or never mean to.
  if (connection.ending) return;
  const frame =
    text === null
      ? { ...reject('invalid_message', 'a frame must be text'), idJson: undefined }
      : decodeRawFrame(text);
  const answer = (outcome: { readonly ok: true } | Rejection) => {
    if (!outcome.ok) parts.meters.refused(outcome.code);
    connection.write(encodeSended(outcome, frame.idJson));
  };
  // Counted before any rate limit, and at once: abuse must not wait in the queue that it fills.
  if (!frame.ok && abuse.add()) {
    return connection.end({ code: 'protocol_abuse', message: 'too many bad frames' });
  }
  const queued = run(text?.length ?? 0, async () => {
    if (!frame.ok) return answer(frame);
    await sendMessage(parts, connection, { channel, dataText: frame.dataText }, answer);
  });
  if (queued) return;
  const { message, retryAfterMs = 0 } = connection.crowded();
  connection.end({ code: 'rate_limited', message, retryAfterMs });
}
