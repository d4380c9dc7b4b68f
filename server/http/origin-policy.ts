/**
 * Which pages may talk to this server: one rule for polling, WebSocket and raw (protocol.md section 6, "Origins").
 */
export interface OriginPolicy {
  /**
   * @param origin the request's `Origin`; without one no browser page asks, so it is allowed
   * @param host the request's `Host`
   */
  allows(origin: string | undefined, host: string | undefined): boolean;
  /** Headers for every answer, to an origin that is refused too: caches must keep the two apart. */
  corsHeaders(origin: string | undefined, host: string | undefined): Record<string, string>;
  /**
   * Headers for the answer to a preflight (`OPTIONS`, status 204).
   * @param requestedHeaders the request's `Access-Control-Request-Headers`
   */
  preflightHeaders(
    origin: string | undefined,
    host: string | undefined,
    requestedHeaders: string | undefined,
  ): Record<string, string>;
}

/** A list of header names, as a browser writes it; bounded, since it is sent back. */
const HEADER_LIST = /^[!#$%&'*+.^_`|~0-9a-z-]+( ?, ?[!#$%&'*+.^_`|~0-9a-z-]+)*$/i;
const MAX_HEADER_LIST = 1_024;

/** How long a browser may keep a preflight's answer. */
const PREFLIGHT_MAX_AGE_S = 600;

/**
 * @param origins exact origins (`https://app.example`, letter case and default port do not matter), or `*` for all
 * @throws Error for an entry that is no origin
 */
export function createOriginPolicy(origins: readonly string[]): OriginPolicy {
  const all = origins.includes('*');
  const listed = new Set(origins.filter((o) => o !== '*').map(requireOrigin));

  const allows: OriginPolicy['allows'] = (origin, host) => {
    if (origin === undefined || all) return true;
    const page = parseOrigin(origin);
    if (page === null) return false;
    return listed.has(page.normal) || isSameHost(page, host);
  };
  const corsHeaders: OriginPolicy['corsHeaders'] = (origin, host) => ({
    vary: 'Origin',
    ...(origin !== undefined &&
      allows(origin, host) && {
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
      }),
  });
  const preflightHeaders: OriginPolicy['preflightHeaders'] = (origin, host, requestedHeaders) => {
    const cors = corsHeaders(origin, host);
    if (!('access-control-allow-origin' in cors)) return cors;
    return {
      ...cors,
      vary: 'Origin, Access-Control-Request-Headers',
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      'access-control-max-age': String(PREFLIGHT_MAX_AGE_S),
      ...(isHeaderList(requestedHeaders) && { 'access-control-allow-headers': requestedHeaders }),
    };
  };
  return { allows, corsHeaders, preflightHeaders };
}

interface PageOrigin {
  /** Scheme, host and port in one spelling: lower case, default port left out. */
  readonly normal: string;
  /** Null where the scheme is not a web page's: an app's `capacitor://localhost` must be listed. */
  readonly webHost: string | null;
}

/** @returns null for `null` (a sandboxed frame, a file) and for whatever is no bare origin */
function parseOrigin(text: string): PageOrigin | null {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\\s]+$/i.test(text) || !URL.canParse(text)) return null;
  const { protocol, host, hostname } = new URL(text);
  const isWeb = protocol === 'http:' || protocol === 'https:';
  return { normal: `${protocol}//${host.toLowerCase()}`, webHost: isWeb ? hostname : null };
}

function requireOrigin(entry: string): string {
  const origin = parseOrigin(entry.replace(/\/$/, ''));
  if (origin === null)
    throw new Error(`${JSON.stringify(entry)} is no origin (as https://app.example) and not *`);
  return origin.normal;
}

/** On any port: a page served beside this server (Laravel on 80, this on 6001) is at home. */
function isSameHost({ webHost }: PageOrigin, host: string | undefined): boolean {
  if (webHost === null || host === undefined) return false;
  return parseOrigin(`http://${host}`)?.webHost === webHost;
}

function isHeaderList(text: string | undefined): text is string {
  return text !== undefined && text.length <= MAX_HEADER_LIST && HEADER_LIST.test(text);
}
