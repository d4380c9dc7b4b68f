import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { patience } from '../support/event-queue.ts';
import { mintToken } from '../support/jwt.ts';
import { signatureOf, WEBHOOK_SECRET } from '../support/webhook-endpoint.ts';
import { type Running, startYamabiko } from '../support/yamabiko.ts';
import { rawClient, wireClient } from './webhooks-stage.ts';

patience.ms = 20_000;

interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

type Answer = (asked: Asked, response: ServerResponse) => void;
const json =
  (value: unknown): Answer =>
  (_, response) =>
    void response.end(JSON.stringify(value));
const status =
  (code: number, body = ''): Answer =>
  (_, response) =>
    void response.writeHead(code).end(body);

class Laravel {
  answer: Answer = json({ allow: true });
  readonly asked: Asked[] = [];
  readonly #server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const asked = { headers: request.headers, text, body: JSON.parse(text) };
    this.asked.push(asked);
    this.answer(asked, response);
  });

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    onTestFinished(() => this.stop());
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ask`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function open(definition: object = { ask: true }): Promise<{ laravel: Laravel; server: Running }> {
  const laravel = new Laravel();
  const env = {
    YAMABIKO_ASK_URL: await laravel.start(),
    YAMABIKO_WEBHOOK_SECRETS: WEBHOOK_SECRET,
    YAMABIKO_ASK_TIMEOUT_MS: '400',
  };
  const server = await startYamabiko(env, { chat: definition });
  onTestFinished(() => server.stop());
  return { laravel, server };
}

const MESSAGE = { message: 'hello', name: 'x' };

describe('Where a definition asks before a send', { timeout: 60_000 }, () => {
  it('Laravel is told who says what where, signed, and what it allows is heard', async () => {
    const { laravel, server } = await open();
    const [sender, other] = [
      await rawClient(server.url, 7, 'chat:ask'),
      await rawClient(server.url, 8, 'chat:ask'),
    ];
    expect(await sender.request(MESSAGE)).toEqual({ type: 'sended', ok: true });
    expect(await other.next('message')).toMatchObject({ sender: { id: 7 }, data: MESSAGE });
    const [asked] = laravel.asked;
    expect(asked?.body).toMatchObject({
      channel: 'chat:ask',
      user_id: '7',
      user_name: 'user7',
      data: MESSAGE,
    });
    expect(asked?.headers['x-pusher-signature']).toBe(signatureOf(asked?.text ?? ''));
  });

  it('what it replaces is heard as it wrote it, by whom the message was for', async () => {
    const { laravel, server } = await open();
    laravel.answer = (_, response) =>
      void response.end('{"allow":true,"data":{"message":"h***o","name":"x","id":9007199254740993}}');
    const [sender, other] = [
      await rawClient(server.url, 7, 'chat:ask'),
      await rawClient(server.url, 8, 'chat:ask'),
    ];
    const third = await rawClient(server.url, 9, 'chat:ask');
    expect((await sender.request({ ...MESSAGE, target_user_id: 8 })).ok).toBe(true);
    await other.next('message');
    expect(other.texts().at(-1)).toContain('"data":{"message":"h***o","name":"x","id":9007199254740993}');
    laravel.answer = json({ allow: true });
    await sender.request({ ...MESSAGE, message: 'to all' });
    expect(await third.next('message')).toMatchObject({ data: { message: 'to all' } });
  });

  it('what it denies reaches nobody, and its code and text reach the sender, by either protocol', async () => {
    const { laravel, server } = await open();
    laravel.answer = json({ allow: false, code: 'profanity', message: 'mind your language' });
    const sender = await rawClient(server.url, 7, 'chat:ask');
    const error = { code: 'denied', message: 'mind your language', reason: 'profanity' };
    expect(await sender.request(MESSAGE)).toEqual({ type: 'sended', ok: false, error });
    const page = await wireClient(server.url);
    await page.subscribe('chat:ask', { token: mintToken({ id: 8, channel: 'chat:ask' }) });
    expect(await page.send('chat:ask', MESSAGE)).toEqual({ type: 'sended', ok: false, error });
    laravel.answer = json({ allow: false });
    expect(await sender.request(MESSAGE)).toMatchObject({ error: { code: 'denied' } });
    laravel.answer = json({ allow: true });
    await sender.request({ ...MESSAGE, message: 'last' });
    expect(await sender.next('message')).toMatchObject({ data: { message: 'last' } });
  });

  it.each<[string, Answer, string]>([
    ['hangs', () => {}, 'unavailable'],
    ['is cut', (_, response) => void response.destroy(), 'unavailable'],
    ['answers 500', status(500), 'unavailable'],
    ['answers 429', status(429), 'unavailable'],
    ['redirects', (_, response) => void response.writeHead(302, { location: '/login' }).end(), 'ask_error'],
    ['answers 404', status(404, '{"allow":true}'), 'ask_error'],
    ['answers a login page', status(200, '<html>allow</html>'), 'ask_error'],
    ['answers nothing', status(200), 'ask_error'],
    ['answers true', json(true), 'ask_error'],
    ['answers allow as a text', json({ allow: 'true' }), 'ask_error'],
    ['replaces data by a list', json({ allow: true, data: [1] }), 'ask_error'],
    ['replaces data by a text', json({ allow: true, data: 'x' }), 'ask_error'],
    ['replaces data by the wrong shape', json({ allow: true, data: { message: 5 } }), 'ask_error'],
    ['denies with a code that is none', json({ allow: false, code: { a: 1 } }), 'ask_error'],
    ['answers more than is read', json({ allow: true, data: { message: 'x'.repeat(300_000) } }), 'ask_error'],
  ])('a Laravel that %s lets nothing through', async (_name, answer, code) => {
    const { laravel, server } = await open();
    laravel.answer = answer;
    const sender = await rawClient(server.url, 7, 'chat:ask');
    expect(await sender.request(MESSAGE)).toMatchObject({ type: 'sended', ok: false, error: { code } });
    laravel.answer = json({ allow: true });
    await sender.request({ ...MESSAGE, message: 'last' });
    expect(await sender.next('message')).toMatchObject({ data: { message: 'last' } });
  });

  it('who was ended while Laravel thought sends nothing any more, and other channels are not asked', async () => {
    const { laravel, server } = await open();
    let release = () => {};
    laravel.answer = (_, response) => {
      release = () => void response.end('{"allow":true}');
    };
    const page = await wireClient(server.url);
    await page.subscribe('chat:ask', { token: mintToken({ id: 8, channel: 'chat:ask' }) });
    const other = await rawClient(server.url, 7, 'chat:ask');
    const sent = page.send('chat:ask', MESSAGE);
    while (laravel.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    page.close();
    await other.next('disconnectOther');
    release();
    void sent.catch(() => {});
    laravel.answer = json({ allow: true });
    await other.request({ ...MESSAGE, message: 'last' });
    expect(await other.next('message')).toMatchObject({ data: { message: 'last' } });
  });
});
