import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mintToken } from '../support/jwt.ts';
import { RawClient, type RawFrame } from '../support/raw-client.ts';
import { until } from '../support/yamabiko.ts';
import { PLACES, RecoveryStage, upTo } from './recovery-stage.ts';

const POSITION = expect.stringMatching(/^\d+-\d+$/);

describe.each(PLACES)('%s: a raw client', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  let room = 0;
  /** A room of this story's own. */
  const newRoom = () => `chat:raw-${++room}`;
  const join = (channel: string, query: Record<string, string> = {}, claims: object = {}) =>
    stage.raw({ token: mintToken({ channel, ...claims }), query });
  const messages = (frames: readonly RawFrame[]) =>
    frames.flatMap(({ type, data }) => (type === 'message' ? [Number(data.message)] : []));

  it('without `since` is sent what it always was, byte for byte', async () => {
    const channel = newRoom();
    const client = await join(channel);
    await stage.say(channel, 'hi');
    await client.next('message');
    expect(client.texts()).toEqual([
      `{"type":"connected","users":[{"id":1,"name":"alice"}],"socketId":"${client.connected.socketId}"}`,
      '{"type":"message","sender":{"name":"system","id":0},"data":{"message":"hi","name":"n"}}',
    ]);
  });

  it('with an empty `since` is told its position, and that of each message', async () => {
    const channel = newRoom();
    const client = await join(channel, { since: '' });
    expect(client.connected).toEqual({
      type: 'connected',
      users: [{ id: 1, name: 'alice' }],
      socketId: expect.any(String),
      position: POSITION,
    });
    await stage.say(channel, 'hi');
    expect(await client.next()).toEqual({
      type: 'message',
      sender: { name: 'system', id: 0 },
      data: { message: 'hi', name: 'n' },
      position: POSITION,
    });
  });

  it('that comes back is told what is coming, then given it, once and in order, then what is live', async () => {
    const channel = newRoom();
    const before = await join(channel, { since: '' });
    await stage.say(channel, '1');
    const { position } = await before.next('message');
    await stage.away(before, async () => {
      for (const n of upTo(700).slice(1)) {
        await stage.say(channel, String(n));
        await stage.say('chat:elsewhere', '0');
        await stage.say(channel, '0', { target_user_id: 2 });
      }
      await stage.say(channel, '701', { target_user_id: 1 });
    });
    const client = await join(channel, { since: position });
    expect(client.connected).toMatchObject({ recovered: true, replayed: 700, position });
    await stage.say(channel, '702');
    await client.next(({ data }) => data?.message === '702');
    await until(() => client.unread().length === 700, 'all is heard');
    expect(messages(client.drain())).toEqual(upTo(701).slice(1));
  });

  it('that comes back from where nothing was missed is told so', async () => {
    const channel = newRoom();
    const before = await join(channel, { since: '' });
    await stage.away(before, async () => {});
    const client = await join(channel, { since: before.connected.position });
    expect(client.connected).toMatchObject({
      recovered: true,
      replayed: 0,
      position: before.connected.position,
    });
  });

  it('is told of who came and went while it was given what it missed', async () => {
    const channel = newRoom();
    const before = await join(channel, { since: '' });
    const many = upTo(800);
    await stage.away(before, async () => {
      for (const n of many) await stage.say(channel, String(n), { pad: 'x'.repeat(30_000) });
    });
    const bob = await join(channel, {}, { id: 2, name: 'bob' });
    // No balancer before it, which would take in some more.
    const token = mintToken({ channel });
    const client = await stage.raw({ url: stage.url, token, query: { since: before.connected.position } });
    expect(client.connected.users).toHaveLength(2);
    client.socket.pause();
    await join(channel, {}, { id: 3, name: 'carol' });
    await bob.close();
    await until(() => stage.held('members') === 2, 'bob has left');
    client.socket.resume();
    const told = [await client.next('disconnectOther'), await client.next('connectOther')];
    expect(told.map(({ sender }) => sender.name)).toEqual(['bob', 'carol']);
    await stage.say(channel, 'live');
    await client.next(({ data }) => data?.message === 'live');
    expect(messages(client.drain())).toEqual(many);
  });

  it.each(['garbage', `${Date.now() + 86_400_000}-1`, '9'.repeat(5_000), '1-1; DROP', '-'])(
    'whose `since` is %s is told that something may be missing',
    async (since) => {
      const channel = newRoom();
      await stage.say(channel, 'missed');
      await stage.spread();
      const client = await join(channel, { since });
      expect(client.connected).toMatchObject({ recovered: false, replayed: 0, position: POSITION });
      expect(await client.next()).toEqual({ type: 'gap', reason: 'unknown_position', position: POSITION });
      await stage.say(channel, 'live');
      expect(await client.next()).toMatchObject({ type: 'message', data: { message: 'live' } });
    },
  );

  it('that names the connection it continues does not hear what that one caused', async () => {
    const channel = newRoom();
    const before = await join(channel, { since: '' });
    const { socketId, position } = before.connected;
    const event = (message: string) =>
      JSON.stringify({ event: 'message', data: { message, name: 'n' }, socket: socketId });
    await stage.away(before, () => stage.publishBytes(`private-${channel}`, event('own')));
    const client = await join(channel, { since: position, socket: socketId });
    expect(client.connected).toMatchObject({ recovered: true, replayed: 0 });
    await stage.publishBytes(`private-${channel}`, event('own again'));
    await stage.say(channel, 'of others');
    expect(await client.next()).toMatchObject({ data: { message: 'of others' } });
    await stage.spread();
    const stranger = await join(channel, { since: position, socket: 'x'.repeat(5_000) });
    expect(stranger.connected).toMatchObject({ replayed: 3 });
  });

  it('whose token has expired meanwhile is given nothing', async () => {
    const channel = newRoom();
    const before = await join(channel, { since: '' });
    await stage.away(before, () => stage.say(channel, 'secret'));
    const past = Math.floor(Date.now() / 1000) - 60;
    const client = await RawClient.open({
      url: stage.url,
      token: mintToken({ channel, iat: past - 10, exp: past }),
      query: { since: before.connected.position },
    });
    expect((await client.closed()).code).toBe(4401);
    expect(client.drain()).toMatchObject([{ type: 'error', code: 'token_expired' }]);
  });

  it('with the token of another channel is given that one alone', async () => {
    const [channel, other] = [newRoom(), newRoom()];
    const before = await join(channel, { since: '' });
    await stage.away(before, async () => {
      await stage.say(channel, '1');
      await stage.say(other, '2');
    });
    const client = await join(other, { since: before.connected.position });
    expect(client.connected).toMatchObject({ recovered: true, replayed: 1 });
    expect(messages([await client.next()])).toEqual([2]);
  });
});

describe.each(PLACES)('%s: raw clients where the history is short', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({ YAMABIKO_HISTORY_MS: '1000' }, place);
  });
  afterAll(async () => {
    await stage?.clear();
    await stage?.stop();
  });

  it('are told their position while nothing happens for them, if they asked for positions', async () => {
    const asking = await stage.raw({ token: mintToken({ channel: 'chat:quiet' }), query: { since: '' } });
    const other = await stage.raw({ token: mintToken({ channel: 'chat:quiet' }) });
    await stage.publish('busy', 1);
    const { position } = await asking.next('position');
    expect(position).toEqual(POSITION);
    expect(position).not.toBe(asking.connected.position);
    expect(other.unread()).toEqual([]);
  });

  it('are told at its place of what is too old', async () => {
    const before = await stage.raw({ token: mintToken({ channel: 'chat:old' }), query: { since: '' } });
    await stage.away(before, async () => {
      await stage.say('chat:old', '1');
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      await stage.say('chat:old', '2');
    });
    const client = await stage.raw({
      token: mintToken({ channel: 'chat:old' }),
      query: { since: before.connected.position },
    });
    expect(client.connected).toMatchObject({ recovered: false, replayed: 1 });
    expect(await client.next()).toEqual({ type: 'gap', reason: 'history_trimmed', position: POSITION });
    expect(await client.next()).toMatchObject({ type: 'message', data: { message: '2' } });
  });
});
