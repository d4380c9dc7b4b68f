import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { clientHeaders } from '../../../server/access/client-headers.ts';
import { decodeMarker } from '../../../server/broker/log/marker.ts';
import { parseBaseName, parseChannelName } from '../../../server/domain/channel-name.ts';
import { parsePosition } from '../../../server/domain/position.ts';
import { isSocketId } from '../../../server/domain/socket-id.ts';
import { createClientAddress } from '../../../server/http/client-address.ts';
import { createMetricsPage } from '../../../server/http/metrics-page.ts';
import { createOriginPolicy } from '../../../server/http/origin-policy.ts';
import { normalTarget } from '../../../server/http/request-target.ts';
import { maskSecrets } from '../../../server/logger/error-fields.ts';
import { decodeUserHeader } from '../../../server/pages/demo/demo-input.ts';
import { decodeHttpEvent } from '../../../server/protocols/echo/http-api-event.ts';
import { channelOfToken, tokenOf } from '../../../server/protocols/raw/credentials.ts';
import { decodeRawFrame } from '../../../server/protocols/raw/decode.ts';
import { pastOf } from '../../../server/protocols/raw/past.ts';

const RESERVED = { redisPrefix: 'laravel_database_', names: new Set(['broadcast']) };
const policy = createOriginPolicy(['https://app.example']);
const addressOf = createClientAddress(['10.0.0.0/8', '127.0.0.1']);
const metrics = createMetricsPage({ contentType: '', metrics: async () => '' }, 'key');

/** All that looks into a stranger's text with a pattern of ours. */
const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  'a channel name': (text) => [parseChannelName(text, RESERVED), parseBaseName(text, RESERVED)],
  'a prefixed name': (text) => parseChannelName(`private-encrypted-${text}`, RESERVED),
  'a position': (text) => parsePosition(text),
  'a socket id': (text) => isSocketId(text),
  'a marker': (text) => decodeMarker(Buffer.from(text)),
  'headers for Laravel': (text) => clientHeaders({ headers: { X: text, [text]: 'x' } }),
  'an origin': (text) => policy.preflightHeaders(text, text, text),
  'an origin behind a scheme': (text) => policy.allows(`https://${text}`, text),
  'a forwarded address': (text) => addressOf(requestWith({ 'x-forwarded-for': text }, '127.0.0.1')),
  'a bearer of the metrics': (text) =>
    metrics(
      requestWith({ authorization: `Bearer ${text}` }, '192.0.2.1') as never,
      answer as never,
      () => {},
    ),
  'a bearer of a raw client': (text) => tokenOf(requestWith({ authorization: `Bearer ${text}` })),
  'a query': (text) => [
    tokenOf({ url: `/?${text}`, headers: {} } as IncomingMessage),
    pastOf({ url: `/?${text}`, headers: {} } as IncomingMessage),
  ],
  'claims before they are verified': (text) => channelOfToken(`a.${text}.b`),
  'a target': (text) => [normalTarget(text), normalTarget(`http://${text}`)],
  'a frame': (text) => decodeRawFrame(text),
  'a body': (text) => decodeHttpEvent(Buffer.from(text), RESERVED),
  "the demo's user": (text) => decodeUserHeader(`1:${text}`),
  'a text that is logged': (text) => maskSecrets(text),
};

/** Long runs of what patterns repeat, and at their end what they do not take. */
const RUNS = [
  ' ',
  '\t',
  'a',
  'A',
  '1',
  '-',
  '.',
  ',',
  ' ,',
  ', ',
  ':',
  '::',
  '/',
  '//',
  '@',
  '%',
  '"',
  '\\',
  '[',
  '{',
  '{"a":',
  '|',
];
const MORE = [
  'eyJ',
  'eyJ-',
  'eyJa.',
  '-eyJ',
  'Bearer ',
  'token=',
  '://',
  '://a@',
  'private-',
  '&',
  '=',
  '_',
  '\0',
  'é',
  '\ud800',
  '255.',
];

/**
 * No time is measured here: what takes a square of its length takes hours for so many characters, and the test ends by its
 * time limit.
 */
test.each(Object.entries(READERS))(
  '%s is read in one pass, however long it is',
  { timeout: 60_000 },
  (_name, read) => {
    for (const run of [...RUNS, ...MORE])
      for (const end of ['', '!', '\n', ' x'])
        expect(() => read(run.repeat(Math.ceil(200_000 / run.length)) + end)).not.toThrow();
  },
);

function requestWith(headers: Record<string, string>, remoteAddress = '192.0.2.1'): IncomingMessage {
  return { headers, socket: { remoteAddress }, connection: { remoteAddress } } as unknown as IncomingMessage;
}

const answer = { writeHead: () => answer, end: () => answer, set: () => answer, send: () => answer };
