import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRejection } from '../../../server/domain/outcome.ts';
import { createClientAddress, isLoopback } from '../../../server/http/client-address.ts';
import { createOriginPolicy } from '../../../server/http/origin-policy.ts';
import { normalTarget, pathOf } from '../../../server/http/request-target.ts';
import { maskSecrets } from '../../../server/logger/error-fields.ts';
import {
  decodeChat,
  decodeEvent,
  decodeJob,
  decodeTokenRequest,
  decodeTweet,
  decodeUserHeader,
} from '../../../server/pages/demo/demo-input.ts';
import { decodeHttpEvent } from '../../../server/protocols/echo/http-api-event.ts';
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

const RESERVED = { redisPrefix: 'laravel_database_', names: new Set(['broadcast']) };

test('a body of POST /events is an event whose data is what was sent, or refused with a code', () => {
  const event = objectOf({
    channel: fc.constantFrom('news', 'private-x'),
    channels: fc.constantFrom(['news'], ['a', 'a'], []),
    name: fc.constant('App\\Hi'),
    data: fc.oneof(json, jsonText),
    socket_id: fc.constant('1.2'),
  });
  const body = fc.oneof(
    bytes,
    event.map((one) => Buffer.from(JSON.stringify(one) ?? '')),
  );
  holdsFor(body, (sent) => {
    const decoded = decodeHttpEvent(sent, RESERVED);
    if (isRejection(decoded)) return expectRefusal(decoded);
    const { data } = JSON.parse(sent.toString()) as { data: unknown };
    expectJson(decoded.dataJson, typeof data === 'string' ? parsedOr(data) : data);
    expect(decoded.wires.length).toBeGreaterThan(0);
  });
});

test('what the demo is sent is refused with a code where it makes no sense', () => {
  const body = fc.oneof(
    value,
    objectOf({
      channel: fc.constant('chat:demo'),
      user: objectOf({ id: fc.nat(), name: text }),
      message: text,
      name: text,
    }),
  );
  holdsFor(body, (sent) => {
    for (const decode of [decodeTokenRequest, decodeChat, decodeTweet, decodeEvent, decodeJob]) {
      const decoded = decode(sent);
      if (isRejection(decoded)) expectRefusal(decoded);
    }
  });
  holdsFor(fc.oneof(text, changed(fc.constant('7:%E3%81%82'))), (header) => void decodeUserHeader(header));
});

test('any target of a request names a path, or none', () => {
  const target = fc.oneof(
    text,
    changed(fc.constantFrom('/socket.io/?EIO=4&sid=1', 'http://127.0.0.1/ws?token=x', '//', '/%')),
  );
  holdsFor(target, (written) => {
    const normal = normalTarget(written);
    if (normal === null) return;
    expect(normal.startsWith('/')).toBe(true);
    expect(pathOf(normal)).not.toMatch(/[?#]/);
  });
});

test('any origin and any host are judged, and a stranger is not let in by odd letters', () => {
  const policy = createOriginPolicy(['https://app.example']);
  const origin = fc.oneof(
    text,
    fc.webUrl(),
    changed(fc.constantFrom('https://app.example', 'http://shop.example:8080', 'null')),
  );
  const host = fc.oneof(text, changed(fc.constant('shop.example:6001')));
  holdsFor(fc.tuple(origin, host, text), ([page, at, asked]) => {
    policy.preflightHeaders(page, at, asked);
    if (!policy.allows(page, at)) return;
    const { protocol, hostname } = new URL(page);
    const isListed = protocol === 'https:' && hostname === 'app.example';
    expect(isListed || new URL(`http://${at}`).hostname === hostname, `${page} at ${at}`).toBe(true);
  });
});

test("any X-Forwarded-For gives an address or ''", () => {
  const addressOf = createClientAddress(['10.0.0.0/8', '127.0.0.1']);
  const list = fc.oneof(
    text,
    fc.array(fc.oneof(text, fc.ipV4(), fc.ipV6()), { maxLength: 5 }).map((hops) => hops.join(', ')),
  );
  holdsFor(
    fc.tuple(list, fc.constantFrom('127.0.0.1', '10.1.2.3', '192.0.2.1')),
    ([written, remoteAddress]) => {
      const request = {
        socket: { remoteAddress },
        connection: { remoteAddress },
        headers: { 'x-forwarded-for': written },
      };
      const address = addressOf(request as unknown as IncomingMessage);
      isLoopback(address);
      if (remoteAddress === '192.0.2.1')
        expect(address, 'nobody but a trusted proxy is believed').toBe(remoteAddress);
    },
  );
});

test('secrets are masked in any text around them', () => {
  const secret = 'eyJhbGciOiJIUzI1NiJ9.eyJpZCI6MX0.c2lnbmF0dXJl';
  const around = text.map((one) => one.replaceAll(/[\w-]$/g, ' ').replaceAll(/^[\w.-]/g, ' '));
  holdsFor(fc.tuple(around, around), ([before, after]) => {
    expect(maskSecrets(`${before} ${secret} ${after}`)).not.toContain('c2lnbmF0dXJl');
    expect(maskSecrets(`${before} /?token=${secret}&${after}`)).not.toContain('c2lnbmF0dXJl');
    expect(maskSecrets(`${before} Bearer hidden-value ${after}`)).not.toContain('hidden-value');
  });
});

function parsedOr(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return written;
  }
}
