import { describe, expect, it } from 'vitest';
import {
  chatPayload,
  eventPayload,
  progressPayload,
  tweetPayload,
} from '../../../../server/pages/demo/laravel-payload.ts';

const UGUISU = { id: 7, name: 'Uguisu' };

describe('what the demo writes as Laravel', () => {
  it('is a chat message of the custom channel, from the system where nobody is logged in', () => {
    const chat = { message: 'hello', name: 'Laravel', targetUserId: null };
    expect(chatPayload('chat:demo', chat, null)).toEqual({
      channel: 'broadcast',
      payload: '{"channel":"chat:demo","data":{"message":"hello","name":"Laravel"},"type":"message"}',
    });
  });

  it('names the sender and the one user it is for', () => {
    const chat = { message: 'hello', name: 'Uguisu', targetUserId: 9 };
    expect(chatPayload('chat:demo', chat, UGUISU).payload).toBe(
      '{"channel":"chat:demo","data":{"message":"hello","name":"Uguisu","target_user_id":9},"type":"message","sender":{"id":7,"name":"Uguisu"}}',
    );
  });

  it("escapes as PHP's json_encode does", () => {
    const chat = { message: 'Zażółć "/" é 🏔', name: 'x', targetUserId: null };
    const { payload } = chatPayload('chat:demo', chat, null);
    expect(payload).toContain('"message":"Za\\u017c\\u00f3\\u0142\\u0107 \\"\\/\\" \\u00e9 \\ud83c\\udfd4"');
    expect(JSON.parse(payload).data.message).toBe(chat.message);
  });

  it('is a tweet of the shape of the seed', () => {
    const { channel, payload } = tweetPayload({ content: 'hi', user: UGUISU }, new Date(1_800_000_000_000));
    expect(channel).toBe('broadcast');
    expect(JSON.parse(payload)).toEqual({
      channel: 'tweet:demo',
      data: {
        tweet: { id: 1_800_000_000_000, content: 'hi', created_at: '2027-01-15T08:00:00.000Z', user: UGUISU },
      },
      type: 'message',
    });
  });

  it("is a step of the seed's sample job", () => {
    expect(JSON.parse(progressPayload('Sample job 1', 3, 40).payload)).toEqual({
      channel: 'progress:demo',
      data: {
        info: { type: 'sample_job_progress', title: 'Sample job 1', detail: { cursor: 3, total: 40 } },
      },
      type: 'message',
    });
  });

  it('is an event of the redis broadcaster, on the wire name of its kind', () => {
    expect(eventPayload('chat:demo', { kind: 'presence', toOthers: false }, 'abc')).toEqual({
      channel: 'presence-chat:demo',
      payload:
        '{"event":"App\\\\Events\\\\OrderShipped","data":{"order":{"id":7,"carrier":"Yamabiko Express"},"socket":null},"socket":null}',
    });
    expect(eventPayload('chat:demo', { kind: 'public', toOthers: false }, null).channel).toBe('chat:demo');
  });

  it('carries the socket twice with toOthers, as Laravel does', () => {
    const { channel, payload } = eventPayload('chat:demo', { kind: 'private', toOthers: true }, 'abc');
    expect(channel).toBe('private-chat:demo');
    expect(JSON.parse(payload)).toMatchObject({ socket: 'abc', data: { socket: 'abc' } });
  });
});
