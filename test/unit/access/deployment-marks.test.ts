import { describe, expect, it } from 'vitest';
import { deploymentMarks } from '../../../server/access/deployment-marks.ts';

const marksOf = (secrets: string[], publicKey: string | null = null, development = false) =>
  deploymentMarks({ development, jwt: { secrets, publicKey } });

describe('The marks of a deployment', () => {
  it('are the same for the same key, wherever it stands in the list', () => {
    expect(marksOf(['new', 'old'])[1]).toBe(marksOf(['old'])[0]);
  });

  it('differ for different keys, and show nothing of them', () => {
    const [mark = ''] = marksOf(['a secret']);
    expect(marksOf(['another secret'])[0]).not.toBe(mark);
    expect(mark).toMatch(/^[0-9a-f]{16}$/);
  });

  it('are made of a public key too', () => {
    expect(marksOf(['a'], 'PEM')).toHaveLength(2);
    expect(marksOf([], 'PEM')).toHaveLength(1);
  });

  it('are none in development mode, where each process has a secret of its own', () => {
    expect(marksOf(['random'], null, true)).toEqual([]);
  });
});
