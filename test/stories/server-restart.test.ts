import { expect, it, onTestFinished } from 'vitest';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { EchoClient } from '../support/echo-client.ts';
import { freePort } from '../support/free-port.ts';
import type { ClientVersion, Transport } from '../support/socket-io.ts';
import { startYamabiko } from '../support/yamabiko.ts';

/** Echo 1.16 hears of a reconnect only from client 2. */
const PAGES: readonly { echo: 1 | 2; version: ClientVersion; transports: readonly Transport[] }[] = [
  { echo: 1, version: 2, transports: ['websocket'] },
  { echo: 2, version: 2, transports: ['polling'] },
  { echo: 2, version: 3, transports: ['websocket'] },
  { echo: 2, version: 3, transports: ['polling', 'websocket'] },
  { echo: 2, version: 4, transports: ['polling'] },
  { echo: 2, version: 4, transports: ['polling', 'websocket'] },
];

const WIRES = ['news', 'private-orders', 'presence-room'];

it('Echo on every client comes back to a server that restarts, with all its channels, and hears each event once', async () => {
  const auth = await startAuthEndpoint();
  onTestFinished(() => auth.stop());
  const env = { YAMABIKO_PORT: String(await freePort()), YAMABIKO_AUTH_URL: auth.url };
  let server = await startYamabiko(env);
  const pages: EchoClient[] = [];
  onTestFinished(async () => {
    for (const page of pages) page.close();
    await server.settledToZero();
    await server.stop();
  });
  for (const options of PAGES) {
    const user = pages.length + 1;
    const page = await EchoClient.open({ url: server.url, bearer: `${user}:user${user}`, ...options });
    pages.push(page);
    page.channel('news', 'Said');
    page.private('orders', 'Said');
    page.join('room', 'Said');
    for (const wire of WIRES) expect(await page.settled(wire)).toMatchObject({ ok: true });
  }

  await server.stop();
  server = await startYamabiko(env);
  for (const page of pages)
    for (const wire of WIRES) expect(await page.settled(wire)).toMatchObject({ ok: true });

  for (const event of ['Said', 'last'])
    for (const wire of WIRES)
      await server.server.publish(wire, `{"event":"${event}","data":{},"socket":null}`);
  for (const page of pages) {
    const heard: string[] = [];
    for (let lasts = 0; lasts < WIRES.length; ) {
      const { event, args } = await page.next(({ event }) => event === 'Said' || event === 'last');
      if (event === 'last') lasts++;
      else heard.push(args[0]);
    }
    expect(heard.sort()).toEqual([...WIRES].sort());
  }
  expect(server.snapshot()).toMatchObject({ members: pages.length, connections: { echo: pages.length } });
});
