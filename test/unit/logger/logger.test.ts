import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { errorFields, maskSecrets } from '../../../server/logger/error-fields.ts';
import { createLogger, type LoggerSettings } from '../../../server/logger/logger.ts';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJpZCI6MX0.c2lnbmF0dXJl';

function logging(format: LoggerSettings['format'], level: LoggerSettings['level'] = 'debug') {
  const stream = new PassThrough();
  return { log: createLogger({ level, format }, stream), written: () => String(stream.read() ?? '') };
}

describe('the log', () => {
  it('has one JSON object for each line, with level by name and the time', () => {
    const { log, written } = logging('json');
    log.info({ port: 1 }, 'first');
    log.warn({}, 'second');
    const lines = written()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), port: 1, msg: 'first' },
      { level: 'warn', time: expect.any(String), msg: 'second' },
    ]);
  });

  it('is written for people too, at once', () => {
    const { log, written } = logging('pretty');
    log.info({ port: 1 }, 'hello');
    expect(written()).toMatch(/INFO: hello .*"port":1/);
  });

  it('leaves out what is below its level', () => {
    const { log, written } = logging('json', 'warn');
    log.info({}, 'no');
    expect(written()).toBe('');
  });

  it.each(['json', 'pretty'] as const)(
    'as %s hides fields that bear a secret, down to the third level',
    (format) => {
      const { log, written } = logging(format);
      log.info({ token: 'hidden', a: { cookie: 'hidden', b: { secret: 'hidden' } } }, 'x');
      log.info({ headers: { authorization: 'hidden', Cookie: 'hidden', 'set-cookie': 'hidden' } }, 'x');
      log.info({ 'set-cookie': 'hidden', password: 'hidden', config: { jwt: { secrets: ['hidden'] } } }, 'x');
      const text = written();
      expect(text.match(/\*\*\*/g)?.length).toBeGreaterThanOrEqual(9);
      expect(text).not.toContain('hidden');
    },
  );

  it('tells an error with its causes, without what a library hangs on it', () => {
    const { log, written } = logging('json');
    const cause = Object.assign(new Error('WRONGPASS'), {
      command: { name: 'auth', args: ['hidden'] },
      code: 'EX',
    });
    log.error({ err: new Error('Redis refused', { cause }) }, 'failed');
    const { err } = JSON.parse(written()) as { err: unknown };
    expect(err).toMatchObject({
      type: 'Error',
      message: 'Redis refused',
      cause: { message: 'WRONGPASS', code: 'EX' },
    });
    expect(JSON.stringify(err)).not.toContain('hidden');
  });
});

describe('the fields of an error', () => {
  it('end where causes go round', () => {
    const error = new Error('round');
    error.cause = error;
    expect(JSON.stringify(errorFields(error)).match(/"message":"round"/g)).toHaveLength(6);
  });

  it('are those of anything that was thrown', () => {
    expect(errorFields('text')).toEqual({ type: 'string', message: 'text' });
    expect(errorFields(null)).toEqual({ type: 'object', message: 'null' });
  });
});

describe('secrets in a text', () => {
  it.each([
    [`bad token ${TOKEN} given`, 'bad token *** given'],
    ['GET /?token=hidden&x=1', 'GET /?token=***&x=1'],
    ['/apps/1/events?auth_key=hidden', '/apps/1/events?auth_key=***'],
    ['Authorization: Bearer hidden.value', 'Authorization: Bearer ***'],
    ['connect redis://user:hidden@127.0.0.1:6379/0 failed', 'connect redis://***@127.0.0.1:6379/0 failed'],
    ['nothing to hide at http://127.0.0.1:6001/ws', 'nothing to hide at http://127.0.0.1:6001/ws'],
  ])('%s', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });
});
