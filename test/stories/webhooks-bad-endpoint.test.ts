import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { patience } from '../support/event-queue.ts';
import { freePort } from '../support/free-port.ts';
import { WebhookEndpoint } from '../support/webhook-endpoint.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';
import { rawClient } from './webhooks-stage.ts';

patience.ms = 20_000;

async function server(
  endpoint: Pick<WebhookEndpoint, 'settings'>,
  more: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const running = await startYamabiko({ ...endpoint.settings, YAMABIKO_WEBHOOK_EVENTS: 'message', ...more });
  onTestFinished(() => running.stop());
  return running;
}

async function talk({ url }: Running, room: string, from: number, to: number): Promise<void> {
  const client = await rawClient(url, 1, room);
  for (let n = from; n < to; n++) await client.request({ message: `${n}`, name: 'x' });
}

const said = (endpoint: WebhookEndpoint, room = 'chat:bad') =>
  endpoint.once.filter(({ channel }) => channel === room).map(({ data }) => data.message);
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}`);
const failures = (running: Running) => running.metric('yamabiko_webhook_failures_total');

describe('An endpoint for webhooks', { timeout: 60_000 }, () => {
  it('that answers 500 for an hour loses nothing, and is told all in order when it is back', async () => {
    const endpoint = await WebhookEndpoint.start();
    endpoint.answer = () => 500;
    const running = await server(endpoint, {
      YAMABIKO_WEBHOOK_RETRY_MIN_MS: '10',
      YAMABIKO_WEBHOOK_RETRY_MAX_MS: '10',
      YAMABIKO_WEBHOOK_ATTEMPTS: '3',
    });
    await talk(running, 'chat:bad', 0, 12);
    // An hour of retries, at their longest pause.
    await until(async () => (await failures(running)) >= 60, 'it was tried 60 times');
    expect(said(endpoint)).toEqual([]);
    endpoint.answer = () => 200;
    await endpoint.tells(12);
    expect(said(endpoint)).toEqual(numbers(0, 12));
    expect(running.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('that refuses one event gets it alone, and then not any more, while all the others go on', async () => {
    const endpoint = await WebhookEndpoint.start();
    endpoint.answer = ({ events }) => (events.some(({ data }) => data.message === '5') ? 422 : 200);
    const running = await server(endpoint, { YAMABIKO_WEBHOOK_ATTEMPTS: '3' });
    await talk(running, 'chat:bad', 0, 12);
    await endpoint.tells(11);
    expect(said(endpoint)).toEqual(numbers(0, 12).filter((n) => n !== '5'));
    const alone = endpoint.posts.filter(
      ({ events }) => events.length === 1 && events[0]?.data.message === '5',
    );
    expect(alone.length).toBeGreaterThanOrEqual(3);
    expect(await running.metric('yamabiko_webhook_events_total', { outcome: 'buried' })).toBe(1);
    expect(running.log.find(({ level }) => level === 'error')?.fields).toMatchObject({
      reason: 'status 422',
    });
  });

  it('that redirects is not followed', async () => {
    const [endpoint, elsewhere] = [await WebhookEndpoint.start(), await WebhookEndpoint.start()];
    endpoint.answer = (_, response) => {
      response.writeHead(307, { location: elsewhere.url }).end();
      return null;
    };
    const running = await server(endpoint);
    await talk(running, 'chat:bad', 0, 1);
    await until(async () => (await failures(running)) >= 3, 'it was tried again');
    expect(elsewhere.posts).toEqual([]);
    endpoint.answer = () => 200;
    await endpoint.tells(1);
  });

  it('that hangs, or sends a byte now and then, is told again when its time is over', async () => {
    const endpoint = await WebhookEndpoint.start();
    let hung = 0;
    endpoint.answer = (_, response) => {
      if (hung++ % 2 === 0) return null;
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 20);
      response.once('close', () => clearInterval(drip));
      return null;
    };
    const running = await server(endpoint, { YAMABIKO_WEBHOOK_TIMEOUT_MS: '150' });
    await talk(running, 'chat:bad', 0, 3);
    await until(async () => (await failures(running)) >= 4, 'it was given up four times');
    endpoint.answer = () => 200;
    await endpoint.tells(3);
    expect(said(endpoint)).toEqual(numbers(0, 3));
    const first = endpoint.posts[0]?.events[0]?.id;
    expect(endpoint.told.map(({ id }) => id)).toContain(first);
  });

  it('that speaks no HTTP, cuts, or is not there, is told when it is', async () => {
    const port = await freePort();
    const sockets = new Set<Socket>();
    let cuts = 0;
    const garbage = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('data', () =>
        cuts++ % 2 === 0 ? socket.destroy() : socket.end('SSH-2.0 garbage\r\n\r\n'),
      );
    }).listen(port, '127.0.0.1');
    await once(garbage, 'listening');
    const endpoint = await WebhookEndpoint.start(port, false);
    const running = await server(endpoint);
    await talk(running, 'chat:bad', 0, 3);
    await until(async () => (await failures(running)) >= 4, 'it was tried');
    garbage.close();
    for (const socket of sockets) socket.destroy();
    await once(garbage, 'close');
    await endpoint.up();
    await endpoint.tells(3);
    expect(said(endpoint)).toEqual(numbers(0, 3));
  });

  it('that is away longer than may be kept is told the newest, and the rest is counted and logged', async () => {
    const endpoint = await WebhookEndpoint.start();
    endpoint.answer = () => 503;
    // A quarter for each of the four lanes.
    const running = await server(endpoint, { YAMABIKO_WEBHOOK_MAX_WAITING: '100' });
    await talk(running, 'chat:bad', 0, 40);
    await until(
      async () => (await running.metric('yamabiko_webhook_events_total', { outcome: 'dropped' })) === 15,
      'the oldest are dropped',
    );
    endpoint.answer = () => 200;
    await endpoint.tells(25);
    expect(said(endpoint)).toEqual(numbers(15, 40));
    expect(running.log.some(({ message }) => message.includes('dropped'))).toBe(true);
  });
});
