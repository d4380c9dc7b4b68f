import { describe, expect, it } from 'vitest';
import { neededRights, RedisRefusedError, refusalOf } from '../../../../server/broker/redis/redis-refused.ts';
import { UnavailableError } from '../../../../server/domain/outcome.ts';

function reply(message: string, name = 'hello', args: unknown[] = []): Error {
  return Object.assign(new Error(message), { command: { name, args } });
}

describe('A refusal by Redis', () => {
  it.each([
    'WRONGPASS invalid username-password pair or user is disabled.',
    'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH ...',
    'ERR invalid password',
    'ERR Client sent AUTH, but no password is set',
  ])('is seen in %s, and shows no argument of AUTH', (message) => {
    const refusal = refusalOf(reply(message, 'auth', ['user', 'pa55word']), 'rights');
    expect(refusal).toBeInstanceOf(RedisRefusedError);
    expect(refusal?.message).toContain('YAMABIKO_REDIS_URL');
    expect(refusal?.message).not.toContain('pa55word');
  });

  it('names the command, its channel and what is needed', () => {
    const rights = neededRights({ prefix: 'a_', broadcastPrefix: 'b_' });
    const refusal = refusalOf(reply('NOPERM no access', 'publish', ['a_x', 'the payload']), rights);
    expect(refusal?.message).toContain('PUBLISH a_x: NOPERM');
    expect(refusal?.message).toContain('~a_yamabiko:*, channels &a_* &b_broadcast');
    expect(refusal?.message).toContain('for recovery also +psubscribe +punsubscribe +@stream');
    expect(refusal?.message).not.toContain('the payload');
  });

  it('is seen behind an UnavailableError', () => {
    const cause = reply('NOPERM no access to a key', 'eval', ['script', 4, 'key']);
    expect(refusalOf(new UnavailableError('x', { cause }), 'rights')).toBeInstanceOf(RedisRefusedError);
  });

  it.each([
    "ERR The user executing the script can't run this command or subcommand script: 5f05, on @user_script:8.",
    "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
  ])('is seen in what a script was denied: %s', (message) => {
    expect(refusalOf(reply(message, 'evalsha', ['5f05']), 'rights')?.message).toContain('EVALSHA');
  });

  it.each([new Error('connect ECONNREFUSED'), new Error('Command timed out'), 'NOPERM', null])(
    'is not seen in %s',
    (error) => {
      expect(refusalOf(error, 'rights')).toBeNull();
    },
  );
});
