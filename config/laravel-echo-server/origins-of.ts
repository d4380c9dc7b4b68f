import { changed, type Fate, kept, wrong } from './old-option.ts';

/**
 * Socket.IO 2's `origins`, a text of patterns, as the exact origins that we take: `*:*`, `https://a.example:443`,
 * `a.example:443`, `a.example:*`.
 */
export function originsOf(value: unknown): Fate {
  const patterns = (Array.isArray(value) ? value : String(value).split(/[\s,]+/)).map(String);
  if (patterns.some((pattern) => pattern === '*' || pattern === '*:*'))
    return changed('pages of every site may connect, as before: name yours in http.origins', {
      'http.origins': ['*'],
    });
  const origins = new Set<string>();
  let widened = false;
  for (const pattern of patterns) {
    const [, scheme, host, port] =
      /^(?:(https?):\/\/)?([^\s/:*]+)(?::(\d{1,5}|\*))?\/?$/i.exec(pattern) ?? [];
    if (host === undefined) return wrong(`holds ${JSON.stringify(pattern)}, which names no page's origin`);
    widened ||= port === '*';
    for (const each of scheme === undefined ? ['http', 'https'] : [scheme])
      origins.add(new URL(`${each}://${host}${port === undefined || port === '*' ? '' : `:${port}`}`).origin);
  }
  const settings = { 'http.origins': [...origins] };
  return widened
    ? changed('a port * has become the usual one: list other ports by name', settings)
    : kept(settings);
}
