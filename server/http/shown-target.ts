/** Values of a query that tell how a client came, and open nothing; of all others the name alone is shown. */
const SHOWN = new Set(['EIO', 'transport', 'b64', 'j', 't']);
const MASK = '***';
/** A target may be as long as the limit on it. */
const MAX_SHOWN = 300;

/** A target as it may be logged: tokens (`token`), keys (`auth_key`) and sessions (`sid`) travel in the query. */
export function shownTarget(target: string | undefined): string {
  const [path = '', query] = splitOnce((target ?? '').slice(0, MAX_SHOWN));
  if (query === undefined) return path;
  return `${path}?${query.split('&').map(shownPair).join('&')}`;
}

function shownPair(pair: string): string {
  const [name = ''] = pair.split('=', 1);
  if (SHOWN.has(name)) return pair;
  // What stands in a query without a name may be a token all the same.
  return name === pair ? MASK : `${name}=${MASK}`;
}

function splitOnce(target: string): readonly [string, string?] {
  const at = target.indexOf('?');
  return at < 0 ? [target] : [target.slice(0, at), target.slice(at + 1)];
}
