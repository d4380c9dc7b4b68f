import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeCustomMessage,
  decodeLaravelEvent,
  decodePayload,
  isDropped,
} from '../../../server/broker/bus/laravel-wire.ts';
import { decodeRoomEnvelope } from '../../../server/broker/bus/room-envelope.ts';
import { decodeMarker } from '../../../server/broker/log/marker.ts';
import { isPeerMessage } from '../../../server/broker/peers/peer-messages.ts';
import { parseBacklog } from '../../../server/broker/replication/backlog.ts';
import {
  CommandStream,
  ReplicationProtocolError,
} from '../../../server/broker/replication/command-stream.ts';
import { keepPublished, publishedIn } from '../../../server/broker/replication/published.ts';
import { decodeReply, encodeCommand } from '../../../server/broker/replication/reply.ts';
import { Snapshot } from '../../../server/broker/replication/snapshot.ts';
import { ChannelDefinitions } from '../../../server/channels/channel-definitions.ts';
import { decodeMember, senderOf } from '../../../server/domain/member.ts';
import { isRejection } from '../../../server/domain/outcome.ts';
import { QUESTIONS } from '../../../server/flows/node-questions.ts';
import {
  bytes,
  changed,
  expectJson,
  expectRefusal,
  holdsFor,
  json,
  jsonText,
  objectOf,
  text,
  value,
} from './fuzz.ts';

const REASONS =
  /^(not_utf8|not_json|no_object|no_event|bad_channel|bad_type|bad_sender|bad_data|bad_envelope)$/;

const payload = fc.oneof(
  bytes,
  objectOf({ event: fc.constant('App\\Hi'), data: json, socket: fc.constant('1.2') }).map(toBytes),
  objectOf({
    channel: fc.constant('chat:1'),
    data: json,
    type: fc.constant('message'),
    sender: objectOf({ id: fc.constantFrom(1, 'u', 2 ** 53), name: text }),
  }).map(toBytes),
  objectOf({
    yamabiko: fc.constantFrom('joined', 'left', 'message'),
    revision: fc.nat(),
    ref: text,
    member: objectOf({ user_id: fc.constantFrom(1, '1', 0), user_info: json, socketId: text }),
    sender: objectOf({ id: fc.constantFrom(1, 'u'), name: text }),
    user: text,
    data: json,
  }).map(toBytes),
  changed(
    fc.constantFrom(
      '{"event":"App\\\\Hi","data":{"a":10.0,"socket":"1.2"},"socket":"1.2"}',
      '{"channel":"chat:1","data":{"message":"hello","name":"Laravel"},"type":"message"}',
      '{"yamabiko":"joined","revision":7,"member":{"user_id":1,"user_info":{"id":1},"socketId":"1.2"}}',
      '{"yamabiko":"message","ref":"r","sender":{"name":"a","id":1},"data":{"a":1}}',
    ),
  ).map((one) => Buffer.from(one)),
);

describe('a payload from Redis', () => {
  test('is an event, a message or an envelope of which every piece is JSON, or dropped with a reason', () => {
    holdsFor(payload, (one) => {
      const decoded = decodePayload(one);
      if (isDropped(decoded)) return expect(decoded.dropped).toMatch(REASONS);
      const { parsed } = decoded;
      const event = decodeLaravelEvent(decoded);
      if (isDropped(event)) expect(event.dropped).toMatch(REASONS);
      else expectJson(event.data, withoutSocket(parsed.data ?? null));
      const message = decodeCustomMessage(decoded);
      if (isDropped(message)) expect(message.dropped).toMatch(REASONS);
      else {
        expectJson(message.data, parsed.data);
        if (message.sender !== null) JSON.parse(message.sender.idJson);
      }
      const envelope = decodeRoomEnvelope(decoded.text, parsed);
      if (envelope?.type === 'message') expectJson(envelope.data, parsed.data);
      else if (envelope !== null) {
        JSON.parse(envelope.member.json);
        JSON.parse(envelope.member.user);
        senderOf(envelope.member);
      }
    });
  });

  test('of any shape is let out by no definition but in its own shape', () => {
    const definitions = new ChannelDefinitions({});
    holdsFor(
      fc.tuple(fc.constantFrom('chat:1', 'tweet:1', 'progress:1', 'x', '__proto__', 'constructor'), jsonText),
      ([base, data]) => {
        try {
          JSON.parse(data);
        } catch {
          return;
        }
        const shaped = definitions.shape(base, data);
        if (isRejection(shaped)) return expectRefusal(shaped);
        const out = JSON.parse(shaped.data) as Record<string, unknown>;
        if (base === 'chat:1')
          expect(Object.keys(out).every((name) => name === 'message' || name === 'name')).toBe(true);
      },
    );
  });
});

test('a member that somebody wrote into the store is one, or null', () => {
  const member = fc.oneof(
    jsonText,
    objectOf({ user_id: fc.constantFrom(0, 1, '1', -1, 1.5), user_info: json, socketId: text }).map(
      (one) => JSON.stringify(one) ?? '',
    ),
    changed(fc.constant('{"user_id":9223372036854775807,"user_info":{"id":1,"name":"a"},"socketId":"1.2"}')),
  );
  holdsFor(member, (written) => {
    const decoded = decodeMember(written);
    if (decoded === null) return;
    JSON.parse(decoded.json);
    JSON.parse(decoded.user);
    expect(typeof senderOf(decoded).name).toBe('string');
  });
});

test('what is said on the channel between nodes is a question of ours or none', () => {
  const message = fc.oneof(
    bytes,
    objectOf({ type: fc.constant(6), uid: text, requestId: text, data: fc.constant(['yamabiko:node']) }).map(
      toBytes,
    ),
  );
  holdsFor(message, (one) => expect(typeof isPeerMessage(one)).toBe('boolean'));
  holdsFor(value, (one) => {
    for (const question of Object.values(QUESTIONS)) {
      question.decodePayload(one);
      question.decodeAnswer(one);
    }
  });
});

test('a marker is one of ours or none', () => {
  const marker = fc.oneof(
    bytes,
    changed(fc.constant('0b6f8c0e-6d7a-4b53-9a3c-0f5f3c8e1a11|17|abcdef0123')).map((one) => Buffer.from(one)),
  );
  holdsFor(marker, (one) => {
    const decoded = decodeMarker(one);
    if (decoded !== null) expect(decoded.nonce).toMatch(/^[\w-]{1,64}$/);
  });
});

describe('the replication stream', () => {
  const command = fc
    .array(
      fc.oneof(
        fc.constantFrom('publish', 'PUBLISH', 'replconf', 'GETACK', '*', 'laravel_database_news'),
        text,
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((parts) => encodeCommand(parts));
  const stream = fc.oneof(
    fc.array(command, { maxLength: 6 }).map((commands) => commands.join('')),
    changed(fc.array(command, { maxLength: 6 }).map((commands) => commands.join(''))),
    text,
  );

  test('is read, or is one that no master sends: never anything else', () => {
    holdsFor(fc.tuple(stream, fc.array(fc.nat(200))), ([whole, cuts]) => {
      const told: Buffer[][] = [];
      const reader = new CommandStream({
        offset: 0,
        keeps: keepPublished(() => true),
        onCommand: (kept) => {
          told.push([...kept]);
          publishedIn(kept);
        },
      });
      orProtocolError(() => inPieces(Buffer.from(whole), cuts, (piece) => reader.read(piece)));
    });
  });

  test('begins with replies and a data set that are read, or are none', () => {
    const begin = fc.oneof(
      bytes,
      changed(
        fc.constantFrom(
          '+FULLRESYNC 0123456789012345678901234567890123456789 7\r\n',
          '*2\r\n$3\r\nabc\r\n:1\r\n',
          '$5\r\nREDIS',
          `$EOF:${'a'.repeat(40)}\r\nxyz${'a'.repeat(40)}`,
        ),
      ).map((one) => Buffer.from(one, 'latin1')),
    );
    holdsFor(fc.tuple(begin, fc.array(fc.nat(60))), ([one, cuts]) => {
      orProtocolError(() => decodeReply(one));
      orProtocolError(() => {
        const snapshot = new Snapshot();
        inPieces(one, cuts, (piece) => snapshot.read(piece));
      });
      parseBacklog(one.toString());
    });
  });
});

function toBytes(one: unknown): Buffer {
  return Buffer.from(JSON.stringify(one) ?? '');
}

/** As it goes out: the id of a connection is nobody's business. */
function withoutSocket(data: unknown): unknown {
  const isRecord = typeof data === 'object' && data !== null && !Array.isArray(data);
  return isRecord && Object.hasOwn(data, 'socket') ? { ...data, socket: null } : data;
}

function orProtocolError(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ReplicationProtocolError)) throw error;
  }
}

function inPieces(whole: Buffer, cuts: readonly number[], read: (piece: Buffer) => void): void {
  let at = 0;
  for (const cut of cuts) {
    read(whole.subarray(at, at + cut));
    at += cut;
  }
  read(whole.subarray(at));
}
