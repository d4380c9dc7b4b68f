import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import proxyAddr from 'proxy-addr';

/** The client's real address in its shortest spelling, IPv4 where it is one; '' where the socket is gone. */
export type ClientAddress = (req: IncomingMessage) => string;

/**
 * `X-Forwarded-For` counts only as far as trusted proxies wrote it: read from its end, the first address that is
 * no trusted proxy is the client. Everything before it is the client's own word.
 *
 * @param trustedProxies addresses, CIDR ranges, or `loopback`, `linklocal`, `uniquelocal`; none: the header is ignored
 * @throws TypeError for an entry that is none of these
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const trust = proxyAddr.compile([...trustedProxies]);
  return (req) => {
    const hops = proxyAddr.all(req, (hop, index) => trust(withoutPort(hop), index)).map(withoutPort);
    // Some proxies write `unknown`: then the nearest hop that has an address speaks for the client.
    return plainAddress(hops.findLast((hop) => isIP(hop) !== 0) ?? '');
  };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether an address is this machine's own, in any spelling. */
export function isLoopback(address: string | undefined): boolean {
  const plain = plainAddress(address ?? '');
  const version = isIP(plain);
  return version !== 0 && loopback.check(plain, version === 4 ? 'ipv4' : 'ipv6');
}

/** `::ffff:192.0.2.1` -> `192.0.2.1`, so that one client has one spelling. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/** Some proxies append the port that the client came from: `192.0.2.1:50000`, `[2001:db8::1]:50000`. */
function withoutPort(hop: string | undefined): string {
  const [, ipv4, ipv6] = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]+)\](?::\d+)?)$/.exec(hop ?? '') ?? [];
  return ipv4 ?? ipv6 ?? hop ?? '';
}
