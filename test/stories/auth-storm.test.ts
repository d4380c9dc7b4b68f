import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { EchoClient } from '../support/echo-client.ts';
import { patience } from '../support/event-queue.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

/** All clients, the server and its Laravel share this process. */
patience.ms = 100_000;

/** An auth endpoint that says yes, and measures how many ask at once. */
class MeasuringLaravel {
  asked = 0;
  atOnce = 0;
  mostAtOnce = 0;
  answer: (response: ServerResponse) => void = (response) => setTimeout(() => response.end('true'), 1);
  readonly #server = createServer((request, response) => {
    this.asked++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    response.once('close', () => this.atOnce--);
    request.resume().once('end', () => this.answer(response));
  });

  static async start(): Promise<MeasuringLaravel> {
    const laravel = new MeasuringLaravel();
    await new Promise<void>((resolve) => laravel.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      laravel.#server.closeAllConnections();
      laravel.#server.close();
    });
    return laravel;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/broadcasting/auth`;
  }
}

async function stage(laravel: MeasuringLaravel, env: Record<string, string> = {}): Promise<Running> {
  const server = await startYamabiko({ YAMABIKO_AUTH_URL: laravel.url, ...env });
  onTestFinished(() => server.stop());
  return server;
}

test('ten thousand subscriptions that come back at once reach Laravel as a bounded stream, and all succeed', {
  timeout: 240_000,
}, async () => {
  const [PAGES, CHANNELS, AT_ONCE] = [100, 100, 20];
  const laravel = await MeasuringLaravel.start();
  const server = await stage(laravel, { YAMABIKO_AUTH_CONCURRENCY: String(AT_ONCE) });
  const pages = await Promise.all(
    Array.from({ length: PAGES }, () => EchoClient.open({ url: server.url, reconnection: true })),
  );
  onTestFinished(() => {
    for (const page of pages) page.close();
  });
  const wires = (page: number) => Array.from({ length: CHANNELS }, (_, i) => `${page}.${i}`);
  const allSettled = () =>
    Promise.all(pages.flatMap((page, nth) => wires(nth).map((name) => page.settled(`private-${name}`))));

  for (const [nth, page] of pages.entries()) for (const name of wires(nth)) page.private(name);
  const first = await allSettled();
  expect(first.filter(({ ok }) => ok)).toHaveLength(PAGES * CHANNELS);

  laravel.asked = 0;
  laravel.mostAtOnce = 0;
  for (const page of pages) page.cut();
  const back = await allSettled();
  expect(back.filter(({ ok }) => ok)).toHaveLength(PAGES * CHANNELS);
  expect(laravel.asked, 'each asked once').toBe(PAGES * CHANNELS);
  expect(laravel.mostAtOnce).toBe(AT_ONCE);
  expect(server.snapshot().subscriptions).toMatchObject({ private: PAGES * CHANNELS });
  expect(await server.metric('yamabiko_auth_waiting')).toBe(0);
});

test('while Laravel hangs subscribers are told at once when to come back, and find it answering then', {
  timeout: 60_000,
}, async () => {
  const laravel = await MeasuringLaravel.start();
  const server = await stage(laravel, {
    YAMABIKO_AUTH_TIMEOUT_MS: '300',
    YAMABIKO_AUTH_BREAKER_FAILURES: '5',
    YAMABIKO_AUTH_BREAKER_PAUSE_MS: '500',
  });
  laravel.answer = () => {};
  const client = await WireClient.open({ url: server.url });
  onTestFinished(() => client.close());
  const acks = await Promise.all(Array.from({ length: 5 }, (_, i) => client.subscribe(`private-early-${i}`)));
  for (const ack of acks) expect(ack).toMatchObject({ ok: false, code: 'auth_error', status: 0 });

  const asked = laravel.asked;
  const told = await client.subscribe('private-late');
  expect(told).toMatchObject({ ok: false, code: 'unavailable', status: 503, retry_after: 1 });
  expect(await client.next(({ args }) => args[0] === 'private-late')).toMatchObject({
    event: 'subscription_error',
    args: ['private-late', 503],
  });
  expect(laravel.asked, 'Laravel was left alone').toBe(asked);
  expect(await server.metric('yamabiko_auth_given_up')).toBe(1);

  laravel.answer = (response) => response.end('true');
  await until(async () => (await client.subscribe('private-late')).ok, 'Laravel is asked again', 20_000);
  expect(await server.metric('yamabiko_auth_given_up')).toBe(0);
  expect(server.log.filter(({ message }) => message.includes('left alone'))).toHaveLength(1);
});
