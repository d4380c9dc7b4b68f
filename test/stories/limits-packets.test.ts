import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { mintToken } from '../support/jwt.ts';
import { PollingSession } from '../support/limit-doors.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko } from '../support/yamabiko.ts';

/** What a client may send of the protocols themselves, below its commands. */
let running: Running;
let calm: WireClient;
beforeEach(async () => {
  running = await startYamabiko();
  calm = await WireClient.open({ url: running.url });
  await calm.subscribe('news');
});
afterEach(async () => {
  expect(await calm.subscribe('more')).toMatchObject({ ok: true });
  calm.close();
  await running.settledToZero();
  await running.stop();
});

async function engine(EIO: 3 | 4): Promise<WebSocket> {
  const socket = new WebSocket(
    `${running.url.replace('http', 'ws')}/socket.io/?EIO=${EIO}&transport=websocket`,
  );
  await once(socket, 'message');
  return socket;
}

const ended = (socket: WebSocket) => once(socket, 'close');

describe('a flood', () => {
  it.each(['ping', 'pong'] as const)(
    'of %ss of WebSocket ends a raw connection with a code',
    async (frame) => {
      const client = await RawClient.join({ url: running.url, token: mintToken() });
      const pong = frame === 'ping' ? once(client.socket, 'pong') : null;
      for (let n = 0; n < 5; n++) client.socket[frame]();
      await pong;
      expect(await client.request({ message: 'm', name: 'n' })).toMatchObject({ ok: true });
      for (let n = 0; n < 2_000; n++) client.socket[frame]();
      expect(await client.next('error')).toMatchObject({
        code: 'rate_limited',
        retry_after: expect.any(Number),
      });
      expect((await client.closed()).code).toBe(4429);
    },
  );

  it('of pings of Engine.IO 3 ends its session; a few are answered', async () => {
    const socket = await engine(3);
    const pong = new Promise<void>((resolve) => {
      socket.on('message', (bytes) => String(bytes) === '3' && resolve());
    });
    socket.send('2');
    await pong;
    for (let n = 0; n < 2_000; n++) socket.send('2');
    await ended(socket);
  });

  it('of pongs of Engine.IO 4 ends its session', async () => {
    const socket = await engine(4);
    for (let n = 0; n < 2_000; n++) socket.send('3');
    await ended(socket);
  });

  it('of CONNECTs makes one connection at most, and ends the session', async () => {
    const session = (await PollingSession.shakeHands(running.url, 4)) as PollingSession;
    await session.post(...Array(20_000).fill('40'));
    expect(running.snapshot().connections.echo).toBeLessThanOrEqual(2);
  });

  it('of namespaces that there are not ends the session', async () => {
    const socket = await engine(4);
    for (let n = 0; n < 2_000; n++) socket.send(`40/stranger${n},`);
    await ended(socket);
  });

  it('of frames in pieces that never end ends the connection', async () => {
    for (const socket of [
      (await RawClient.join({ url: running.url, token: mintToken() })).socket,
      await engine(4),
      await engine(3),
    ]) {
      // As many as a frame may have bytes, each empty.
      for (let n = 0; n < 20_000; n++) socket.send('', { fin: false });
      await ended(socket);
    }
  });
});
