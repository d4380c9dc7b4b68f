import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';

// The frames of protocol.md section 3, byte for byte: clients exist that were written against them.
describe.each(CLUSTERS)('the raw protocol $name', (kind) => {
  let cluster: Cluster;
  let rooms = 0;
  const clients: RawClient[] = [];
  const newRoom = (name: string) => `${name}:frames${++rooms}`;

  beforeAll(async () => {
    cluster = await kind.start({}, { open: { clientSend: true } });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await cluster.settledToZero();
  });
  afterAll(() => cluster?.stop());

  async function join(channel: string, id: number, name: string) {
    const client = await RawClient.join({
      url: cluster.server.url,
      token: mintToken({ id, name, channel }),
      name,
    });
    clients.push(client);
    return client;
  }

  it('spells every frame with its keys in the printed order', async () => {
    const room = newRoom('chat');
    const ada = await join(room, 1, 'ada');
    const { socketId } = ada.connected;
    expect(socketId).toMatch(/^\d+\.\d+$/);
    const bob = await join(room, 2, 'bob "the \u2028 builder"');
    const bobJson = '{"name":"bob \\"the \u2028 builder\\"","id":2}';
    await bob.request({ message: 'hi', name: 'bob' });
    await bob.next('message');
    await bob.close();
    await ada.next('disconnectOther');
    expect(ada.texts()).toEqual([
      `{"type":"connected","users":[{"id":1,"name":"ada"}],"socketId":"${socketId}"}`,
      `{"type":"connectOther","sender":${bobJson},"data":{"user":${bobJson}}}`,
      `{"type":"message","sender":${bobJson},"data":{"message":"hi","name":"bob"}}`,
      `{"type":"disconnectOther","sender":${bobJson},"data":{"user":${bobJson}}}`,
    ]);
    expect(bob.texts().slice(1)).toEqual([
      '{"type":"sended","ok":true}',
      `{"type":"message","sender":${bobJson},"data":{"message":"hi","name":"bob"}}`,
    ]);
    expect(JSON.parse(bob.texts()[0] ?? '').users).toEqual(
      expect.arrayContaining([
        { id: 1, name: 'ada' },
        { id: 2, name: 'bob "the \u2028 builder"' },
      ]),
    );
  });

  it('answers each frame once, in order, each before its own copy, however many are in flight', async () => {
    const ada = await join(newRoom('chat'), 1, 'ada');
    const count = 90;
    for (let n = 0; n < count; n++) ada.send({ message: `${n}`, name: 'ada' }, n);
    for (let n = 0; n < count; n++) await ada.next((frame) => frame.data?.message === `${n}`);
    const kinds = ada.texts().map((text) => JSON.parse(text));
    const answers = kinds.filter(({ type }) => type === 'sended').map(({ id }) => id);
    const copies = kinds.filter(({ type }) => type === 'message').map(({ data }) => Number(data.message));
    const inOrder = Array.from({ length: count }, (_, n) => n);
    expect(answers).toEqual(inOrder);
    expect(copies).toEqual(inOrder);
    for (const n of inOrder) {
      const answeredAt = kinds.findIndex(({ type, id }) => type === 'sended' && id === n);
      const copyAt = kinds.findIndex(({ data }) => data?.message === `${n}`);
      expect(answeredAt).toBeLessThan(copyAt);
    }
  });

  it('answers good and bad frames in the order that they came', async () => {
    const ada = await join(newRoom('chat'), 1, 'ada');
    ada.send({ message: 'a', name: 'ada' }, 1);
    ada.sendText('{');
    ada.send({ message: 5, name: 'ada' }, 2);
    ada.sendText('{"data":[],"id":3}');
    ada.send({ message: 'b', name: 'ada' }, 4);
    const answers = [];
    for (let n = 0; n < 5; n++) answers.push(await ada.next('sended'));
    expect(answers.map(({ ok, id, error }) => [ok, id, error?.code])).toEqual([
      [true, 1, undefined],
      [false, undefined, 'invalid_message'],
      [false, 2, 'invalid_data'],
      [false, 3, 'invalid_message'],
      [true, 4, undefined],
    ]);
    expect(answers[2]?.error.message).toContain('message');
  });

  it.each(['7', '"seven"', '9223372036854775807', '1.0', '-0', '"\\u00e9\\"\\ud800"', '""'])(
    'gives the id %s back byte for byte',
    async (id) => {
      const ada = await join(newRoom('chat'), 1, 'ada');
      ada.sendText(`{"id": ${id} ,"data":{"message":"x","name":"a"}}`);
      await ada.next('sended');
      expect(ada.texts()[1]).toBe(`{"type":"sended","ok":true,"id":${id}}`);
      ada.sendText(`{"data":null,"id":${id}}`);
      await ada.next((frame) => frame.ok === false);
      expect(ada.texts().at(-1)).toMatch(`{"type":"sended","ok":false,"id":${id},"error":{"code":"`);
    },
  );

  it("keeps the bytes of a client's data where no definition reshapes it", async () => {
    const ada = await join(newRoom('open'), 1, 'ada');
    const data =
      '{ "z":9223372036854775807, "a": 10.0,"e":1e2,"list":[ ],"hash":{},"u":"\\u00e9\\/é","__proto__":{"x":1},"10":1,"9":2}';
    ada.sendText(`{"x":1,"data":${data}}`);
    await ada.next('message');
    expect(ada.texts().at(-1)).toBe(`{"type":"message","sender":{"name":"ada","id":1},"data":${data}}`);
  });

  it("keeps the bytes of Laravel's data, and takes the last of two equal keys as PHP and JSON.parse do", async () => {
    const ada = await join(newRoom('open'), 1, 'ada');
    const channel = `open:frames${rooms}`;
    const data = '{"id":9223372036854775807,"rate":10.0,"z":{},"a":[],"t":"\\u3042"}';
    await cluster.publish('broadcast', `{"data":{"old":1},"channel":"${channel}","data":${data}}`);
    await ada.next('message');
    expect(ada.texts().at(-1)).toBe(`{"type":"message","sender":{"name":"system","id":0},"data":${data}}`);
  });

  it('names who sent where the publisher says it', async () => {
    const ada = await join(newRoom('open'), 1, 'ada');
    const channel = `open:frames${rooms}`;
    await cluster.publish(
      'broadcast',
      `{"channel":"${channel}","data":{},"type":"message","sender":{"id":9223372036854775807,"name":"Bot"}}`,
    );
    await ada.next('message');
    expect(ada.texts().at(-1)).toBe(
      '{"type":"message","sender":{"name":"Bot","id":9223372036854775807},"data":{}}',
    );
  });

  it('sends nothing but room messages of the one channel', async () => {
    const room = newRoom('open');
    const ada = await join(room, 1, 'ada');
    const stranger = await join(newRoom('open'), 2, 'stranger');
    await stranger.request({ from: 'another room' });
    await cluster.publish(room, '{"event":"Laravel.Event","data":{},"socket":null}');
    await cluster.publish(room, '{"event":"message","data":{"not":"for raw"},"socket":null}');
    await cluster.publish(`private-${room}`, '{"event":"Other","data":{},"socket":null}');
    await cluster.publish(
      `private-${room}`,
      '{"event":"message","data":{"a":1,"socket":null},"socket":null}',
    );
    expect(await ada.next()).toEqual({
      type: 'message',
      sender: { name: 'system', id: 0 },
      data: { a: 1 },
    });
    expect(ada.unread()).toEqual([]);
  });

  it('leaves out the one socket that Laravel names', async () => {
    const room = newRoom('open');
    const ada = await join(room, 1, 'ada');
    const bob = await join(room, 2, 'bob');
    await ada.next('connectOther');
    const publish = (data: string, socket: string) =>
      cluster.publish(`private-${room}`, `{"event":"message","data":${data},"socket":${socket}}`);
    await publish('{"n":1}', JSON.stringify(ada.connected.socketId));
    await publish('{"n":2}', JSON.stringify(room));
    expect((await ada.next()).data).toEqual({ n: 2 });
    expect((await bob.next()).data).toEqual({ n: 1 });
    expect((await bob.next()).data).toEqual({ n: 2 });
  });

  it('shows a user of many connections once, and his coming and going once', async () => {
    const room = newRoom('chat');
    const ada = await join(room, 1, 'ada');
    const tabs = [await join(room, 2, 'bob'), await join(room, 2, 'bob'), await join(room, 2, 'bob')];
    expect(tabs.map((tab) => tab.connected.users.length)).toEqual([2, 2, 2]);
    await ada.next('connectOther');
    await tabs[0]?.close();
    await tabs[1]?.cut();
    expect((await join(room, 3, 'eve')).connected.users).toHaveLength(3);
    expect(await ada.next()).toMatchObject({ type: 'connectOther', sender: { id: 3 } });
    await tabs[2]?.close();
    expect(await ada.next()).toMatchObject({ type: 'disconnectOther', sender: { id: 2 } });
    expect(ada.unread()).toEqual([]);
  });

  it('answers what was sent before `connected` after it', async () => {
    const client = new RawClient({
      url: cluster.server.url,
      token: mintToken({ channel: newRoom('chat') }),
    });
    clients.push(client);
    client.socket.once('open', () => client.send({ message: 'early', name: 'a' }, 1));
    expect(await client.next()).toMatchObject({ type: 'connected' });
    expect(await client.next()).toEqual({ type: 'sended', ok: true, id: 1 });
    expect(await client.next()).toMatchObject({ type: 'message', data: { message: 'early' } });
  });
});
