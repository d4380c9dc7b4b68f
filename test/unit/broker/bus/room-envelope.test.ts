import { describe, expect, it } from 'vitest';
import {
  decodeRoomEnvelope,
  encodeRoomMessage,
  presenceEnvelopeParts,
} from '../../../../server/broker/bus/room-envelope.ts';
import { createMember } from '../../../../server/domain/member.ts';

function decode(text: string) {
  return decodeRoomEnvelope(text, JSON.parse(text) as Record<string, unknown>);
}

describe('A room envelope', () => {
  it("brings a message's bytes unchanged", () => {
    const message = {
      ref: 'node:1',
      sender: { idJson: '9007199254740993', name: '山 "x"' },
      userId: '7',
      data: '{"a":10.0,"b":{},"c":[],"d":9007199254740993}',
    };
    expect(decode(encodeRoomMessage(message))).toEqual({ type: 'message', ...message });
    expect(decode(encodeRoomMessage({ ...message, userId: null }))).toMatchObject({ userId: null });
  });

  it('bears no event key, so that a laravel-echo-server beside us ignores it', () => {
    const text = encodeRoomMessage({
      ref: 'r',
      sender: { idJson: '1', name: 'n' },
      userId: null,
      data: '{}',
    });
    expect(JSON.parse(text)).not.toHaveProperty('event');
  });

  it.each(['joined', 'left'] as const)(
    'announces who has %s, with the revision between two ready pieces',
    (type) => {
      const member = createMember({ userIdJson: '1', userInfoJson: '{"name":"N"}', socketId: '1.2' });
      const [head, tail] = presenceEnvelopeParts(type, member);
      expect(decode(`${head}1764036000000001${tail}`)).toEqual({ type, revision: 1764036000000001, member });
    },
  );

  it.each([
    '{"yamabiko":"message"}',
    '{"yamabiko":"message","ref":1,"sender":{"id":1,"name":"n"},"data":{}}',
    '{"yamabiko":"message","ref":"r","sender":{"name":"n"},"data":{}}',
    '{"yamabiko":"message","ref":"r","sender":null,"data":{}}',
    '{"yamabiko":"message","ref":"r","sender":{"id":1,"name":"n"},"data":[]}',
    '{"yamabiko":"message","ref":"r","sender":{"id":1,"name":"n"},"user":5,"data":{}}',
    '{"yamabiko":"joined","revision":1}',
    '{"yamabiko":"joined","revision":1.5,"member":{"user_id":1}}',
    '{"yamabiko":"left","revision":"1","member":{"user_id":1}}',
    '{"yamabiko":"left","revision":1,"member":{"user_id":null}}',
    '{"yamabiko":"later","revision":1}',
    '{"yamabiko":{}}',
  ])('is not seen in %s', (text) => {
    expect(decode(text)).toBeNull();
  });
});
