import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { WireClient } from '../support/wire-client.ts';

const DEEP = 200_000;
const MANY = 50_000;
const lists = '['.repeat(DEEP) + ']'.repeat(DEEP);
const hashes = `${'{"a":'.repeat(DEEP / 2)}1${'}'.repeat(DEEP / 2)}`;
const equalKeys = `{${'"data":{},'.repeat(MANY)}"data":{}}`;
const manyKeys = `{${Array.from({ length: MANY }, (_, i) => `"k${i}":${i}`).join(',')}}`;
const digits = '9'.repeat(500_000);

/** JSON that is dear to read, or to write again. */
const BOMBS: readonly (readonly [string, string])[] = [
  ['lists in lists', lists],
  ['hashes in hashes', hashes],
  ['one key again and again', equalKeys],
  ['very many keys', manyKeys],
  ['a number of half a million digits', digits],
  ['a number beyond all numbers', `1${'0'.repeat(400)}e9999`],
  ['a long text of escapes', `"${'\\u0000'.repeat(100_000)}"`],
  ['half surrogates', `"${'\\ud800'.repeat(50_000)}"`],
];

/** Packets of Socket.IO with binary parts: how many come is the client's word. */
const BINARY: readonly (readonly [string, readonly string[], readonly Buffer[]])[] = [
  ['deep', [`451-["send",${lists}]`], [Buffer.from('x')]],
  ['with a billion parts', ['4510000000000-["send",{"_placeholder":true,"num":0}]'], []],
  [
    'whose parts do not come',
    ['452-["send",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'],
    [],
  ],
  ['with a part that is not there', ['451-["send",{"_placeholder":true,"num":7}]'], [Buffer.from('x')]],
  ['with a negative part', ['451-["send",{"_placeholder":true,"num":-1}]'], [Buffer.from('x')]],
  ['with a part of another kind', ['451-["send",{"_placeholder":true,"num":"length"}]'], [Buffer.from('x')]],
  ['with parts nobody announced', ['42["send",{}]'], [Buffer.from('x'), Buffer.from('y')]],
  ['of an unknown kind', ['4951-["send"]'], []],
  ['that is an error of ours', ['44{"message":"x"}'], []],
  ['with an id of an ack without end', [`42${digits.slice(0, 300)}["send",{}]`], []],
  [
    'named like a private event',
    ['42["connect"]', '42["disconnect"]', '42["newListener",{}]', '42["error",{}]'],
    [],
  ],
  ['whose name is no text', ['42[{"a":1}]', '42[]', '42[null,null]', '42{}', '42'], []],
];

describe.each(CLUSTERS)('a stranger who sends bombs $name', (kind) => {
  let cluster: Cluster;
  let bystander: WireClient;
  beforeAll(async () => {
    cluster = await kind.start();
    bystander = await WireClient.open({ url: cluster.server.url, name: 'the bystander' });
    await bystander.subscribe('calm');
  });
  afterAll(async () => {
    bystander?.close();
    await cluster?.server.settledToZero();
    await cluster?.stop();
  });

  /** Others hear as before, and it was no fault of ours. */
  async function allIsCalm(): Promise<void> {
    await cluster.publish('calm', '{"event":"Calm","data":{},"socket":null}');
    await bystander.next('Calm');
    expect(cluster.server.log.filter(({ level }) => level === 'error')).toEqual([]);
  }

  it.each(BOMBS)('%s, by raw frames: in data, as the frame, as an id', async (_name, json) => {
    const client = await RawClient.join({
      url: cluster.server.url,
      token: mintToken({ channel: 'chat:bombs' }),
    });
    for (const frame of [
      `{"data":{"message":"m","name":"x","target_user_id":${json}}}`,
      json,
      `{"data":{},"id":${json}}`,
    ]) {
      client.sendText(frame);
      expect(await client.next('sended')).toMatchObject({ ok: false, error: { code: expect.any(String) } });
    }
    expect(await client.request({ message: 'calm', name: 'x' })).toMatchObject({ ok: true });
    await client.close();
    await allIsCalm();
  });

  it.each(BOMBS)('%s, by Socket.IO events', async (_name, json) => {
    const client = await WireClient.open({ url: cluster.server.url, reconnection: false });
    const acks: unknown[] = [];
    for (const packet of [
      `["send",{"channel":"chat:x","data":${json}}]`,
      `["client event",{"channel":"private-x","event":"client-x","data":${json}}]`,
      `["client event",${JSON.stringify(json)}]`,
      `["subscribe",{"channel":${json}}]`,
      `["subscribe",{"channel":"private-x","auth":${json}}]`,
      `["subscribe",{"channel":"private-x","auth":{"headers":${json}}}]`,
    ])
      acks.push(await emitText(client, packet));
    for (const ack of acks) expect(ack).toMatchObject(refusal);
    expect(await client.subscribe('calm')).toMatchObject({ ok: true });
    client.close();
    await allIsCalm();
  });

  it.each(BINARY)('a packet with binary parts %s', async (_name, texts, buffers) => {
    const socket = new WebSocket(
      `${cluster.server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
    );
    const ended = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send('40');
    for (const text of texts) socket.send(text);
    for (const buffer of buffers) socket.send(buffer);
    // Refused or ended: both will do. This is behind all of it.
    socket.ping();
    await Promise.race([ended, new Promise((resolve) => socket.once('pong', resolve))]);
    socket.terminate();
    await allIsCalm();
  });

  it.each(BOMBS)('%s, by Redis and by HTTP', async (_name, json) => {
    await cluster.publish('broadcast', `{"channel":"chat:x","data":${json}}`);
    await cluster.publish('broadcast', json);
    await cluster.publish('calm', `{"event":"Bomb","data":${json},"socket":null}`);
    expect((await bystander.next('Bomb')).args[0]).toBe('calm');
    const headers = { authorization: 'Bearer key', 'content-type': 'application/json' };
    for (const body of [json, `{"channel":${json},"name":"x","data":1}`]) {
      const { status } = await fetch(`${cluster.server.url}/apps/app/events`, {
        method: 'POST',
        headers,
        body,
      });
      expect(status).toBe(400);
    }
    await allIsCalm();
  });

  it('offers no compression, in which a small frame could hold a large one', async () => {
    const token = mintToken({});
    for (const path of ['/socket.io/?EIO=4&transport=websocket', `/ws?token=${token}`]) {
      const socket = new WebSocket(`${cluster.server.url.replace('http', 'ws')}${path}`, {
        perMessageDeflate: true,
      });
      await new Promise((resolve) => socket.once('open', resolve));
      expect(socket.extensions).toBe('');
      socket.terminate();
    }
  });

  it('anything at all, at every event: answered with a code, and no fault of ours', async () => {
    const seed = 20_261_125;
    const random = new SeededRandom(seed);
    const client = await WireClient.open({ url: cluster.server.url });
    for (let i = 0; i < 150; i++) {
      const event = random.pick(['subscribe', 'unsubscribe', 'client event', 'send']);
      const argument = anything(random, 3);
      const ack = (await client.request(event, argument)) as Record<string, unknown>;
      const code = ack.code ?? (ack.error as { code?: unknown } | undefined)?.code;
      expect(
        ack.ok === true || typeof code === 'string',
        `seed ${seed}, ${event} ${JSON.stringify(argument)}`,
      ).toBe(true);
      // Below the rate, so that the command is looked at.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    client.close();
    await allIsCalm();
  });
});

const refusal = expect.objectContaining({ ok: false });

/** An event as text: a client's own encoder would end with the stack. */
function emitText(client: WireClient, json: string): Promise<unknown> {
  return new Promise((resolve) => {
    const socket = client.socket as unknown as {
      ids: number;
      acks: Record<number, (answer: unknown) => void>;
    };
    const id = socket.ids++;
    socket.acks[id] = resolve;
    const { engine } = client.socket.io as unknown as { engine: { write(text: string): void } };
    engine.write(`2${id}${json}`);
  });
}

const PIECES = [
  null,
  true,
  0,
  -1,
  1.5,
  '',
  'x',
  'news',
  'private-x',
  'presence-x',
  'client-x',
  '__proto__',
  '#x',
  'a b',
];
const KEYS = ['channel', 'auth', 'headers', 'token', 'event', 'data', 'since', '__proto__', 'x'];

function anything(random: SeededRandom, depth: number): unknown {
  if (depth === 0 || random.chance(0.3)) return random.pick(PIECES);
  if (random.chance(0.2)) return Array.from({ length: random.below(4) }, () => anything(random, depth - 1));
  if (random.chance(0.1)) return Buffer.from('binary');
  return Object.fromEntries(
    Array.from({ length: random.below(5) }, () => [random.pick(KEYS), anything(random, depth - 1)]),
  );
}
