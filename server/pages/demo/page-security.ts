/**
 * Nothing inline, nothing from elsewhere. `connect-src` names the WebSocket too, since older browsers don't
 * count `ws:` as `'self'`.
 * @param host the Host header, which the loopback guard has already found to be a plain loopback name
 */
export function contentSecurityPolicy(host: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ws://${host} wss://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
