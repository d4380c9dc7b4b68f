import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, startYamabiko } from '../support/yamabiko.ts';
import { run } from './binary.ts';

describe('yamabiko nodes', () => {
  let running: Running;
  beforeAll(async () => {
    running = await startYamabiko({ YAMABIKO_APPS: 'app:key' });
  });
  afterAll(() => running?.stop());

  it('lists the living nodes for a person and for a program', async () => {
    const env = { YAMABIKO_APPS: 'app:key' };
    const { code, stdout } = await run(['nodes', '--url', running.url], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NODE +VERSION +UPTIME +CONNECTIONS +CHANNELS +BUS LAG +STATE\n/);
    expect(stdout).toMatch(/\n[0-9a-f-]{36} +\d+\.\d+\.\d+ +\d+ [smhd] +0 +0 +\S.* +ready\n$/);
    const json = await run(['nodes', '--url', running.url, '--json'], { env });
    expect(JSON.parse(json.stdout)).toEqual([expect.objectContaining({ ready: true, connections: 0 })]);
  });

  it('says what is wrong where it is not let in', async () => {
    const { code, stderr } = await run(['nodes', '--url', running.url], {
      env: { YAMABIKO_APPS: 'app:wrong' },
    });
    expect(code).toBe(1);
    expect(stderr).toContain('403');
    expect(stderr).not.toContain('wrong');
  });
});
