import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBaseName, parseChannelName } from '../../../server/domain/channel-name.ts';
import { isRejection } from '../../../server/domain/outcome.ts';
import {
  comparePositions,
  formatPosition,
  parsePosition,
  placeBefore,
} from '../../../server/domain/position.ts';
import { isSocketId } from '../../../server/domain/socket-id.ts';
import {
  decodeClientEvent,
  decodeFields,
  decodeSince,
  toJsonText,
} from '../../../server/protocols/echo/decode.ts';
import { decodeRecoveryAuth, encodePid } from '../../../server/protocols/echo/recovery-auth.ts';
import { channelOfToken, tokenOf } from '../../../server/protocols/raw/credentials.ts';
import { decodeRawFrame } from '../../../server/protocols/raw/decode.ts';
import { pastOf } from '../../../server/protocols/raw/past.ts';
import {
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

const RESERVED = { redisPrefix: 'laravel_database_', names: new Set(['broadcast']) };

const rawFrame = fc.oneof(
  jsonText,
  fc.tuple(json, json).map(([data, id]) => JSON.stringify({ data, id })),
  changed(fc.constantFrom('{"data":{"message":"hello","name":"a"},"id":7}', '{ "id" : "x" , "data" : { } }')),
);

test('a raw frame is a message whose data is what JSON.parse sees, or refused with a code', () => {
  holdsFor(rawFrame, (frame) => {
    const decoded = decodeRawFrame(frame);
    if (isRejection(decoded)) return expectRefusal(decoded);
    const meant = JSON.parse(frame) as { data: unknown; id?: unknown };
    expectJson(decoded.dataText, meant.data);
    expect(decoded.idJson === undefined ? undefined : JSON.parse(decoded.idJson)).toEqual(meant.id);
  });
});

test('whatever stands in the URL of a raw upgrade is read without a fault', () => {
  const part = fc.oneof(text, text.map(encodeURIComponentSafely));
  const url = fc.oneof(
    text,
    fc
      .array(fc.tuple(fc.constantFrom('token', 'since', 'socket', 'x'), part))
      .map((pairs) => `/?${pairs.map((pair) => pair.join('=')).join('&')}`),
  );
  holdsFor(fc.tuple(url, fc.option(text, { nil: undefined })), ([written, authorization]) => {
    const request = { url: written, headers: { authorization } } as unknown as IncomingMessage;
    const token = tokenOf(request);
    expect(token === null || token !== '').toBe(true);
    expect(typeof channelOfToken(token)).toMatch(/string|object/);
    const { since, oldSocketIds } = pastOf(request);
    expect((since ?? '').length).toBeLessThanOrEqual(64);
    expect(oldSocketIds.every(isSocketId)).toBe(true);
  });
});

test('whatever claims a token makes before it is verified are read without a fault', () => {
  const claims = fc.oneof(
    jsonText,
    json.map((one) => JSON.stringify(one) ?? ''),
  );
  holdsFor(fc.tuple(text, claims, text), ([head, payload, tail]) => {
    const token = `${head}.${Buffer.from(payload).toString('base64url')}.${tail}`;
    expect(typeof channelOfToken(token)).toMatch(/string|object/);
  });
});

describe('the argument of a Socket.IO event', () => {
  const command = objectOf({
    channel: fc.constantFrom('news', 'private-x', 'presence-x'),
    auth: json,
    event: fc.constant('client-x'),
    data: json,
    since: fc.constant('1-2'),
  });

  test('is fields, or refused with a code', () => {
    holdsFor(fc.oneof(value, command), (argument) => {
      const fields = decodeFields(argument);
      if (isRejection(fields)) return expectRefusal(fields);
      expect(fields).toBe(argument);
      const since = decodeSince(fields);
      expect((since ?? '').length).toBeLessThanOrEqual(64);
    });
  });

  test('of a whisper may be JSON text too, of anything', () => {
    holdsFor(fc.oneof(value, command, jsonText), (argument) => {
      const fields = decodeClientEvent(argument);
      if (isRejection(fields)) expectRefusal(fields);
    });
  });

  test('holds data that becomes JSON text again, at any depth', () => {
    const deep = fc.nat(30_000).map((depth) => {
      let one: unknown = 1;
      for (let i = 0; i < depth; i++) one = i % 2 === 0 ? [one] : { a: one };
      return one;
    });
    holdsFor(value, (data) => {
      const written = toJsonText(data);
      if (isRejection(written)) expectRefusal(written);
      else JSON.parse(written);
    });
    for (const data of fc.sample(deep, { seed: 1, numRuns: 20 })) {
      const written = toJsonText(data);
      if (isRejection(written)) expectRefusal(written);
    }
  });

  test('may bring anything as auth of its CONNECT: what is kept of it is short, and ids are ids', () => {
    const auth = fc.oneof(value, objectOf({ pid: fc.constant('1.2_3.4'), offset: fc.constant('1-2') }));
    holdsFor(auth, (given) => {
      const { offset, oldSocketIds } = decodeRecoveryAuth(given);
      expect((offset ?? '').length).toBeLessThanOrEqual(64);
      expect(oldSocketIds.length).toBeLessThanOrEqual(2);
      expect(oldSocketIds.every(isSocketId)).toBe(true);
      expect(decodeRecoveryAuth({ pid: encodePid(['1.1', ...oldSocketIds]) }).oldSocketIds[0]).toBe('1.1');
    });
  });
});

test('a position is one that we could have given, or none', () => {
  const position = fc.oneof(text, changed(fc.constantFrom('1764064800000-17', '0-0', '9007199254740993-1')));
  holdsFor(fc.tuple(position, position), ([a, b]) => {
    const [first, second] = [parsePosition(a), parsePosition(b)];
    if (first === null || second === null) return;
    expect(Number.isFinite(comparePositions(first, second))).toBe(true);
    expect(parsePosition(formatPosition(first))).toEqual(first);
    expect(parsePosition(placeBefore(formatPosition(first)))).not.toBeNull();
  });
});

test('a channel name has one verdict, whatever it is', () => {
  const name = fc.oneof(
    value,
    fc
      .tuple(
        fc.constantFrom(
          '',
          'private-',
          'presence-',
          'private-encrypted-',
          'Private-',
          '#',
          'laravel_database_',
        ),
        text,
      )
      .map((parts) => parts.join('')),
  );
  holdsFor(name, (wire) => {
    const parsed = parseChannelName(wire, RESERVED);
    const base = parseBaseName(wire, RESERVED);
    for (const verdict of [parsed, base]) if (isRejection(verdict)) expectRefusal(verdict);
    if (isRejection(parsed)) return;
    expect(parsed.wire).toBe(wire);
    expect(parsed.wire.endsWith(parsed.base)).toBe(true);
    expect(Buffer.byteLength(parsed.base)).toBeLessThanOrEqual(200);
    expect(parsed.base).not.toMatch(/[\s\p{Cc}]|^#|^(private|presence)-|^laravel_database_|^broadcast$/u);
    expect(parsed.base.isWellFormed()).toBe(true);
  });
});

function encodeURIComponentSafely(written: string): string {
  return encodeURIComponent(written.toWellFormed());
}
