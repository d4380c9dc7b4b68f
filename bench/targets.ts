import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import { FrameCounter } from './frame-counter.ts';
import { SECRET, startNode } from './node.ts';

const CONTROL = fileURLToPath(new URL('./control-ws.js', import.meta.url));

/** A server under test, and how its clients come in and Laravel publishes to them. */
export interface Target {
  readonly name: string;
  start(redisUrl: string): Promise<{ child: Child; port: number }>;
  /** A client that will hear every publish as exactly one frame. */
  open(port: number): Promise<FrameCounter>;
  /** The Redis channel and payload of one publish. */
  readonly channel: string;
  payload(data: string): string;
}

export const control: Target = {
  name: 'control: a bare ws loop',
  async start(redisUrl) {
    const child = new Child(0, process.execPath, [CONTROL, redisUrl]);
    return { child, port: Number(await child.line(/^\d+$/)) };
  },
  async open(port) {
    const client = await FrameCounter.open(port, '/');
    await client.atLeast(1);
    return client;
  },
  channel: 'bench',
  payload: (data) => `{"data":${data}}`,
};

export const raw: Target = rawTarget('yamabiko, raw', '');

/** The same for clients that want what they missed: each message has its position with it. */
export const rawSince: Target = rawTarget('yamabiko, raw with since', '&since=');

export const echo: Target = {
  name: 'yamabiko, Echo (Socket.IO)',
  start: startNode,
  async open(port) {
    const client = await FrameCounter.open(port, '/socket.io/?EIO=4&transport=websocket');
    await client.atLeast(1);
    client.send('40');
    await client.atLeast(2);
    client.send('42["subscribe",{"channel":"bench"}]');
    await client.atLeast(3);
    return client;
  },
  channel: 'laravel_database_bench',
  payload: (data) => `{"event":"bench","data":${data},"socket":null}`,
};

function token(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const iat = Math.floor(Date.now() / 1000);
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ id: 1, name: 'bench', channel: 'bench', iat, exp: iat + 3600 })}`;
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}

function rawTarget(name: string, query: string): Target {
  return {
    name,
    start: startNode,
    async open(port) {
      // One user for all: a thousand users would announce each other a million times before the run.
      const client = await FrameCounter.open(port, `/?token=${token()}${query}`);
      await client.atLeast(1);
      return client;
    },
    channel: 'laravel_database_broadcast',
    payload: (data) => `{"channel":"bench","data":${data},"type":"message"}`,
  };
}
