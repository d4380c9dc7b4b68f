import { describe, expect, test } from 'vitest';
import { ChannelDefinitions, type ChannelSettings } from '../../../server/channels/channel-definitions.ts';

const builtIn = new ChannelDefinitions({});

const TWEET = { tweet: { id: 1, content: 'x', created_at: '2026-11-25', user: { id: 2, name: 'Bob' } } };
const PROGRESS = { info: { type: 'sample_job_progress', title: 'Job', detail: { cursor: 1, total: 10 } } };

describe('the name before the first colon decides', () => {
  test.each(['chat', 'chat:', 'chat:room1', 'chat:a:b'])('%s is a chat', (base) => {
    expect(builtIn.of(base)).toMatchObject({ explicit: true, definition: { clientSend: true } });
  });

  test.each([
    'chats',
    'Chat',
    'x:chat',
    ':chat',
    '__proto__',
    '__proto__:1',
    'constructor',
    'toString:1',
    'valueOf',
  ])('%s is any other', (base) => {
    expect(builtIn.of(base)).toMatchObject({
      explicit: false,
      definition: { clientSend: false, users: true, echo: true, schema: null, keep: null, recipient: null },
    });
    expect(builtIn.shape(base, '{"a":10.0}')).toEqual({ ok: true, data: '{"a":10.0}', userId: null });
  });
});

describe('chat', () => {
  const shape = (text: string) => builtIn.shape('chat:1', text);

  test('goes out as message and name, in this order, without the target', () => {
    expect(shape('{"target_user_id":7,"name":"A","more":1,"message":"hi"}')).toEqual({
      ok: true,
      data: '{"message":"hi","name":"A"}',
      userId: '7',
    });
  });

  test('keeps the texts as they were written', () => {
    expect(shape('{ "message" : "\\u00e9\\/" , "name":"\\ud83d" }')).toMatchObject({
      data: '{"message":"\\u00e9\\/","name":"\\ud83d"}',
    });
  });

  test('of equal keys the last counts, in the check and in what goes out', () => {
    expect(shape('{"message":5,"message":"b","name":"A"}')).toMatchObject({
      data: '{"message":"b","name":"A"}',
    });
    expect(shape('{"message":"b","message":5,"name":"A"}')).toMatchObject({ code: 'invalid_data' });
    expect(shape('{"message":"b","name":"A","target_user_id":1,"target_user_id":2}')).toMatchObject({
      userId: '2',
    });
  });

  test.each([
    ['', null],
    [',"target_user_id":null', null],
    [',"target_user_id":0', '0'],
    [',"target_user_id":10.0', '10'],
    [',"target_user_id":1e2', '100'],
    [',"target_user_id":9223372036854775807', '9223372036854775807'],
  ])('target%s is for %s', (target, userId) => {
    expect(shape(`{"message":"m","name":"n"${target}}`)).toMatchObject({ ok: true, userId });
  });

  test.each([
    ['{}', 'message'],
    ['{"message":"m"}', 'name'],
    ['{"message":1,"name":"n"}', 'message'],
    ['{"message":null,"name":"n"}', 'message'],
    ['{"message":"m","name":["n"]}', 'name'],
    ['{"message":"m","name":"n","target_user_id":"7"}', 'target_user_id'],
    ['{"message":"m","name":"n","target_user_id":1.5}', 'target_user_id'],
    ['{"message":"m","name":"n","target_user_id":[7]}', 'target_user_id'],
    ['{"message":"m","name":"n","target_user_id":true}', 'target_user_id'],
    ['{"__proto__":{"message":"m","name":"n"}}', 'message'],
  ])('%s is refused for its %s', (text, field) => {
    const answer = shape(text);
    expect(answer).toMatchObject({ ok: false, code: 'invalid_data', status: 422 });
    expect(answer).toHaveProperty('message', expect.stringContaining(`data.${field}`));
  });

  test.each(['[]', '"x"', '1', 'null', 'true', ' [1]'])('%s is no object', (text) => {
    expect(shape(text)).toMatchObject({ code: 'invalid_data' });
    expect(builtIn.shape('any', text)).toMatchObject({ code: 'invalid_data' });
  });
});

describe.each([
  ['tweet', TWEET, ['tweet', 'id']],
  ['progress', PROGRESS, ['info', 'detail']],
] as const)('%s', (name, good, path) => {
  test('is from Laravel only, and passes byte for byte', () => {
    expect(builtIn.of(`${name}:1`)).toMatchObject({ explicit: true, definition: { clientSend: false } });
    const text = ` ${JSON.stringify({ more: [], ...good }, null, 1)}`;
    expect(builtIn.shape(`${name}:1`, text)).toEqual({ ok: true, data: text, userId: null });
  });

  test('takes ids beyond 2^53', () => {
    const text = JSON.stringify(good).replace(/:1,/, ':9223372036854775807,');
    expect(builtIn.shape(name, text)).toMatchObject({ ok: true, data: text });
  });

  test.each([{}, null, 'x', [], 5])('refuses %j in its place, with the field named', (wrong) => {
    const [outer, inner] = path;
    for (const data of [{ [outer]: wrong }, { [outer]: { ...Object.values(good)[0], [inner]: 'x' } }]) {
      const answer = builtIn.shape(name, JSON.stringify(data));
      expect(answer).toMatchObject({ code: 'invalid_data' });
      expect(answer).toHaveProperty('message', expect.stringContaining(`data.${outer}`));
    }
  });
});

describe('a configured definition', () => {
  test('changes a built-in one field by field', () => {
    const { definition, explicit } = new ChannelDefinitions({ chat: { clientSend: false } }).of('chat:1');
    expect({ definition, explicit }).toMatchObject({
      explicit: true,
      definition: { clientSend: false, keep: ['message', 'name'], recipient: 'target_user_id' },
    });
  });

  test('adds a channel, by a name that is a trap elsewhere too', () => {
    const settings = JSON.parse(
      '{"__proto__":{"clientSend":true},"game":{"users":false,"echo":false}}',
    ) as ChannelSettings;
    const definitions = new ChannelDefinitions(settings);
    expect(definitions.of('__proto__:1')).toMatchObject({ explicit: true, definition: { clientSend: true } });
    expect(definitions.of('game:1').definition).toMatchObject({
      clientSend: false,
      users: false,
      echo: false,
    });
    expect(definitions.of('other').definition).toMatchObject({ clientSend: false });
  });

  test('with a recipient alone passes data whole', () => {
    const definitions = new ChannelDefinitions({ mail: { recipient: 'to' } });
    expect(definitions.shape('mail', '{"to":"u-1"}')).toEqual({
      ok: true,
      data: '{"to":"u-1"}',
      userId: 'u-1',
    });
    expect(definitions.shape('mail', '{}')).toMatchObject({ ok: true, userId: null });
    for (const to of ['""', '[]', '{}', 'true'])
      expect(definitions.shape('mail', `{"to":${to}}`)).toMatchObject({ code: 'invalid_data' });
  });

  test('keeps what there is', () => {
    const definitions = new ChannelDefinitions({ x: { keep: ['b', 'a', 'b"'] } });
    expect(definitions.shape('x', '{"a":1,"c":2}')).toMatchObject({ data: '{"a":1}' });
    expect(definitions.shape('x', '{"c":2}')).toMatchObject({ data: '{}' });
    expect(definitions.shape('x', '{"a":[],"b\\"":{},"b":10.0}')).toMatchObject({
      data: '{"b":10.0,"a":[],"b\\"":{}}',
    });
  });

  test('has its schema checked, nested integers beyond 2^53 among it', () => {
    const item = { type: 'object', properties: { required: { type: 'integer' } }, required: ['required'] };
    const schema = {
      type: 'object',
      properties: {
        list: { type: 'array', items: item, maxItems: 2 },
        kind: { enum: ['a', 'b'] },
        n: { type: ['integer', 'null'], minimum: 1 },
        text: { anyOf: [{ type: 'string', maxLength: 3 }, { type: 'null' }] },
      },
      required: ['list'],
      additionalProperties: false,
    };
    const definitions = new ChannelDefinitions({ x: { schema } });
    const good = '{"list":[{"required":9223372036854775807}],"kind":"a","n":null,"text":"abc"}';
    expect(definitions.shape('x', good)).toMatchObject({ ok: true, data: good });
    for (const [bad, place] of [
      ['{"list":[{"required":1.5}]}', 'data.list.0.required'],
      ['{"list":[{},{},{}]}', 'data.list'],
      ['{"list":[],"kind":"c"}', 'data.kind'],
      ['{"list":[],"n":0}', 'data.n'],
      ['{"list":[],"text":"abcd"}', 'data.text'],
      ['{"list":[],"evil":1}', 'evil'],
    ] as const)
      expect(definitions.shape('x', bad)).toHaveProperty('message', expect.stringContaining(place));
  });

  test('a complaint is short, whatever the client has sent', () => {
    const definitions = new ChannelDefinitions({
      x: { schema: { type: 'object', additionalProperties: false } },
    });
    const answer = definitions.shape('x', JSON.stringify({ ['k'.repeat(10_000)]: 1 }));
    expect(answer.ok ? '' : answer.message.length).toBeLessThanOrEqual(200);
  });

  test('data may be as deep as it likes', () => {
    const deep = `{"message":"m","name":"n","x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
    expect(builtIn.shape('chat', deep)).toMatchObject({ data: '{"message":"m","name":"n"}' });
  });
});

describe('a wrong definition ends the start, the channel and the fault named', () => {
  const object = { type: 'object' };
  test.each<[string, unknown, RegExp]>([
    ['a misspelt field', { clientsend: true }, /clientsend/],
    ['a field of the wrong type', { clientSend: 'yes' }, /clientSend/],
    ['no object', 5, /object/],
    ['keep of the wrong type', { keep: 'a' }, /keep/],
    ['an empty recipient', { recipient: '' }, /recipient/],
    ['a schema that is no object', { schema: true }, /schema/],
    ['a schema of another type', { schema: { type: 'array' } }, /"type" must be "object"/],
    ['a schema without type', { schema: {} }, /"type" must be "object"/],
    ['an unknown type', { schema: { ...object, properties: { a: { type: 'text' } } } }, /type/],
    ['a misspelt keyword', { schema: { ...object, propertys: {} } }, /propertys/],
    ['a keyword that is not supported', { schema: { ...object, not: object } }, /not/],
    [
      'properties without type',
      { schema: { ...object, properties: { a: { properties: {} } } } },
      /"properties" needs/,
    ],
    [
      'maxLength of a number',
      { schema: { ...object, properties: { a: { type: 'number', maxLength: 1 } } } },
      /maxLength/,
    ],
    ['required without a property', { schema: { ...object, required: ['a'] } }, /"a"/],
    [
      'a property that every object has',
      { schema: { ...object, properties: { toString: { type: 'string' } } } },
      /toString/,
    ],
    [
      'a pattern that is none',
      { schema: { ...object, properties: { a: { type: 'string', pattern: '(' } } } },
      /regular/i,
    ],
  ])('%s', (_, definition, fault) => {
    const build = () => new ChannelDefinitions({ game: definition } as ChannelSettings);
    expect(build).toThrow('channel definition "game"');
    expect(build).toThrow(fault);
  });

  test.each(['', 'a:b'])('the name %j', (name) => {
    expect(() => new ChannelDefinitions({ [name]: {} })).toThrow(`channel definition "${name}"`);
  });
});
