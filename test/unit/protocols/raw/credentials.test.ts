import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { channelOfToken, tokenOf } from '../../../../server/protocols/raw/credentials.ts';

const asked = (url: string, authorization?: string) =>
  tokenOf({ url, headers: authorization === undefined ? {} : { authorization } } as IncomingMessage);
const bearing = (payload: string) => `x.${Buffer.from(payload).toString('base64url')}.x`;

describe('the token of an upgrade', () => {
  it.each([
    ['/?token=a.b.c', undefined, 'a.b.c'],
    ['/ws?x=1&token=a&token=b', undefined, 'a'],
    ['/?x=/a?b=c&token=t', undefined, 't'],
    ['/?token=t&x=/a?b=c', undefined, 't'],
    ['/?token=q', 'Bearer h', 'q'],
    ['/?token=', 'Bearer h', 'h'],
    ['/', 'bearer   h', 'h'],
    ['/', 'Bearer', null],
    ['/', 'Bearer a b', null],
    ['/', 'Basic a', null],
    ['/', undefined, null],
    ['/token=a', undefined, null],
  ])('%s with %s is %s', (url, authorization, token) => {
    expect(asked(url, authorization)).toBe(token);
  });
});

describe('the channel that a token asks for', () => {
  it.each([
    [bearing('{"channel":"chat:1"}'), 'chat:1'],
    [bearing('{"channel":5}'), null],
    [bearing('{}'), null],
    [bearing('null'), null],
    [bearing('"channel"'), null],
    [bearing('no json'), null],
    ['', null],
    ['no dots', null],
    [null, null],
  ])('%s: %s', (token, channel) => {
    expect(channelOfToken(token)).toBe(channel);
  });
});
