/**
 * What the page around us knows. Described here and not by the DOM's types: the connector also runs where no
 * page is (tests, workers, server-side rendering), and there every piece may be missing.
 */
interface Page {
  readonly document?: {
    readonly cookie?: string;
    readonly baseURI?: string;
    querySelector?(selector: string): { getAttribute(name: string): string | null } | null;
  };
  readonly location?: { readonly origin?: string };
  readonly Laravel?: { readonly csrfToken?: string };
  readonly sessionStorage?: PageStorage;
  addEventListener?(event: 'pagehide', callback: () => void): void;
}

interface PageStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const page = globalThis as unknown as Page;

/** The CSRF token as Echo finds it; read anew each time, since a page may renew it. */
export function csrfToken(configured: string | null | undefined): string | null {
  const meta = () => page.document?.querySelector?.('meta[name="csrf-token"]')?.getAttribute('content');
  return page.Laravel?.csrfToken || configured || meta() || null;
}

/** Laravel's XSRF cookie, which stands in for the CSRF token on pages without one (Sanctum, Inertia). */
export function xsrfCookie(): string | null {
  const pair = page.document?.cookie?.split('; ').find((entry) => entry.startsWith('XSRF-TOKEN='));
  if (pair === undefined) return null;
  const value = pair.slice('XSRF-TOKEN='.length);
  try {
    return decodeURIComponent(value);
  } catch {
    // Not encoded after all: some other program's cookie. Laravel decides what it is worth.
    return value;
  }
}

/** Whether a URL lies on the page's own origin: only there do cookies and the XSRF token go by default. */
export function isSameOrigin(url: string): boolean {
  const origin = page.location?.origin;
  if (!origin) return false;
  try {
    return new URL(url, page.document?.baseURI ?? origin).origin === origin;
  } catch {
    // No URL at all: fetch will say so.
    return false;
  }
}

/** The tab's own storage; undefined where there is none, or where the browser forbids even the look at it. */
export function sessionStorage(): PageStorage | undefined {
  try {
    return page.sessionStorage;
  } catch {
    return undefined;
  }
}

/** Calls back when the page goes: by a reload, a link, or with its tab. */
export function onPageHide(callback: () => void): void {
  page.addEventListener?.('pagehide', callback);
}
