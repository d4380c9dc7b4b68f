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

/**
 * What a client is counted by: its address, of IPv6 its network of 64 bits, since a stranger is given all of that. Null
 * where nobody is to be counted: this machine, a trusted proxy that speaks for itself, a socket that is gone.
 */
export function createCountedAddress(
  trustedProxies: readonly string[],
): (req: IncomingMessage) => string | null {
  const addressOf = createClientAddress(trustedProxies);
  const trust = proxyAddr.compile([...trustedProxies]);
  return (req) => {
    const address = addressOf(req);
    const version = isIP(address);
    if (version === 0 || isLoopback(address) || trust(address, 0)) return null;
    return version === 4 ? address : networkOf(address);
  };
}

/** The first four groups of an IPv6 address, in one spelling. */
function networkOf(address: string): string {
  const [plain = ''] = address.split('%');
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const lastLength = last.length + (last.at(-1)?.includes('.') === true ? 1 : 0);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - lastLength);
  const all = [...groups, ...Array<string>(zeros).fill('0'), ...last];
  const network = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
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
