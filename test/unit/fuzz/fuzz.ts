import fc, { type Arbitrary } from 'fast-check';
import { catalogue } from '../../../server/domain/catalogue.ts';

/**
 * The same inputs each time, so that a failure is nobody's bad luck; `FUZZ_SEED` and `FUZZ_RUNS` look further. What
 * fails is printed with its seed and in its smallest form.
 */
const seed = Number(process.env.FUZZ_SEED ?? 20_261_125);
const numRuns = Number(process.env.FUZZ_RUNS ?? 2_000);

/** Holds a property for so many inputs. @throws Error with seed, path and the smallest input that fails */
export function holdsFor<T>(input: Arbitrary<T>, property: (value: T) => void, runs = numRuns): void {
  // fast-check takes a returned false for a failure, and an assertion may return anything.
  const held = (value: T) => void property(value);
  fc.assert(fc.property(input, held), { seed, numRuns: Math.min(runs, numRuns) });
}

export async function holdsForAsync<T>(
  input: Arbitrary<T>,
  property: (value: T) => Promise<void>,
  runs = numRuns,
): Promise<void> {
  await fc.assert(fc.asyncProperty(input, property), { seed, numRuns: Math.min(runs, numRuns) });
}

/** Keys that mean something to JavaScript or to us. */
const KEYS = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'toJSON', 'length'],
  ...[
    'channel',
    'auth',
    'headers',
    'token',
    'data',
    'event',
    'socket',
    'id',
    'name',
    'since',
    'type',
    'sender',
  ],
  ...['user', 'user_id', 'user_info', 'channel_data', 'channels', 'socket_id', 'member', 'revision', 'ref'],
];

export const key = fc.oneof(fc.constantFrom(...KEYS), fc.string());

/** Any text: half a surrogate, control characters, right-to-left marks, long runs of one thing. */
export const text: Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)))
    .map((units) => units.join('')),
  fc
    .tuple(
      fc.constantFrom('a', ' ', '-', '[', '{"a":', '"', '\\', ':', '.', '%', '\0', '\u{1f600}', '\ud800'),
      fc.nat(400),
    )
    .map(([piece, count]) => piece.repeat(count)),
);

/** Any value that JSON can bring, keys of its own kind among them. */
export const json: Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, -1, Infinity, 2 ** 53, 1.5, '', 'message', 'private-x'),
    text,
    fc.double(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => fromEntries(entries)),
  ),
})).value as Arbitrary<unknown>;

/** As JSON.parse makes it: `__proto__` is a key like any other. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [name, value] of entries)
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  return object;
}

/** What Socket.IO's parser can bring besides: binary, and what a client of ours might put in. */
export const value: Arbitrary<unknown> = fc.oneof(
  json,
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.constant(undefined),
  fc.constant(Object.create(null)),
);

/** An object whose members may be what is expected, or anything. */
export function objectOf(members: Readonly<Record<string, Arbitrary<unknown>>>): Arbitrary<unknown> {
  const entries = Object.entries(members).map(([name, good]) => [name, fc.oneof(good, value)] as const);
  return fc.record(Object.fromEntries(entries), { requiredKeys: [] });
}

/** JSON text: nested without end, with equal keys, with white space, broken, or changed somewhere. */
export const jsonText: Arbitrary<string> = fc.oneof(
  json.map((one) => JSON.stringify(one) ?? 'null'),
  json.map((one) => JSON.stringify(one, null, 2) ?? 'null'),
  fc.array(fc.tuple(key, json), { maxLength: 6 }).map((members) => objectText(members)),
  fc
    .tuple(fc.constantFrom('[', '{"data":', '{"a":['), fc.nat(3_000))
    .map(([open, depth]) => nested(open, depth)),
  text,
);

function objectText(members: readonly (readonly [string, unknown])[]): string {
  return `{${members.map(([name, one]) => `${JSON.stringify(name)} : ${JSON.stringify(one) ?? 'null'}`).join(' ,')}}`;
}

function nested(open: string, depth: number): string {
  const close = [...open]
    .reverse()
    .map((c) => (c === '[' ? ']' : c === '{' ? '}' : ''))
    .join('');
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
}

/** A good text, with some of it cut out, put in, doubled or changed. */
export function changed(good: Arbitrary<string>): Arbitrary<string> {
  const change = fc.tuple(
    fc.constantFrom('cut', 'insert', 'double', 'replace'),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.nat(8),
    text,
  );
  return fc.tuple(good, fc.array(change, { maxLength: 3 })).map(([whole, changes]) => {
    let result = whole;
    for (const [how, where, count, put] of changes) {
      const at = Math.floor(where * result.length);
      const [head, middle, tail] = [
        result.slice(0, at),
        result.slice(at, at + count),
        result.slice(at + count),
      ];
      if (how === 'cut') result = head + tail;
      if (how === 'insert') result = head + put + middle + tail;
      if (how === 'double') result = head + middle + middle + tail;
      if (how === 'replace') result = head + put.slice(0, count) + tail;
    }
    return result;
  });
}

export const bytes: Arbitrary<Buffer> = fc.oneof(
  jsonText.map((one) => Buffer.from(one)),
  fc.uint8Array({ maxLength: 200 }).map((one) => Buffer.from(one)),
);

/** @throws Error where a refusal bears no code of the table, or says what a stranger wrote at any length */
export function expectRefusal(refusal: {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}): void {
  if (!Object.hasOwn(catalogue, refusal.code)) throw new Error(`no code of ours: ${refusal.code}`);
  if (!Number.isInteger(refusal.status)) throw new Error(`no status: ${refusal.status}`);
  if (refusal.message.length > 400) throw new Error(`a message of ${refusal.message.length} characters`);
}

/** @throws Error where a text that is spliced into frames is not the JSON of what was meant */
export function expectJson(spliced: string, meant: unknown): void {
  const [is, should] = [rewritten(JSON.parse(spliced)), rewritten(meant)];
  if (is !== should) throw new Error(`spliced ${is} where ${should} was meant`);
}

/** JSON.parse takes any depth, JSON.stringify does not: what is so deep cannot be compared. */
function rewritten(one: unknown): string | undefined {
  try {
    return JSON.stringify(one);
  } catch (error) {
    if (error instanceof RangeError) return 'nested too deeply';
    throw error;
  }
}
