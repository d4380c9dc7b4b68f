import { expect, it, onTestFinished } from 'vitest';
import { rawClient } from '../stories/webhooks-stage.ts';
import { WebhookEndpoint } from '../support/webhook-endpoint.ts';
import { startYamabiko, until } from '../support/yamabiko.ts';
import { run } from './binary.ts';

const env = { YAMABIKO_APPS: 'app:key' };

it('yamabiko webhooks shows what Laravel refused for good, and tells it again', {
  timeout: 60_000,
}, async () => {
  const endpoint = await WebhookEndpoint.start();
  endpoint.answer = ({ events }) => (events.length > 0 ? 422 : 200);
  const events = { YAMABIKO_WEBHOOK_EVENTS: 'message', YAMABIKO_WEBHOOK_ATTEMPTS: '1' };
  const running = await startYamabiko({ ...env, ...endpoint.settings, ...events });
  onTestFinished(() => running.stop());
  const client = await rawClient(running.url, 1, 'chat:cli');
  for (const message of ['one', 'two']) await client.request({ message, name: 'x' });
  const buried = () => running.metric('yamabiko_webhook_events_total', { outcome: 'buried' });
  await until(async () => (await buried()) === 2, 'both are refused for good');
  const command = (...args: string[]) => run(['webhooks', '--url', running.url, ...args], { env });
  const { code, stdout } = await command();
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^0 wait, 2 were refused for good\n(\S+ {2}\S+Z {2}message chat:cli {2}status 422\n){2}$/,
  );
  endpoint.answer = () => 200;
  const { events: refused } = JSON.parse((await command('--json')).stdout) as { events: { id: string }[] };
  const [second, first] = refused.map(({ id }) => id);
  expect((await command('--replay', first ?? '')).stdout).toBe('1 events will be told again\n');
  expect((await command('--replay')).stdout).toBe('1 events will be told again\n');
  await endpoint.tells(2);
  expect(endpoint.once.map(({ id, data }) => `${id} ${data.message}`)).toEqual([
    `${first} one`,
    `${second} two`,
  ]);
  expect((await command('--replay', 'unknown')).code).toBe(1);
  expect((await command()).stdout).toBe('0 wait, 0 were refused for good\n');
});

it('yamabiko webhooks says where they are off', async () => {
  const running = await startYamabiko(env);
  onTestFinished(() => running.stop());
  const { code, stderr } = await run(['webhooks', '--url', running.url], { env });
  expect(code).toBe(1);
  expect(stderr).toContain('webhooks are off');
});
