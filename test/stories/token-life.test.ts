import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { type Claims, mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';
import { startYamabiko } from '../support/yamabiko.ts';

/** Long enough to come in on a loaded machine, short enough to wait for. */
const SHORT_SECONDS = 2;
const seconds = () => Date.now() / 1000;

function shortToken(claims: Claims = {}): string {
  return mintToken({ exp: seconds() + SHORT_SECONDS + 0.5, ...claims });
}

// protocol.md section 2: a membership ends when its token does.
describe.each(CLUSTERS)('a membership $name', (kind) => {
  let cluster: Cluster;
  let rooms = 0;
  const wires: WireClient[] = [];
  const raws: RawClient[] = [];
  const newRoom = () => `chat:life${++rooms}`;

  beforeAll(async () => {
    cluster = await kind.start({ YAMABIKO_JWT_CLOCK_TOLERANCE_SECONDS: '0' });
  });
  afterEach(async () => {
    for (const wire of wires.splice(0)) wire.close();
    await Promise.all(raws.splice(0).map((raw) => raw.close()));
    await cluster.settledToZero();
  });
  afterAll(() => cluster?.stop());

  async function join(token: string) {
    const client = await RawClient.join({ url: cluster.server.url, token });
    raws.push(client);
    return client;
  }
  async function connect() {
    const client = await WireClient.open({ url: cluster.server.url });
    wires.push(client);
    return client;
  }

  it('of a raw client ends with its token, not before: told, closed with 4401, gone for the others', async () => {
    const channel = newRoom();
    const witness = await join(mintToken({ id: 9, name: 'witness', channel }));
    const expiresAtMs = Date.now() + SHORT_SECONDS * 1000;
    const client = await join(mintToken({ channel, exp: expiresAtMs / 1000 }));
    await witness.next('connectOther');
    expect(await client.next()).toMatchObject({ type: 'error', code: 'token_expired' });
    // Timers may fire a millisecond early.
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAtMs - 2);
    expect((await client.closed()).code).toBe(4401);
    expect(await witness.next()).toMatchObject({ type: 'disconnectOther', sender: { name: 'alice' } });
  });

  it.each(['chat:', 'private-chat:', 'presence-chat:'])(
    'on Socket.IO by %s ends with its token; the connection and its other channels live on',
    async (prefix) => {
      const room = `life${++rooms}`;
      const client = await connect();
      await client.subscribe('news');
      const token = shortToken({ channel: `chat:${room}` });
      const wire = `${prefix}${room}`;
      const ack = await client.subscribe(wire, { token });
      expect(ack).toEqual({ ok: true, channel: wire, expires_in: SHORT_SECONDS });
      expect((await client.next('subscription_error')).args).toEqual([wire, 401]);
      client.drain();
      await cluster.publish(
        'broadcast',
        JSON.stringify({ channel: `chat:${room}`, data: { message: 'after', name: 'n' } }),
      );
      await cluster.publish('news', '{"event":"still","data":{},"socket":null}');
      await client.next('still');
      expect(client.unread()).toEqual([]);
      expect(await client.send(`chat:${room}`, { message: 'm', name: 'n' })).toMatchObject({
        ok: false,
        error: { code: 'not_subscribed' },
      });
    },
  );

  it('is extended by a newer token of the same user, without news for the others', async () => {
    const channel = newRoom();
    const witness = await join(mintToken({ id: 9, name: 'witness', channel }));
    const client = await connect();
    await client.subscribe(channel, { token: shortToken({ channel }) });
    const second = await client.subscribe(channel, {
      token: mintToken({ channel, exp: seconds() + SHORT_SECONDS * 2 + 0.5 }),
    });
    expect(second).toEqual({ ok: true, channel, expires_in: SHORT_SECONDS * 2 });
    // Another member whose token ends where the first one did tells when that moment is over.
    const other = await join(shortToken({ id: 2, name: 'other', channel }));
    await other.closed();
    expect(await client.send(channel, { message: 'still here', name: 'a' })).toMatchObject({ ok: true });
    expect((await client.next('subscription_error')).args).toEqual([channel, 401]);
    const frames = [];
    for (let n = 0; n < 5; n++) frames.push(await witness.next());
    expect(frames.map(({ type, sender }) => `${type} ${sender.name}`)).toEqual([
      'connectOther alice',
      'connectOther other',
      'disconnectOther other',
      'message alice',
      'disconnectOther alice',
    ]);
  });

  it("is not shortened by an older token, and not touched by another user's (403) or a bad one (401)", async () => {
    const channel = newRoom();
    const client = await connect();
    await client.subscribe(channel, { token: mintToken({ channel, exp: seconds() + 1000 }) });
    const again = (token: unknown) => client.subscribe(channel, { token });
    const left = { ok: true, channel, expires_in: expect.closeTo(999, -1) };
    expect(await again(mintToken({ channel, exp: seconds() + 10 }))).toEqual(left);
    const refusals: [token: unknown, code: string, status: number][] = [
      [mintToken({ channel, id: 2, name: 'mallory' }), 'forbidden', 403],
      [mintToken({ channel: newRoom() }), 'forbidden', 403],
      [mintToken({ channel, exp: seconds() - 100 }), 'token_expired', 401],
      [mintToken({ channel }, { secret: 'another-secret-another-secret-12345' }), 'token_invalid', 401],
      ['garbage', 'token_invalid', 401],
      ['', 'token_missing', 401],
      [null, 'token_missing', 401],
      [5, 'token_invalid', 401],
    ];
    for (const [token, code, status] of refusals) {
      expect(await again(token)).toMatchObject({ ok: false, code, status });
      expect((await client.next('subscription_error')).args).toEqual([channel, status]);
    }
    expect(await client.send(channel, { message: 'm', name: 'a' })).toMatchObject({ ok: true });
    expect((await client.next('message')).args[1].sender).toEqual({ name: 'alice', id: 1 });
    expect(await again(mintToken({ channel, exp: seconds() + 2000 }))).toMatchObject({
      expires_in: expect.closeTo(1999, -1),
    });
    expect(cluster.server.snapshot()).toMatchObject({ members: 1, subscriptions: { token: 1 } });
  });

  it('that has ended is joined anew by a new token', async () => {
    const channel = newRoom();
    const client = await connect();
    await client.subscribe(channel, { token: shortToken({ channel }) });
    await client.next('subscription_error');
    expect(await client.subscribe(channel, { token: mintToken({ channel }) })).toMatchObject({ ok: true });
    expect(await client.send(channel, { message: 'm', name: 'a' })).toMatchObject({ ok: true });
  });
});

describe('the clock', () => {
  it('may be five seconds apart by default, and a membership lasts as much longer', async () => {
    const server = await startYamabiko();
    const now = Math.floor(seconds());
    const client = await WireClient.open({ url: server.url });
    const token = (iat: number, exp: number) => ({ token: mintToken({ iat, exp }) });
    expect(await client.subscribe('chat:1', token(now - 60, now - 2))).toMatchObject({
      ok: true,
      expires_in: expect.closeTo(2, -1),
    });
    expect((await client.next('subscription_error')).args).toEqual(['chat:1', 401]);
    expect(await client.subscribe('chat:1', token(now - 60, now - 6))).toMatchObject({
      code: 'token_expired',
    });
    expect(await client.subscribe('chat:1', token(now + 60, now + 99))).toMatchObject({
      code: 'token_invalid',
    });
    expect(await client.subscribe('chat:1', token(Math.floor(seconds()) + 3, now + 99))).toMatchObject({
      ok: true,
    });
    client.close();
    await server.settledToZero();
    await server.stop();
  });

  it('is looked at only at the door where expiry is not enforced', async () => {
    const server = await startYamabiko({
      YAMABIKO_JWT_ENFORCE_EXPIRY: 'false',
      YAMABIKO_JWT_CLOCK_TOLERANCE_SECONDS: '0',
    });
    const token = shortToken();
    const client = await RawClient.join({ url: server.url, token });
    const wire = await WireClient.open({ url: server.url });
    expect(await wire.subscribe('chat:1', { token })).toEqual({ ok: true, channel: 'chat:1' });
    let late: RawClient;
    // The door says when the time is over.
    for (;;) {
      late = await RawClient.open({ url: server.url, token });
      const { type, code } = await late.next();
      await late.close();
      if (type === 'error') {
        expect(code).toBe('token_expired');
        break;
      }
    }
    expect(await client.request({ message: 'm', name: 'n' })).toMatchObject({ ok: true });
    expect(await wire.send('chat:1', { message: 'm', name: 'n' })).toMatchObject({ ok: true });
    wire.close();
    await client.close();
    await server.settledToZero();
    await server.stop();
  });
});
