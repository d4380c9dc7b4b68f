import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { startYamabiko, until } from '../support/yamabiko.ts';

/**
 * By hand, step by step: with real clients the upgrade is over before anything is subscribed. Events go straight to the
 * WebSocket and acks through Engine.IO's queue, and an upgrade changes the one way for the other.
 */
it.each([3, 4])(
  'Engine.IO %i misses and doubles nothing while it goes from polling to WebSocket',
  async (EIO) => {
    const server = await startYamabiko();
    onTestFinished(() => server.stop());
    const publish = (n: number) => server.server.publish('flow', `{"event":"n","data":${n},"socket":null}`);
    const url = `${server.url}/socket.io/?EIO=${EIO}`;
    const poll = async (query = '') => (await fetch(`${url}&transport=polling${query}`)).text();

    const { sid } = JSON.parse(/\{.*?\}/.exec(await poll())?.[0] ?? '') as { sid: string };
    const post = (packet: string) => {
      const body = EIO === 3 ? `${packet.length}:${packet}` : packet;
      return fetch(`${url}&transport=polling&sid=${sid}`, { method: 'POST', body });
    };
    if (EIO === 4) {
      await post('40');
      await poll(`&sid=${sid}`);
    }
    await post('42["subscribe",{"channel":"flow"}]');
    while (!(await poll(`&sid=${sid}`)).includes('subscription_succeeded'));
    await publish(0);
    expect(await poll(`&sid=${sid}`)).toContain('42["n","flow",0,"');

    const webSocket = new WebSocket(`${url.replace('http', 'ws')}&transport=websocket&sid=${sid}`);
    onTestFinished(() => webSocket.close());
    const heard: string[] = [];
    webSocket.on('message', (bytes) => heard.push(String(bytes)));
    await new Promise((resolve) => webSocket.on('open', resolve));
    await publish(1);
    webSocket.send('2probe');
    await until(() => heard.includes('3probe'), 'the probe is answered');
    await publish(2);
    webSocket.send('5');
    await publish(3);
    webSocket.send('427["unsubscribe",{"channel":"other"}]');
    await publish(4);
    await until(() => heard.some((packet) => packet.startsWith('437')), 'the ack arrives');
    await publish(5);
    await until(() => heard.some((packet) => packet.startsWith('42["n","flow",5')), 'the last event arrives');

    const events = heard.filter((packet) => packet.startsWith('42'));
    // Without the position.
    expect(events.map((packet) => packet.split(',').slice(0, 3).join(','))).toEqual(
      [1, 2, 3, 4, 5].map((n) => `42["n","flow",${n}`),
    );
  },
);
