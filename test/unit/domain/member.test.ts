import { describe, expect, test } from 'vitest';
import { createMember, decodeMember, isIdText, senderOf, userIdText } from '../../../server/domain/member.ts';

const member = (userIdJson: string, userInfoJson?: string) =>
  createMember({ userIdJson, ...(userInfoJson === undefined ? {} : { userInfoJson }), socketId: 'a"b' });

test("Echo's spelling keeps the texts as Laravel wrote them", () => {
  expect(member('9223372036854775807', '{"b":10.0,"a":[]}').json).toBe(
    '{"user_id":9223372036854775807,"user_info":{"b":10.0,"a":[]},"socketId":"a\\"b"}',
  );
  expect(member('"u"').json).toBe('{"user_id":"u","socketId":"a\\"b"}');
});

describe('the raw spelling', () => {
  test.each([
    ['1', '{"name":"Alice"}', '{"id":1,"name":"Alice"}'],
    ['"1"', '{"name":"Alice"}', '{"id":1,"name":"Alice"}'],
    ['0', undefined, '{"id":0,"name":"0"}'],
    ['9223372036854775807', undefined, '{"id":9223372036854775807,"name":"9223372036854775807"}'],
    ['"007"', 'null', '{"id":"007","name":"007"}'],
    ['-5', '[]', '{"id":"-5","name":"-5"}'],
    ['1.5', '"x"', '{"id":"1.5","name":"1.5"}'],
    ['"u\\"1"', '1', '{"id":"u\\"1","name":"u\\"1"}'],
    ['1', '{"name":5}', '{"id":1,"name":"1"}'],
    ['1', '{"name":null}', '{"id":1,"name":"1"}'],
    ['1', '{"name":""}', '{"id":1,"name":""}'],
    ['1', '["name"]', '{"id":1,"name":"1"}'],
    ['1', '{"__proto__":{"name":"x"}}', '{"id":1,"name":"1"}'],
    ['1', '{"name":"\\ud800"}', '{"id":1,"name":"\\ud800"}'],
  ])('of id %s and info %s is %s', (id, info, user) => {
    expect(member(id, info).user).toBe(user);
  });
});

test.each([
  ['1', '1'],
  ['"1"', '1'],
  ['10.0', '10'],
  ['1e2', '100'],
  ['-0', '0'],
  ['"01"', '01'],
  ['"\\u0031"', '1'],
  ['9223372036854775807', '9223372036854775807'],
  ['-9223372036854775807', '-9223372036854775807'],
])('id %s is the user %s', (json, userId) => {
  expect(userIdText(json)).toBe(userId);
  expect(member(json).userId).toBe(userId);
});

test.each([
  ['0', true],
  ['-1', true],
  ['"a"', true],
  ['" "', true],
  ['""', false],
  ['null', false],
  ['true', false],
  ['{}', false],
  ['[]', false],
  ['', false],
])('%s may be an id: %s', (json, verdict) => expect(isIdText(json)).toBe(verdict));

test('what was written is read again', () => {
  for (const m of [member('1', '{"name":"A"}'), member('"u"'), member('9223372036854775807', 'null')])
    expect(decodeMember(m.json)).toEqual(m);
});

test.each([
  '',
  'x',
  'null',
  '[]',
  '5',
  '{}',
  '{"user_id":null}',
  '{"user_id":""}',
  '{"user_id":{}}',
  '{"user_id":1',
])('%s is no member', (json) => expect(decodeMember(json)).toBeNull());

test('a member is the sender of what it causes, its id as in the raw spelling', () => {
  expect(senderOf(member('"9223372036854775807"', '{"name":"A"}'))).toEqual({
    idJson: '9223372036854775807',
    name: 'A',
  });
  expect(senderOf(member('"u"'))).toEqual({ idJson: '"u"', name: 'u' });
});
