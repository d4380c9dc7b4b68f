import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

const DEEP = 100_000;

/** Frames that are no message (protocol.md section 3): each is answered, none closes anything by itself. */
const BAD_FRAMES: readonly (readonly [name: string, frame: string | Buffer])[] = [
  ['nothing', ''],
  ['no JSON', '{not json'],
  ['a truncated object', '{"data":{}'],
  ['two objects', '{"data":{}}{"data":{}}'],
  ['a list', '[]'],
  ['a list of frames', '[{"data":{}}]'],
  ['null', 'null'],
  ['a number', '5'],
  ['a text', '"data"'],
  ['true', 'true'],
  ['an object without data', '{}'],
  ['data beside the point', '{"Data":{}}'],
  ['null as data', '{"data":null}'],
  ['a list as data', '{"data":[]}'],
  ['a text as data', '{"data":"{}"}'],
  ['a number as data', '{"data":1}'],
  ['an object as id', '{"id":{},"data":{"message":"m","name":"n"}}'],
  ['a list as id', '{"id":[1],"data":{"message":"m","name":"n"}}'],
  ['true as id', '{"id":true,"data":{"message":"m","name":"n"}}'],
  ['an endless id', `{"id":"${'x'.repeat(10_000)}","data":{"message":"m","name":"n"}}`],
  ['data as a prototype', '{"__proto__":{"data":{}}}'],
  ['binary', Buffer.from('{"data":{"message":"m","name":"n"}}')],
  ['binary rubbish', Buffer.from([0, 255, 254])],
  ['deep lists', '['.repeat(DEEP) + ']'.repeat(DEEP)],
  ['deep objects', `${'{"x":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`],
  ['an end without a beginning', ']'.repeat(DEEP)],
];

/** Payloads on the custom channel that are no message (section 4). `$room` stands for the room that listens. */
const BAD_PAYLOADS: readonly (readonly [name: string, payload: string | Buffer, reason: string])[] = [
  ['empty, as Laravel sends for invalid UTF-8', '', 'not_json'],
  ['binary', Buffer.from([0xff, 0xfe, 0x00]), 'not_utf8'],
  ['PHP serialised', 'a:1:{s:7:"channel";s:4:"chat";}', 'not_json'],
  ['false, as a failed json_encode', 'false', 'no_object'],
  ['null', 'null', 'no_object'],
  ['a list', '[{"channel":"$room","data":{}}]', 'no_object'],
  ['a text', '"$room"', 'no_object'],
  ['of another program', '{"job":"App\\\\Jobs\\\\Mail","attempts":1}', 'bad_channel'],
  ["of Laravel's broadcaster", '{"event":"e","data":{},"socket":null}', 'bad_channel'],
  ['without a channel', '{"data":{"message":"m","name":"n"},"type":"message"}', 'bad_channel'],
  ['for null', '{"channel":null,"data":{}}', 'bad_channel'],
  ['for a number', '{"channel":5,"data":{}}', 'bad_channel'],
  ['for a list', '{"channel":["$room"],"data":{}}', 'bad_channel'],
  ['for no name', '{"channel":"","data":{}}', 'bad_channel'],
  ['for a name with a space', '{"channel":"$room ","data":{}}', 'bad_channel'],
  ['for a name with a line end', '{"channel":"$room\\n","data":{}}', 'bad_channel'],
  ['for the private name', '{"channel":"private-$room","data":{"message":"m","name":"n"}}', 'bad_channel'],
  ['for the presence name', '{"channel":"presence-$room","data":{"message":"m","name":"n"}}', 'bad_channel'],
  ['for the custom channel itself', '{"channel":"broadcast","data":{}}', 'bad_channel'],
  ['for an endless name', `{"channel":"${'x'.repeat(201)}","data":{}}`, 'bad_channel'],
  ['of another type', '{"channel":"$room","data":{"message":"m","name":"n"},"type":"event"}', 'bad_type'],
  ['of the type null', '{"channel":"$room","data":{"message":"m","name":"n"},"type":null}', 'bad_type'],
  ['of a number as type', '{"channel":"$room","data":{"message":"m","name":"n"},"type":1}', 'bad_type'],
  ['without data', '{"channel":"$room","type":"message"}', 'bad_data'],
  ['with null as data', '{"channel":"$room","data":null}', 'bad_data'],
  ['with an empty PHP array as data', '{"channel":"$room","data":[]}', 'bad_data'],
  ['with a text as data', '{"channel":"$room","data":"{}"}', 'bad_data'],
  ['with data of the wrong shape', '{"channel":"$room","data":{"message":5,"name":"n"}}', 'bad_data'],
  ['from a text', '{"channel":"$room","data":{"message":"m","name":"n"},"sender":"ada"}', 'bad_sender'],
  ['from a list', '{"channel":"$room","data":{"message":"m","name":"n"},"sender":[]}', 'bad_sender'],
  [
    'from somebody without a name',
    '{"channel":"$room","data":{"message":"m","name":"n"},"sender":{"id":1}}',
    'bad_sender',
  ],
  [
    'from somebody with null as id',
    '{"channel":"$room","data":{"message":"m","name":"n"},"sender":{"id":null,"name":"x"}}',
    'bad_sender',
  ],
  ['deep', `{"channel":"$room","data":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`, 'bad_data'],
];

describe.each(CLUSTERS)('bad input at the raw door $name', (kind) => {
  let cluster: Cluster;
  let ada: RawClient;
  let bob: RawClient;
  let rooms = 0;

  const join = (id: number, name: string) =>
    RawClient.join({
      url: cluster.server.url,
      token: mintToken({ id, name, channel: `chat:bad${rooms}` }),
      name,
    });

  beforeAll(async () => {
    cluster = await kind.start();
  });
  async function meet() {
    rooms++;
    ada = await join(1, 'ada');
    bob = await join(2, 'bob');
    await ada.next('connectOther');
  }
  afterEach(async () => {
    await Promise.all([ada?.close(), bob?.close()]);
    await cluster.settledToZero();
    expect(cluster.server.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
  afterAll(() => cluster?.stop());

  it.each(BAD_FRAMES)(
    '%s is answered, closes nothing, and the others notice nothing',
    async (_name, frame) => {
      await meet();
      const before = await cluster.server.metric('yamabiko_refusals_total', { code: 'invalid_message' });
      ada.sendText(frame);
      expect(await ada.next('sended')).toEqual({
        type: 'sended',
        ok: false,
        error: { code: 'invalid_message', message: expect.any(String) },
      });
      expect(ada.texts().at(-1)?.length).toBeLessThan(300);
      expect(await ada.request({ message: 'good', name: 'a' })).toEqual({ type: 'sended', ok: true });
      expect((await bob.next()).data).toEqual({ message: 'good', name: 'a' });
      expect(await cluster.server.metric('yamabiko_refusals_total', { code: 'invalid_message' })).toBe(
        before + 1,
      );
    },
  );

  it.each(BAD_PAYLOADS)(
    'a custom message %s is dropped, counted, logged, and the next one arrives',
    async (_name, payload, reason) => {
      await meet();
      const room = `chat:bad${rooms}`;
      const count = () => cluster.server.metric('yamabiko_dropped_total', { source: 'redis', reason });
      const before = await count();
      const logged = cluster.server.log.length;
      await cluster.publish(
        'broadcast',
        typeof payload === 'string' ? payload.replaceAll('$room', room) : payload,
      );
      await cluster.publish('broadcast', `{"channel":"${room}","data":{"message":"next","name":"n"}}`);
      for (const client of [ada, bob]) expect((await client.next()).data.message).toBe('next');
      expect(await count()).toBe(before + 1);
      expect(
        cluster.server.log
          .slice(logged)
          .filter(({ fields }) => (fields as { reason?: string }).reason === reason),
      ).toHaveLength(1);
    },
  );

  it.each([
    `{"data":{"message":${'['.repeat(DEEP)}${']'.repeat(DEEP)},"name":"n"}}`,
    `{"data":{"message":${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)},"name":"n"}}`,
    `${'{"data":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`,
  ])('deep data where a shape is asked for is refused: case %#', async (deep) => {
    await meet();
    ada.sendText(deep);
    expect(await ada.next('sended')).toMatchObject({ ok: false, error: { code: 'invalid_data' } });
    expect(await ada.request({ message: 'good', name: 'a' })).toMatchObject({ ok: true });
  });

  it('a frame that is no UTF-8 ends its own connection alone', async () => {
    await meet();
    ada.socket.send(Buffer.from([0xff, 0xff]), { binary: false });
    expect((await ada.closed()).code).toBe(1007);
    expect(await bob.next()).toMatchObject({ type: 'disconnectOther', sender: { name: 'ada' } });
  });
});

describe('bad connections at the raw door', () => {
  let server: Running;
  beforeAll(async () => {
    server = await startYamabiko();
  });
  afterAll(async () => {
    await server?.settledToZero();
    await server?.stop();
  });

  it.each(['/', '/ws'])('the path %s is a door', async (path) => {
    const client = await RawClient.join({ url: server.url, path, token: mintToken({}) });
    await client.close();
  });

  it.each(['/WS', '/ws/', '/wss', '/ws/x', '/index.html', '/socket.iox'])(
    'the path %s is none: 404',
    async (path) => {
      const client = new RawClient({ url: server.url, path, token: mintToken({}) });
      const error = await new Promise<Error>((resolve) => client.socket.on('error', resolve));
      expect(error.message).toContain('404');
    },
  );

  it('takes the token of an Authorization header, and of the query before it', async () => {
    const headers = { Authorization: `Bearer ${mintToken({ id: 5, name: 'head' })}` };
    const byHeader = await RawClient.join({ url: server.url, headers });
    expect(byHeader.connected.users).toEqual([{ id: 5, name: 'head' }]);
    await byHeader.close();
    const both = await RawClient.join({
      url: server.url,
      headers,
      token: mintToken({ id: 6, name: 'query' }),
    });
    expect(both.connected.users).toEqual([{ id: 6, name: 'query' }]);
    await both.close();
    const bad = await RawClient.open({ url: server.url, headers, token: 'garbage' });
    expect(await bad.next()).toMatchObject({ type: 'error', code: 'token_invalid' });
  });

  it('finds the token behind another question mark in the query', async () => {
    const client = await RawClient.join({ url: server.url, path: '/ws?from=/a?b=c', token: mintToken({}) });
    await client.close();
  });

  it.each(['Basic abc', 'Bearer', 'Bearer a b', ''])('takes no token of the header %j', async (value) => {
    const client = await RawClient.open({ url: server.url, headers: { Authorization: value } });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'token_missing' });
    expect((await client.closed()).code).toBe(4401);
  });

  it('is told of a refusal in one frame with its keys in order, and of nothing else', async () => {
    const client = await RawClient.open({ url: server.url, token: 'garbage' });
    client.send({ message: 'm', name: 'n' });
    expect(await client.closed()).toEqual({ code: 4401, reason: 'token_invalid' });
    expect(client.texts()).toHaveLength(1);
    expect(client.texts()[0]).toMatch(/^\{"type":"error","code":"token_invalid","message":"[^"]+"\}$/);
  });

  it('lives through a client that speaks no WebSocket after its upgrade, or goes away in the middle', async () => {
    const path = `/ws?token=${mintToken({})}`;
    for (const rubbish of ['GET / HTTP/1.1\r\n\r\n', '\u0081', '']) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.on('error', () => {});
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      await new Promise((resolve) => socket.once('data', resolve));
      socket.write(Buffer.from(rubbish, 'latin1'), () => socket.destroy());
    }
    await server.settledToZero();
    const next = await RawClient.join({ url: server.url, token: mintToken({}) });
    await next.close();
  });

  it('keeps tokens out of the log and the metrics, good ones and bad ones', async () => {
    const good = mintToken({ name: 'secretive' });
    const bad = mintToken({}, { secret: 'another-secret-another-secret-12345' });
    const client = await RawClient.join({ url: server.url, token: good });
    const refused = await RawClient.open({ url: server.url, headers: { Authorization: `Bearer ${bad}` } });
    await refused.closed();
    client.sendText('x'.repeat(2_000_000));
    await client.closed();
    await until(() => server.snapshot().connections.raw === 0, 'both are gone');
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const log = JSON.stringify(
      server.log.map((line) => ({
        ...line,
        ...line.fields,
        err: String((line.fields as { err?: unknown }).err),
      })),
    );
    for (const text of [metrics, log, JSON.stringify(server.log)])
      for (const token of [good, bad])
        for (const part of token.split('.').slice(1)) expect(text).not.toContain(part.slice(0, 20));
  });
});
