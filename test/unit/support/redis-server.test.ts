import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import { RedisServer } from '../../support/redis-server.ts';

it('a Redis of the tests starts on other ports where one was taken meanwhile, and says so', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const taker = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taker.close());
  await once(taker, 'listening');
  const busPorts = [(taker.address() as AddressInfo).port, await freePort()];
  const redis = await RedisServer.start(async () => [
    ...['--cluster-enabled', 'yes'],
    ...['--cluster-port', String(busPorts.shift())],
  ]);
  onTestFinished(() => redis.stop());
  expect(await redis.client.ping()).toBe('PONG');
  expect(warn.mock.calls.join()).toContain('Address already in use');
});
