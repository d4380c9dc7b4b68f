import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient, type RawFrame } from '../support/raw-client.ts';
import { startYamabiko, until } from '../support/yamabiko.ts';

// protocol.md section 10, what one connection may: the defaults that clients rely on.
describe.each(CLUSTERS)('what one raw connection may $name', (kind) => {
  let cluster: Cluster;
  let bystander: RawClient;
  let rooms = 0;

  beforeAll(async () => {
    cluster = await kind.start({}, { open: { clientSend: true } });
  });
  afterEach(async () => {
    await bystander?.close();
    await cluster.settledToZero();
  });
  afterAll(() => cluster?.stop());

  async function meet(): Promise<RawClient> {
    const channel = `open:limits${++rooms}`;
    const join = (id: number, name: string) =>
      RawClient.join({ url: cluster.server.url, token: mintToken({ id, name, channel }), name });
    bystander = await join(2, 'bystander');
    const client = await join(1, 'ada');
    await bystander.next('connectOther');
    return client;
  }
  const refusals = (code: string) => cluster.server.metric('yamabiko_refusals_total', { code });

  it('ends a connection at its 50th bad frame in 10 s, not at its 49th', async () => {
    const client = await meet();
    for (let n = 0; n < 49; n++) client.sendText(n % 2 === 0 ? '{' : Buffer.from('x'));
    for (let n = 0; n < 49; n++) await client.next('sended');
    expect(await client.request({ n: 1 })).toEqual({ type: 'sended', ok: true });
    client.sendText('[]');
    // What comes behind the end counts no more.
    client.send({ n: 2 });
    expect(await client.next('error')).toMatchObject({ code: 'protocol_abuse' });
    expect((await client.closed()).code).toBe(4400);
    expect((await bystander.next()).data).toEqual({ n: 1 });
    expect(await bystander.next()).toMatchObject({ type: 'disconnectOther' });
  });

  it('counts bad frames before any rate limit', async () => {
    const client = await meet();
    for (let n = 0; n < 150; n++) client.send({ n });
    for (let n = 0; n < 50; n++) client.sendText('{');
    expect((await client.closed()).code).toBe(4400);
  });

  it('takes a frame of 1 MiB, and closes at a bigger one with 1009', async () => {
    const client = await meet();
    const text = (size: number) => `{"data":{"x":"${'x'.repeat(size - 17)}"}}`;
    const before = await refusals('too_large');
    expect(text(1_048_576)).toHaveLength(1_048_576);
    client.sendText(text(1_048_576));
    expect(await client.next('sended')).toEqual({ type: 'sended', ok: true });
    expect((await bystander.next('message')).data.x).toHaveLength(1_048_576 - 17);
    client.sendText(text(1_048_577));
    expect((await client.closed()).code).toBe(1009);
    expect(await bystander.next()).toMatchObject({ type: 'disconnectOther' });
    expect(await refusals('too_large')).toBe(before + 1);
  });

  it('refuses what is beyond a burst of 100, in order, and takes more later', async () => {
    const client = await meet();
    for (let n = 0; n < 300; n++) client.send({ n }, n);
    const answers: RawFrame[] = [];
    for (let n = 0; n < 300; n++) answers.push(await client.next('sended'));
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 300 }, (_, n) => n));
    expect(answers.slice(0, 100).every(({ ok }) => ok)).toBe(true);
    const refused = answers.filter(({ ok }) => !ok);
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused.map(({ error }) => error.code))).toEqual(new Set(['rate_limited']));
    await until(async () => (await client.request({ later: true })).ok, 'the rate allows one more');
    await client.close();
    const heard = [];
    for (let n = 0; n < 300 - refused.length; n++) heard.push((await bystander.next('message')).data.n);
    expect(heard).toEqual(answers.filter(({ ok }) => ok).map(({ id }) => id));
  });

  it('ends who goes on far beyond that with 4429, and what he sent behind it is not taken', async () => {
    const client = await meet();
    const before = await refusals('rate_limited');
    for (let n = 0; n < 20_000; n++) client.send({ n });
    expect(await client.next('error')).toMatchObject({ code: 'rate_limited' });
    expect((await client.closed()).code).toBe(4429);
    await bystander.next('disconnectOther');
    expect(await refusals('rate_limited')).toBeLessThan(before + 1_500);
    const heard = bystander.drain().filter(({ type }) => type === 'message');
    expect(heard.length).toBeLessThan(2_000);
  });
});

describe('limits that are settings', () => {
  it('ends who is refused five bursts over, though the queue had room', async () => {
    const server = await startYamabiko({ YAMABIKO_COMMAND_BURST: '2', YAMABIKO_COMMANDS_PER_SECOND: '1' });
    const client = await RawClient.join({ url: server.url, token: mintToken({}) });
    for (let n = 0; n < 13; n++) client.send({ message: `${n}`, name: 'a' });
    const answers = [];
    for (let n = 0; n < 12; n++) answers.push((await client.next('sended')).ok);
    expect(answers).toEqual([true, true, ...Array.from({ length: 10 }, () => false)]);
    expect((await client.closed()).code).toBe(4429);
    await server.settledToZero();
    await server.stop();
  });

  it('ends who fills the queue of commands', async () => {
    const server = await startYamabiko({ YAMABIKO_MAX_PENDING_COMMANDS: '3' });
    // While it joins, its commands wait.
    const client = new RawClient({ url: server.url, token: mintToken({}) });
    client.socket.once('open', () => {
      for (let n = 0; n < 50; n++) client.send({ message: `${n}`, name: 'a' });
    });
    expect((await client.closed()).code).toBe(4429);
    expect(await server.metric('yamabiko_refusals_total', { code: 'rate_limited' })).toBeGreaterThan(0);
    await server.settledToZero();
    await server.stop();
  });

  it('refuses a connection too many with 4429, until another one leaves', async () => {
    const server = await startYamabiko({ YAMABIKO_MAX_CONNECTIONS: '2' });
    const token = mintToken({});
    const first = await RawClient.join({ url: server.url, token });
    const second = await RawClient.join({ url: server.url, token });
    const third = await RawClient.open({ url: server.url, token });
    expect(await third.next()).toMatchObject({ type: 'error', code: 'limit_reached' });
    expect((await third.closed()).code).toBe(4429);
    await first.close();
    await until(() => server.snapshot().connections.raw === 1, 'the first is gone');
    await (await RawClient.join({ url: server.url, token })).close();
    await second.close();
    await server.settledToZero();
    await server.stop();
  });

  it('closes a reader too slow with 4408, and the quick one beside him hears all', async () => {
    const server = await startYamabiko({ YAMABIKO_OUTBOX_BYTES: '65536' }, { open: {} });
    const token = mintToken({ channel: 'open:1' });
    const slow = await RawClient.join({ url: server.url, token });
    const quick = await RawClient.join({ url: server.url, token });
    slow.socket.pause();
    const data = `{"channel":"open:1","data":{"x":"${'x'.repeat(60_000)}"}}`;
    let sent = 0;
    await until(async () => {
      await server.server.publish('broadcast', data);
      sent++;
      await quick.next('message');
      return (await server.metric('yamabiko_refusals_total', { code: 'too_slow' })) > 0;
    }, 'the slow reader is noticed');
    slow.socket.resume();
    expect((await slow.closed()).code).toBe(4408);
    expect(quick.texts().filter((text) => text.startsWith('{"type":"message"'))).toHaveLength(sent);
    await quick.close();
    await server.settledToZero();
    await server.stop();
  });

  it('takes nobody for slow because of one message larger than the outbox', async () => {
    const server = await startYamabiko({ YAMABIKO_OUTBOX_BYTES: '16384' }, { open: {} });
    const client = await RawClient.join({ url: server.url, token: mintToken({ channel: 'open:1' }) });
    for (const x of ['a'.repeat(200_000), 'b']) {
      await server.server.publish('broadcast', JSON.stringify({ channel: 'open:1', data: { x } }));
      expect((await client.next('message')).data.x).toBe(x);
    }
    await client.close();
    await server.stop();
  });
});

describe('pings', () => {
  it('come at their interval, and who answers them stays', async () => {
    const server = await startYamabiko({
      YAMABIKO_PING_INTERVAL_MS: '100',
      YAMABIKO_PING_TIMEOUT_MS: '5000',
    });
    const client = await RawClient.join({ url: server.url, token: mintToken({}) });
    for (let n = 0; n < 5; n++) await once(client.socket, 'ping');
    expect(await client.request({ message: 'm', name: 'n' })).toMatchObject({ ok: true });
    await client.close();
    await server.settledToZero();
    await server.stop();
  });

  it('that nobody answers end the connection, and the others see the member leave', async () => {
    const server = await startYamabiko({
      YAMABIKO_PING_INTERVAL_MS: '100',
      YAMABIKO_PING_TIMEOUT_MS: '300',
    });
    const alive = await RawClient.join({ url: server.url, token: mintToken({ id: 1, name: 'alive' }) });
    const dead = await RawClient.join({
      url: server.url,
      token: mintToken({ id: 2, name: 'dead' }),
      autoPong: false,
    });
    expect((await dead.closed()).code).toBe(1006);
    await alive.next('connectOther');
    expect(await alive.next()).toMatchObject({ type: 'disconnectOther', sender: { name: 'dead' } });
    await alive.close();
    await server.settledToZero();
    await server.stop();
  });
});
