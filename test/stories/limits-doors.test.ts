import { afterEach, describe, expect, it } from 'vitest';
import { comeIn, type Guest, isRefused, LIMIT_DOORS } from '../support/limit-doors.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

const PROXY = { YAMABIKO_TRUSTED_PROXIES: '127.0.0.1' };
const from = (address: string) => ({ 'x-forwarded-for': address });

/** What a stranger may take of the doors: places and handshakes, in all and by his address. */
describe.each(LIMIT_DOORS)('at the door $name', (door) => {
  let running: Running;
  const guests: Guest[] = [];
  afterEach(async () => {
    await Promise.all(guests.splice(0).map((guest) => guest.leave()));
    await running?.settledToZero();
    await running?.stop();
  });
  const start = async (env: Readonly<Record<string, string>>) => {
    running = await startYamabiko(env);
  };
  const enter = async (headers = {}) => void guests.push(await comeIn(door, running.url, headers));
  const knock = async (headers = {}) => {
    const answer = await door.knock(running.url, headers);
    if (!isRefused(answer)) guests.push(answer);
    return answer;
  };

  it('one connection too many is refused, told when to look again, and served when another leaves', async () => {
    await start({ YAMABIKO_MAX_CONNECTIONS: '2' });
    await enter();
    await enter();
    const refused = await knock();
    expect(refused).toEqual({ code: 'limit_reached', retryAfter: 5, by: expect.any(Number) });
    expect([429, 4429]).toContain((refused as { by: number }).by);
    expect(await running.metric('yamabiko_refusals_total', { code: 'limit_reached' })).toBe(1);
    await guests.pop()?.leave();
    await until(async () => !isRefused(await knock()), 'there is a place again');
    expect(guests).toHaveLength(2);
  });

  it('one connection too many of an address is refused, and others come in', async () => {
    await start({ ...PROXY, YAMABIKO_MAX_PER_ADDRESS: '2' });
    for (let n = 0; n < 2; n++) await enter(from('192.0.2.1'));
    expect(await knock(from('192.0.2.1'))).toMatchObject({ code: 'limit_reached', retryAfter: 5 });
    // The word of the client itself, before the proxy's.
    expect(await knock(from('203.0.113.9, 192.0.2.1'))).toMatchObject({ code: 'limit_reached' });
    for (let n = 0; n < 2; n++) await enter(from('192.0.2.2'));
    await guests.shift()?.leave();
    await until(async () => !isRefused(await knock(from('192.0.2.1'))), 'the address has a place again');
  });

  it('a network of IPv6 counts as one address', async () => {
    await start({ ...PROXY, YAMABIKO_MAX_PER_ADDRESS: '1' });
    await enter(from('2001:db8:1:2::7'));
    expect(await knock(from('2001:db8:1:2:aaaa::1'))).toMatchObject({ code: 'limit_reached' });
    await enter(from('2001:db8:1:3::7'));
  });

  it('this machine, and a trusted proxy that speaks for itself, are never counted', async () => {
    await start({
      YAMABIKO_TRUSTED_PROXIES: '127.0.0.1,192.0.2.250',
      YAMABIKO_MAX_PER_ADDRESS: '1',
      YAMABIKO_HANDSHAKES_PER_SECOND: '1',
      YAMABIKO_HANDSHAKE_BURST: '1',
    });
    for (let n = 0; n < 3; n++) await enter();
    for (let n = 0; n < 3; n++) await enter(from('192.0.2.250'));
  });

  it('a forwarded address is believed from nobody but a proxy that is configured', async () => {
    await start({ YAMABIKO_TRUSTED_PROXIES: '10.0.0.0/8', YAMABIKO_MAX_PER_ADDRESS: '1' });
    // Believed, the second would be one too many; as it is, it comes from this machine.
    for (let n = 0; n < 3; n++) await enter(from('192.0.2.1'));
  });

  it('too many handshakes of an address are refused until it has waited as told, and others come in', async () => {
    await start({ ...PROXY, YAMABIKO_HANDSHAKES_PER_SECOND: '1', YAMABIKO_HANDSHAKE_BURST: '2' });
    for (let n = 0; n < 2; n++) await enter(from('192.0.2.1'));
    const refused = await knock(from('192.0.2.1'));
    expect(refused).toMatchObject({ code: 'rate_limited', retryAfter: 1 });
    await enter(from('192.0.2.2'));
    const toldAtMs = Date.now();
    await until(() => Date.now() - toldAtMs >= 1_000, 'the time that was told is over');
    await enter(from('192.0.2.1'));
  });
});

describe('a refused socket.io-client', () => {
  it.each([2, 3, 4] as const)('%i comes in by itself when there is a place', async (version) => {
    for (const transports of [['websocket'], ['polling']] as const) {
      const running = await startYamabiko({ YAMABIKO_MAX_CONNECTIONS: '1' });
      const first = await WireClient.open({ url: running.url });
      const second = new WireClient({ url: running.url, version, transports });
      await until(
        async () => (await running.metric('yamabiko_refusals_total', { code: 'limit_reached' })) > 0,
        'the second is refused',
      );
      first.close();
      await second.connected();
      expect(await second.subscribe('news')).toMatchObject({ ok: true });
      second.close();
      await running.settledToZero();
      await running.stop();
    }
  });
});
