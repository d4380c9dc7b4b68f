import { Agent, type ClientRequest, get, type IncomingMessage, request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { mintToken } from '../support/jwt.ts';
import { PollingSession } from '../support/limit-doors.ts';
import { RawClient } from '../support/raw-client.ts';
import type { Transport } from '../support/socket-io.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

/** A client that has come in and reads nothing more. */
interface Sluggard {
  /** Resolves when the server has ended it, with what it can see of that. */
  ended(): Promise<{ readonly closeCode?: number }>;
}

interface Door {
  readonly name: string;
  enter(url: string): Promise<Sluggard>;
}

const CHANNEL = 'open:slow';

const raw: Door = {
  name: 'raw WebSocket',
  async enter(url) {
    const client = await RawClient.join({ url, token: mintToken({ id: 99, channel: CHANNEL }) });
    client.socket.pause();
    return {
      async ended() {
        client.socket.resume();
        return { closeCode: (await client.closed()).code };
      },
    };
  },
};

const webSocket = (EIO: 3 | 4): Door => ({
  name: `Socket.IO, WebSocket, Engine.IO ${EIO}`,
  async enter(url) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=${EIO}&transport=websocket`);
    const texts: string[] = [];
    socket.on('message', (bytes) => texts.push(String(bytes)));
    const heard = (begin: string) => until(() => texts.some((text) => text.startsWith(begin)), begin);
    await heard('0{');
    if (EIO === 4) socket.send('40');
    await heard('40');
    socket.send(`42["subscribe",${JSON.stringify({ channel: CHANNEL })}]`);
    await heard('42["subscription_succeeded"');
    socket.pause();
    return {
      ended: () =>
        new Promise((resolve) => {
          socket.once('close', () => resolve({}));
          socket.resume();
        }),
    };
  },
});

const polling = (EIO: 3 | 4): Door => ({
  name: `Socket.IO, polling, Engine.IO ${EIO}`,
  async enter(url) {
    const session = (await PollingSession.open(url, EIO)) as PollingSession;
    await session.post(`42["subscribe",${JSON.stringify({ channel: CHANNEL })}]`);
    // It has been told, and asks for nothing more.
    await until(async () => (await session.poll()).includes('subscription_succeeded'), 'it is subscribed');
    return {
      async ended() {
        await until(async () => (await fetch(session.address)).status === 400, 'the session is gone');
        return {};
      },
    };
  },
});

const DOORS: readonly Door[] = [raw, webSocket(4), webSocket(3), polling(4), polling(3)];

const event = (n: number, size: number) =>
  JSON.stringify({ event: 'tick', data: { n, text: 'x'.repeat(size) }, socket: null });
const message = (n: number, size: number) =>
  JSON.stringify({ channel: CHANNEL, data: { n, text: 'x'.repeat(size) } });

let running: Running;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await running?.settledToZero();
  await running?.stop();
});
const tooSlow = () => running.metric('yamabiko_refusals_total', { code: 'too_slow' });

describe.each(DOORS)('who reads nothing at the door $name', (door) => {
  it('is ended at its bound, whatever it is sent, and the calm ones at every door hear all, in order', async () => {
    running = await startYamabiko({ YAMABIKO_OUTBOX_BYTES: '65536' });
    const calmRaw = await RawClient.join({ url: running.url, token: mintToken({ channel: CHANNEL }) });
    closing.push(() => calmRaw.close());
    const calm = await Promise.all(
      (['websocket', 'polling'] as Transport[]).map((transport) =>
        WireClient.open({ url: running.url, transports: [transport] }),
      ),
    );
    for (const client of calm) {
      closing.push(() => client.close());
      await client.subscribe(CHANNEL);
    }
    const slow = await door.enter(running.url);
    let sent = 0;
    await until(
      async () => {
        // As a message of the room for raw, as an event for the others.
        await running.server.publish('broadcast', message(sent, 30_000));
        await running.server.publish(CHANNEL, event(sent, 30_000));
        expect((await calmRaw.next('message')).data.n).toBe(sent);
        for (const client of calm) expect((await client.next('tick')).args[1].n).toBe(sent);
        sent++;
        return (await tooSlow()) > 0;
      },
      'the slow reader is ended',
      15_000,
    );
    expect(await tooSlow()).toBe(1);
    const { closeCode } = await slow.ended();
    if (closeCode !== undefined) expect(closeCode).toBe(4408);
    await until(() => running.snapshot().places === 3, 'its place is free');
    await running.server.publish(CHANNEL, event(sent, 10));
    for (const client of calm) expect((await client.next('tick')).args[1].n).toBe(sent);
  });
});

describe('who reads, but got a burst larger than the outbox in one turn,', () => {
  it('is not taken for slow', async () => {
    running = await startYamabiko({ YAMABIKO_OUTBOX_BYTES: '65536' });
    const client = await RawClient.join({ url: running.url, token: mintToken({ channel: CHANNEL }) });
    const echo = await WireClient.open({ url: running.url });
    await echo.subscribe(CHANNEL);
    closing.push(
      () => client.close(),
      () => echo.close(),
    );
    const published = [];
    for (let n = 0; n < 10; n++) {
      published.push(running.server.publish('broadcast', message(n, 20_000)));
      published.push(running.server.publish(CHANNEL, event(n, 20_000)));
    }
    await Promise.all(published);
    for (let n = 0; n < 10; n++) {
      expect((await client.next('message')).data.n).toBe(n);
      expect((await echo.next('tick')).args[1].n).toBe(n);
    }
    expect(await tooSlow()).toBe(0);
  });
});

describe('who asks by polling again and again, and reads no answer,', () => {
  it('is ended when the unread answers pass the bound of an outbox', async () => {
    running = await startYamabiko({ YAMABIKO_OUTBOX_BYTES: '6000000' });
    const session = (await PollingSession.open(running.url, 4)) as PollingSession;
    await session.post(`42["subscribe",${JSON.stringify({ channel: CHANNEL })}]`);
    await until(async () => (await session.poll()).includes('subscription_succeeded'), 'it is subscribed');
    // Answers larger than what the system keeps for a socket, each on a socket of its own, as pipelined ones are held up by Node.
    const agent = new Agent({ keepAlive: false });
    const polls: ClientRequest[] = [];
    const answers: IncomingMessage[] = [];
    const poll = () =>
      new Promise<void>((resolve) => {
        const asked = request(session.address, { agent });
        asked.on('error', () => resolve());
        asked.on('response', (answer) => {
          answers.push(answer.pause());
          resolve();
        });
        polls.push(asked);
        asked.end();
      });
    closing.push(() => {
      for (const asked of polls) asked.destroy();
    });
    let n = 0;
    await until(
      async () => {
        for (let i = 0; i < 4; i++) await running.server.publish(CHANNEL, event(n++, 1_000_000));
        if ((await tooSlow()) === 0) await poll();
        return (await tooSlow()) > 0;
      },
      'it is ended as a slow reader',
      15_000,
    );
    expect(answers.length).toBeGreaterThan(0);
    expect((await new Promise<IncomingMessage>((resolve) => get(session.address, resolve))).statusCode).toBe(
      400,
    );
  });
});
