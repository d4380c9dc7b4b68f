import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { createTokenSigner } from '../../../server/access/token-signer.ts';

const SECRET = 'a-secret-that-has-32-bytes-or-so';

it('signs what firebase/php-jwt signs: HS256 over the claims of the contract', async () => {
  const before = Math.floor(Date.now() / 1000);
  const token = await createTokenSigner(SECRET)({ id: 7, name: 'Ada', channel: 'chat:1' }, 60);
  const [head = '', body = '', signature] = token.split('.');
  expect(createHmac('sha256', SECRET).update(`${head}.${body}`).digest('base64url')).toBe(signature);
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, number>;
  expect(read(head)).toEqual({ alg: 'HS256', typ: 'JWT' });
  const { iat = 0, exp, ...claims } = read(body);
  expect(claims).toEqual({ id: 7, name: 'Ada', channel: 'chat:1' });
  expect(iat).toBeGreaterThanOrEqual(before);
  expect(exp).toBe(iat + 60);
});
