import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  createClientAddress,
  createCountedAddress,
  isLoopback,
} from '../../../server/http/client-address.ts';

function request(remoteAddress: string | undefined, forwardedFor?: string): IncomingMessage {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

describe("a client's address", () => {
  it("is the socket's where no proxy is trusted, whatever the client writes", () => {
    const of = createClientAddress([]);
    expect(of(request('192.0.2.1'))).toBe('192.0.2.1');
    expect(of(request('192.0.2.1', '203.0.113.9'))).toBe('192.0.2.1');
    expect(of(request('127.0.0.1', '203.0.113.9'))).toBe('127.0.0.1');
  });

  it('has one spelling', () => {
    const of = createClientAddress(['10.0.0.1']);
    expect(of(request('::ffff:192.0.2.1'))).toBe('192.0.2.1');
    expect(of(request('::ffff:10.0.0.1', '::FFFF:192.0.2.1'))).toBe('192.0.2.1');
    expect(of(request('2001:db8::1'))).toBe('2001:db8::1');
  });

  it.each([
    ['one proxy', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['two proxies', '10.0.0.1', '203.0.113.9, 10.9.9.9', '203.0.113.9'],
    ['a client that forges', '10.0.0.1', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['a client that poses as a proxy', '10.0.0.1', '198.51.100.1, 10.0.0.7, 203.0.113.9', '203.0.113.9'],
    ['nothing but proxies', '10.0.0.1', '10.0.0.2, 10.0.0.3', '10.0.0.2'],
    ['an untrusted peer', '192.0.2.1', '203.0.113.9', '192.0.2.1'],
    ['a port', '10.0.0.1', '203.0.113.9:50000', '203.0.113.9'],
    ['a port at a trusted hop', '10.0.0.1', '203.0.113.9, 10.0.0.2:443', '203.0.113.9'],
    ['IPv6 in brackets', '10.0.0.1', '[2001:db8::9]:50000', '2001:db8::9'],
    ['IPv6 in brackets without port', '10.0.0.1', '[2001:db8::9]', '2001:db8::9'],
    ['an unknown client', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['an unknown client of two proxies', '10.0.0.1', 'unknown, 10.0.0.2', '10.0.0.2'],
    ['rubbish', '10.0.0.1', '"><script>', '10.0.0.1'],
    ['an empty header', '10.0.0.1', '', '10.0.0.1'],
    ['commas', '10.0.0.1', ',,,', '10.0.0.1'],
    ['a mapped peer', '::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['a loopback proxy', '::1', '203.0.113.9', '203.0.113.9'],
  ])('is read through trusted proxies: %s', (_case, peer, header, expected) => {
    const of = createClientAddress(['10.0.0.0/8', 'loopback']);
    expect(of(request(peer, header))).toBe(expected);
  });

  it('is empty where the socket is gone', () => {
    expect(createClientAddress(['10.0.0.0/8'])(request(undefined))).toBe('');
  });

  it.each(['rubbish', '10.0.0.0/33', ''])('cannot be read by a list with %j', (entry) => {
    expect(() => createClientAddress([entry])).toThrow(TypeError);
  });
});

describe('what a client is counted by', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::9', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['1::2:3:192.0.2.1', '1:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['127.0.0.1', null],
    ['::1', null],
    ['10.1.2.3', null],
    [undefined, null],
  ])('is of %s: %s', (peer, expected) => {
    expect(createCountedAddress(['10.0.0.0/8'])(request(peer))).toBe(expected);
  });
});

it('knows this machine in every spelling', () => {
  for (const address of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1'])
    expect([address, isLoopback(address)]).toEqual([address, true]);
  for (const address of [
    '10.0.0.1',
    '::',
    '::ffff:10.0.0.1',
    '',
    undefined,
    'localhost',
    '127.0.0.1.evil.example',
  ])
    expect([address, isLoopback(address)]).toEqual([address, false]);
});
