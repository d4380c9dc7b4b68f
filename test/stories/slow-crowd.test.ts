import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { SECRET } from '../cli/binary.ts';
import { mintToken } from '../support/jwt.ts';
import { PollingSession } from '../support/limit-doors.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { WireClient } from '../support/wire-client.ts';
import { until } from '../support/yamabiko.ts';

const CHANNEL = 'crowd:1';
const SLUGGARDS = 100;
const EVENTS = 12_000;
const PER_SECOND = 1_000;
/** What the calm ones, the garbage of 12,000 events and the outboxes of all may take together. */
const MAX_GROWTH_BYTES = 100 * 1_048_576;

const token = (id: number) => mintToken({ id, name: `user ${id}`, channel: CHANNEL }, { secret: SECRET });
const subscribe = (id: number) =>
  `42["subscribe",${JSON.stringify({ channel: CHANNEL, auth: { token: token(id) } })}]`;

let server: ServerProcess;

async function metric(line: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const found = text.split('\n').find((one) => one.startsWith(`${line} `));
  return found === undefined ? 0 : Number(found.slice(line.length + 1));
}
const residentBytes = () => metric('process_resident_memory_bytes');

/** Comes in by one of three doors, and reads nothing more. @returns how to end it */
async function sluggard(id: number): Promise<() => void> {
  if (id % 3 === 0) {
    const client = await RawClient.join({ url: server.url, token: token(id) });
    client.socket.pause();
    return () => client.socket.terminate();
  }
  if (id % 3 === 1) {
    const session = (await PollingSession.open(server.url, 4)) as PollingSession;
    await session.post(subscribe(id));
    return () => {};
  }
  const address = `${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(address);
  const texts: string[] = [];
  socket.on('message', (bytes) => texts.push(String(bytes)));
  const heard = (begin: string) => until(() => texts.some((text) => text.startsWith(begin)), begin);
  await heard('0{');
  socket.send('40');
  await heard('40');
  socket.send(subscribe(id));
  await heard('42["subscription_succeeded"');
  socket.pause();
  return () => socket.terminate();
}

it(`${SLUGGARDS} clients that never read, at ${PER_SECOND} events a second: memory stays bounded, the calm ones hear all`, async () => {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.stop());
  server = await ServerProcess.ready({
    YAMABIKO_REDIS_URL: redis.url,
    // Silence alone ends nobody here.
    YAMABIKO_PING_INTERVAL_MS: '600000',
  });
  const heard: number[][] = [];
  const closing: (() => void)[] = [];
  const listen = () => {
    const mine: number[] = [];
    heard.push(mine);
    return (n: number) => mine.push(n);
  };
  const raw = await RawClient.join({ url: server.url, token: token(1_001) });
  const hearRaw = listen();
  raw.socket.on('message', (bytes) => {
    const { type, data } = JSON.parse(String(bytes));
    if (type === 'message') hearRaw(data.n);
  });
  closing.push(() => raw.socket.terminate());
  for (const transports of [['websocket'], ['polling']] as const) {
    const client = await WireClient.open({ url: server.url, transports });
    await client.subscribe(CHANNEL, { token: token(1_001 + heard.length) });
    const hear = listen();
    client.socket.on('message', (_wire: string, { data }: { data: { n: number } }) => hear(data.n));
    closing.push(() => client.close());
  }
  for (let id = 1; id <= SLUGGARDS; id++) closing.push(await sluggard(id));
  const before = await residentBytes();
  let most = before;

  const text = 'x'.repeat(500);
  const startMs = Date.now();
  let sent = 0;
  while (sent < EVENTS) {
    const due = Math.min(EVENTS, Math.ceil(((Date.now() - startMs) / 1_000) * PER_SECOND));
    const published = [];
    for (; sent < due; sent++) {
      const payload = JSON.stringify({ channel: CHANNEL, data: { n: sent, text } });
      published.push(redis.client.publish('laravel_database_broadcast', payload));
    }
    await Promise.all(published);
    await sleep(5);
    if (sent % 1_000 < 10) most = Math.max(most, await residentBytes());
  }
  await until(
    () => heard.every((one) => one.length === EVENTS),
    () => `the calm ones have heard all: ${heard.map((one) => one.length)}`,
    60_000,
  );
  most = Math.max(most, await residentBytes());
  const inOrder = Array.from({ length: EVENTS }, (_, n) => n);
  for (const one of heard) expect(one).toEqual(inOrder);
  // Without the bound it grows by 180 MB, with it by 55.
  expect(most - before).toBeLessThan(MAX_GROWTH_BYTES);
  expect(await metric('yamabiko_refusals_total{code="too_slow"}')).toBe(SLUGGARDS);
  for (const close of closing) close();
}, 120_000);
