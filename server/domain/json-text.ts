/**
 * Cuts pieces out of JSON text without parsing and writing them again, so that Laravel's bytes stay what they
 * were: numbers beyond 2^53, `10.0`, key order, `[]` and `{}` (protocol.md section 5).
 *
 * MUST be given text that `JSON.parse` accepts: the cutting checks nothing, and a broken piece spliced into a
 * frame would end every client that reads it.
 */
export interface JsonMember {
  readonly key: string;
  /** Where the member begins (its key's quote) and where its value begins and ends, as offsets in the text. */
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** The members of the object that `text` holds, in their order; an empty list if it holds no object. */
export function jsonMembers(text: string): JsonMember[] {
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_BRACE) return [];
  const members: JsonMember[] = [];
  at = skipSpace(text, at + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const start = at;
    const keyEnd = endOfString(text, at);
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    members.push({ key: JSON.parse(text.slice(start, keyEnd)) as string, start, valueStart, valueEnd });
    at = skipSpace(text, valueEnd);
    if (text.charCodeAt(at) !== COMMA) break;
    at = skipSpace(text, at + 1);
  }
  return members;
}

/** The text of one member's value, or undefined. Of equal keys the last counts, as in JSON.parse. */
export function jsonValue(text: string, key: string): string | undefined {
  const member = jsonMembers(text).findLast((m) => m.key === key);
  return member && text.slice(member.valueStart, member.valueEnd);
}

/** The same object with every member of that key set to `value` (JSON text); unchanged where there is none. */
export function withJsonValue(text: string, key: string, value: string): string {
  // Pieces joined once: replacing in place copies the text for each of the equal keys a stranger sends.
  const pieces: string[] = [];
  let from = 0;
  for (const m of jsonMembers(text)) {
    if (m.key !== key) continue;
    pieces.push(text.slice(from, m.valueStart), value);
    from = m.valueEnd;
  }
  return pieces.length === 0 ? text : pieces.join('') + text.slice(from);
}

/** The same object without the members of that key. */
export function withoutJsonKey(text: string, key: string): string {
  const members = jsonMembers(text);
  if (!members.some((m) => m.key === key)) return text;
  const kept = members.filter((m) => m.key !== key);
  return `{${kept.map((m) => text.slice(m.start, m.valueEnd)).join(',')}}`;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (let c = text.charCodeAt(at); c === 0x20 || (c >= 0x09 && c <= 0x0d); c = text.charCodeAt(at)) at++;
  return at;
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  for (let c = text.charCodeAt(at); c !== QUOTE && at < text.length; c = text.charCodeAt(at))
    at += c === BACKSLASH ? 2 : 1;
  return at + 1;
}

function endOfValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return endOfString(text, from);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfNested(text, from);
  let at = from;
  while (at < text.length && !',]} \t\n\r'.includes(text[at] as string)) at++;
  return at;
}

function endOfNested(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const c = text.charCodeAt(at);
    if (c === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    at++;
    if (c === OPEN_BRACE || c === OPEN_BRACKET) depth++;
    else if ((c === CLOSE_BRACE || c === CLOSE_BRACKET) && --depth === 0) return at;
  }
  return at;
}
