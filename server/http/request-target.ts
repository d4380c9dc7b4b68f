/**
 * A request's target as `/path?query`, or null where it names no path of this server.
 *
 * Node hands on whatever the client wrote (`//`, `%`, `http://[`), and the URL parsers behind us throw on some of
 * it. Nothing after this sees a target that it could stumble over. A target in absolute form, which HTTP/1.1
 * servers must accept, becomes the path it names.
 */
export function normalTarget(target: string | undefined): string | null {
  if (target === undefined) return null;
  if (target.startsWith('/')) return target;
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) return null;
  const { pathname, search } = new URL(target);
  return pathname + search;
}

/** The path of a normal target, as written: not decoded, not resolved, so that a match is an exact one. */
export function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end === -1 ? target : target.slice(0, end);
}
