/**
 * The headers that a client asks to have sent to Laravel: its `auth.headers` (protocol.md section 8). Foreign
 * input: what could speak for the proxy, the connection or the body is left out, or a page could forge the
 * client's address or smuggle a second request.
 */

/** More than any page needs; beyond, strangers would fill memory with questions that wait. */
const MAX_HEADERS = 32;
const MAX_TOTAL_LENGTH = 16_384;

const NAME = /^[A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~-]*$/;
/** What a header can carry: no CR, LF or NUL, nothing beyond Latin-1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const OURS = new Set([
  'accept',
  'accept-encoding',
  'client-ip',
  'connection',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'true-client-ip',
  'upgrade',
  'user-agent',
  'via',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-real-ip',
  'x-requested-with',
  'x-rewrite-url',
]);
const OUR_PREFIXES = ['content-', 'proxy', 'x-forwarded-', 'cf-connecting-'];

/** Names in lower case, each once. */
type ClientHeaders = ReadonlyMap<string, string>;

/**
 * @param auth a client's `auth`, of any type
 * @returns the headers that may be sent; what is not a header is left out; null where they are too many or too long
 */
export function clientHeaders(auth: unknown): ClientHeaders | null {
  const headers = new Map<string, string>();
  const given = ownProperty(auth, 'headers');
  if (typeof given !== 'object' || given === null) return headers;
  let length = 0;
  for (const [key, value] of Object.entries(given)) {
    const name = key.toLowerCase();
    const text = headerText(value);
    if (text === null || !NAME.test(key) || isOurs(name)) continue;
    length += name.length + text.length;
    headers.set(name, text);
    if (headers.size > MAX_HEADERS || length > MAX_TOTAL_LENGTH) return null;
  }
  return headers;
}

/** @returns the value, or null where it can be no header's */
export function headerText(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = String(value);
  return VALUE.test(text) ? text : null;
}

/** An own property of foreign input, or undefined: what a prototype holds was not sent. */
function ownProperty(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

function isOurs(name: string): boolean {
  // PHP reads `X_Forwarded_For` and `X-Forwarded-For` as one and the same variable.
  const read = name.replaceAll('_', '-');
  return OURS.has(read) || OUR_PREFIXES.some((prefix) => read.startsWith(prefix));
}
