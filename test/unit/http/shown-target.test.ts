import { describe, expect, it } from 'vitest';
import { shownTarget } from '../../../server/http/shown-target.ts';

describe('a target as it is logged', () => {
  it.each([
    ['/', '/'],
    ['/health/ready', '/health/ready'],
    ['/ws?token=secret', '/ws?token=***'],
    ['/?x=1&token=secret&since=1-2', '/?x=***&token=***&since=***'],
    ['/?token=a?token=b', '/?token=***'],
    ['/?token=a=b', '/?token=***'],
    ['/?TOKEN=secret', '/?TOKEN=***'],
    ['/?%74oken=secret', '/?%74oken=***'],
    ['/?secret', '/?***'],
    ['/?secret&&x', '/?***&***&***'],
    ['/apps/1/status?auth_key=secret', '/apps/1/status?auth_key=***'],
    [
      '/socket.io/?EIO=4&transport=polling&t=abc&sid=secret',
      '/socket.io/?EIO=4&transport=polling&t=abc&sid=***',
    ],
  ])('%s', (target, shown) => {
    expect(shownTarget(target)).toBe(shown);
  });

  it('is short', () => {
    expect(shownTarget(`/${'x'.repeat(10_000)}`).length).toBe(300);
    expect(shownTarget(undefined)).toBe('');
  });
});
