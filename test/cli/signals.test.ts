import { describe, expect, it } from 'vitest';
import { FAKE_BINARY, type Invocation, Running } from './binary.ts';

const start = (env: Invocation['env'] = {}) => new Running(['start'], { script: FAKE_BINARY, env });

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s stops the server once and ends with 0', async (signal) => {
    const server = start();
    await server.says(/runs at/);
    server.kill(signal);
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    expect(stdout.match(/fake stop/g)).toHaveLength(1);
  });

  it('that comes twice does not cut the drain short', async () => {
    const server = start({ FAKE_STOP: 'slow' });
    await server.says(/runs at/);
    server.kill('SIGTERM');
    await server.says(/fake stop 1/);
    server.kill('SIGTERM');
    await server.says(/already stopping/);
    server.kill('SIGINT');
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/stopped/);
    expect(stdout).not.toContain('fake stop 2');
  });

  it('that comes while the server still starts stops it all the same', async () => {
    const server = start({ FAKE_START: 'hang' });
    await server.says(/fake start/);
    server.kill('SIGTERM');
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('fake stop 1');
    expect(stdout).not.toContain('runs at');
  });
});

describe('a stop', () => {
  it('that takes longer than the drain and 5 s is given up, logged, with 1', async () => {
    const server = start({ FAKE_STOP: 'hang', YAMABIKO_DRAIN_MS: '0' });
    await server.says(/runs at/);
    server.kill('SIGTERM');
    const { code, stdout } = await server.ended;
    expect(code).toBe(1);
    expect(stdout).toContain('the stop took too long');
  });

  it('that fails is logged, with 1', async () => {
    const server = start({ FAKE_STOP: 'throw' });
    await server.says(/runs at/);
    server.kill('SIGTERM');
    const { code, stdout } = await server.ended;
    expect(code).toBe(1);
    expect(stdout).toContain('the stop failed');
  });
});

describe('a start that fails', () => {
  it('says why in one line without secrets, and ends with 1', async () => {
    const { code, stderr } = await start({ FAKE_START: 'throw' }).ended;
    expect(code).toBe(1);
    expect(stderr).toBe('yamabiko: first line second redis://***@x\n');
  });
});

describe('a fault that nobody caught', () => {
  it.each([
    ['rejection', 'a rejection was not handled'],
    ['exception', 'an exception was not caught'],
  ])('(%s) is logged and ends the process with 1', async (fault, message) => {
    const { code, stdout } = await start({ FAKE_FAULT: fault }).ended;
    expect(code).toBe(1);
    expect(stdout).toContain(message);
    expect(stdout).toContain('nobody caught this');
  });
});
