import { describe, expect, it } from 'vitest';
import { decodeRawFrame } from '../../../../server/protocols/raw/decode.ts';

describe('a raw frame', () => {
  it.each([
    ['{"data":{}}', '{}', undefined],
    [' { "id" : 1 , "data" : { "a" : 10.0 } } ', '{ "a" : 10.0 }', '1'],
    ['{"data":{"a":1},"data":{"b":2}}', '{"b":2}', undefined],
    ['{"id":1,"data":{},"id":"2"}', '{}', '"2"'],
    ['{"id":12345678901234567890,"data":{}}', '{}', '12345678901234567890'],
    ['{"\\u0064ata":{"a":1}}', '{"a":1}', undefined],
    ['{"data":{"data":[],"id":5}}', '{"data":[],"id":5}', undefined],
  ])('%s is taken apart byte for byte', (text, dataText, idJson) => {
    expect(decodeRawFrame(text)).toEqual({ ok: true, dataText, idJson });
  });

  it.each([
    ['', undefined],
    ['\ufeff{"data":{}}', undefined],
    ['[{"data":{}}]', undefined],
    ['{"data":{},"data":[]}', undefined],
    ['{"id":7}', '7'],
    ['{"id":"x","data":5}', '"x"'],
    ['{"id":null,"data":{}}', undefined],
    ['{"id":[],"data":{}}', undefined],
    [`{"id":"${'x'.repeat(199)}","data":{}}`, undefined],
    ['{"__proto__":{"data":{}}}', undefined],
  ])('%s is refused, its id kept where it has one', (text, idJson) => {
    expect(decodeRawFrame(text)).toMatchObject({ ok: false, code: 'invalid_message', idJson });
  });
});
