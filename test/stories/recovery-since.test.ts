import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mintToken } from '../support/jwt.ts';
import { PLACES, RecoveryStage, upTo, webSocketOf } from './recovery-stage.ts';

const POSITION = expect.stringMatching(/^\d+-\d+$/);

/** A client that keeps a position for each of its channels, as our connector does. */
describe.each(PLACES)('%s: a subscribe that brings its own position', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  const position = async (channel: string) => {
    await stage.spread();
    const client = await stage.wire();
    const { position } = await client.request('subscribe', { channel, since: '' });
    client.close();
    return position as string;
  };

  it('is told its position by ack, and goes on from there', async () => {
    const since = await position('a');
    for (const n of upTo(3)) await stage.publish('a', n);
    await stage.spread();
    const client = await stage.wire();
    expect(await client.request('subscribe', { channel: 'a', since })).toEqual({
      ok: true,
      channel: 'a',
      position: POSITION,
      recovered: true,
      replayed: 3,
    });
    expect(client.drain().map(({ event, all = [] }) => [event, ...all])).toEqual([
      ...upTo(3).map((n) => ['counted', 'a', { n }, POSITION]),
      ['subscription_succeeded', 'a', { recovered: true, replayed: 3 }, POSITION],
    ]);
  });

  it('together with others is given what comes after its own, in one order', async () => {
    const places: string[] = [];
    for (const n of upTo(4)) {
      places.push(await position('a'));
      await stage.publish('a', n);
      await stage.publish('b', n);
      await stage.publish('c', n);
    }
    await stage.spread();
    const client = await stage.wire();
    const subscribe = (channel: string, since: unknown) => client.request('subscribe', { channel, since });
    const answers = await Promise.all([
      subscribe('a', places[3]),
      subscribe('b', places[1]),
      subscribe('c', 'garbage'),
      subscribe('d', `${Date.now() + 86_400_000}-7`),
    ]);
    expect(answers).toMatchObject([
      { recovered: true, replayed: 1 },
      { recovered: true, replayed: 3 },
      { recovered: false, replayed: 0 },
      { recovered: false, replayed: 0 },
    ]);
    const events = client.drain();
    expect(
      events.flatMap(({ event, args }) => (event === 'counted' ? [`${args[0]}${args[1].n}`] : [])),
    ).toEqual(['b2', 'b3', 'a4', 'b4']);
    expect(events.flatMap(({ event, all }) => (event === 'subscription_gap' ? [all] : []))).toEqual([
      ['c', { reason: 'unknown_position' }, POSITION],
      ['d', { reason: 'unknown_position' }, POSITION],
    ]);
  });

  it.each([
    ['empty', ''],
    ['null', null],
    ['a number', 7],
    ['a list', ['1-1']],
    ['an object', { epoch: 1 }],
  ])('that is %s begins anew, whatever its connection brought', async (_name, since) => {
    const offset = await position('a');
    await stage.publish('a', 1);
    await stage.spread();
    const client = await stage.wire({ auth: { pid: 'x', offset } });
    expect(await client.request('subscribe', { channel: 'a', since })).toEqual({
      ok: true,
      channel: 'a',
      position: POSITION,
    });
    expect(client.drain()).toMatchObject([
      { event: 'subscription_succeeded', args: ['a', {}], position: POSITION },
    ]);
  });

  it('is authorised first: a token that has expired, or of another channel, brings nothing', async () => {
    const since = await position('a');
    await stage.say('chat:1', 'secret');
    await stage.publish('private-chat:1', 1);
    await stage.spread();
    const client = await stage.wire();
    const past = Math.floor(Date.now() / 1000) - 60;
    const expired = mintToken({ iat: past - 10, exp: past });
    const subscribe = (channel: string, token: string) =>
      client.request('subscribe', { channel, since, auth: { token } });
    expect(await subscribe('chat:1', expired)).toMatchObject({ ok: false, code: 'token_expired' });
    expect(await subscribe('private-chat:1', expired)).toMatchObject({ ok: false, code: 'token_expired' });
    expect(await subscribe('private-chat:1', mintToken({ channel: 'chat:2' }))).toMatchObject({
      ok: false,
      code: 'forbidden',
    });
    expect(client.drain().every(({ event }) => event === 'subscription_error')).toBe(true);
    expect(await subscribe('chat:1', mintToken())).toMatchObject({ ok: true, replayed: 1 });
  });

  it('routes as live: a message of the room once for each wire name, for whom it is', async () => {
    const since = await position('a');
    await stage.say('chat:1', 'to all');
    await stage.say('chat:1', 'to 1', { target_user_id: 1 });
    await stage.say('chat:1', 'to 2', { target_user_id: 2 });
    const message = JSON.stringify({
      event: 'message',
      data: { message: 'laravel', name: 'n' },
      socket: null,
    });
    await stage.publishBytes('private-chat:1', message);
    await stage.publishBytes('chat:1', message);
    await stage.spread();
    const client = await stage.wire();
    const auth = { token: mintToken({ id: 1 }) };
    const answers = await Promise.all(
      ['chat:1', 'presence-chat:1', 'private-chat:1'].map((channel) =>
        client.request('subscribe', { channel, since, auth }),
      ),
    );
    expect(answers.map(({ replayed }) => replayed)).toEqual([3, 3, 3]);
    const heard = client.drain().flatMap(({ event, args }) => {
      if (event !== 'message') return [];
      return [`${args[0]} ${args[1].data?.message ?? args[1].message}`];
    });
    expect(heard).toEqual([
      'chat:1 to all',
      'private-chat:1 to all',
      'presence-chat:1 to all',
      'chat:1 to 1',
      'private-chat:1 to 1',
      'presence-chat:1 to 1',
      'private-chat:1 laravel',
      'chat:1 laravel',
      'presence-chat:1 laravel',
    ]);
  });

  it('of a user whom the application ends during his replay goes no further', async () => {
    const since = await position('a');
    const many = 20_000;
    await stage.publishAll('presence-chat:1', upTo(many), 'x'.repeat(1_000));
    await stage.spread();
    // No balancer before it, which would take in some more.
    const client = await stage.wire({ url: stage.url, reconnection: false });
    const auth = { token: mintToken({ id: 1 }) };
    client.emit('subscribe', { channel: 'presence-chat:1', since, auth });
    await client.next('counted');
    webSocketOf(client).pause();
    const ended = await fetch(`${stage.url}/apps/app/users/1/terminate`, {
      method: 'POST',
      headers: { Authorization: 'Bearer key' },
    });
    expect(await ended.json()).toMatchObject({ connections: 1 });
    webSocketOf(client).resume();
    await client.next('disconnect');
    expect(client.drain().filter(({ event }) => event === 'counted').length).toBeLessThan(many - 1);
  });
});
