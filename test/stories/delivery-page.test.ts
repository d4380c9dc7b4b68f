import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { readProjectFile } from '../architecture/project-files.ts';
import { ConnectorClient } from '../support/connector-client.ts';
import { mintToken } from '../support/jwt.ts';
import { until } from '../support/yamabiko.ts';
import { codeBlocks } from '../unit/docs/markdown.ts';
import { RecoveryStage } from './recovery-stage.ts';

const KEPT = 100;
const page = await readProjectFile('docs/delivery.md');

/** The code that the page marks to be run by that kind of client. */
function codeOf(kind: string): string[] {
  const marked = [...page.matchAll(new RegExp(`^<!-- run: ${kind} -->\n(\`\`\`js\n.*?^\`\`\`$)`, 'gms'))];
  return marked.flatMap(([, block = '']) => codeBlocks(block).map(({ code }) => code));
}

describe('docs/delivery.md, of what an app does at a gap', () => {
  let stage: RecoveryStage;
  const reloads: unknown[][] = [];
  const lines: unknown[][] = [];
  const reload = (...args: unknown[]) => void reloads.push(args);
  const console = { log: (...args: unknown[]) => void lines.push(args) };
  beforeAll(async () => {
    stage = await RecoveryStage.start({ YAMABIKO_HISTORY_ENTRIES: String(KEPT) });
  });
  afterEach(async () => {
    reloads.length = 0;
    lines.length = 0;
    await stage.clear();
  });
  afterAll(() => stage?.stop());

  const publish = async (count: number) => {
    for (let n = 1; n <= count; n++) await stage.publish('orders', n);
  };

  it('has code for an unmodified page, for one channel and for all', async () => {
    const codes = codeOf('echo');
    expect(codes).toHaveLength(2);
    const client = await stage.page({ namespace: 'App.Events' });
    const orders = client.channel('orders', '.counted');
    for (const code of codes) runInNewContext(code, { window: { Echo: client.echo }, reload });
    await client.settled('orders');
    await publish(1);
    await orders.next('.counted');
    await stage.away(client, () => publish(3));
    expect(await client.settled('orders')).toMatchObject({ info: { recovered: true, replayed: 3 } });
    expect(reloads).toEqual([]);
    await stage.away(client, () => publish(KEPT + 50));
    expect(await client.settled('orders')).toMatchObject({ info: { recovered: false } });
    expect(reloads).toEqual([
      ['orders', 'history_trimmed'],
      ['orders', 'history_trimmed'],
    ]);
  });

  it('has code for a page with the connector', async () => {
    const [code = ''] = codeOf('connector');
    const client = await stage.open((url) => ConnectorClient.open({ url, token: () => null }));
    const channel = client.channel('orders', 'counted');
    runInNewContext(code, { window: { Echo: client.echo }, reload, console });
    await channel.next('subscribed');
    await publish(1);
    await channel.next('counted');
    await stage.away(client, () => publish(3));
    await until(() => lines.length === 1, 'the first return is told');
    expect(reloads).toEqual([]);
    await stage.away(client, () => publish(KEPT + 50));
    await until(() => lines.length === 2, 'the second return is told');
    expect(reloads).toEqual([['orders', 'history_trimmed']]);
    expect(lines).toEqual([
      [true, 3],
      [false, KEPT],
    ]);
  });

  it('has code for a raw client, which comes back with its position', async () => {
    const [code = ''] = codeOf('raw');
    const printed: string[] = [];
    const print = ({ message }: { message: string }) => void printed.push(message);
    let url = '';
    class Redirected extends WebSocket {
      constructor(address: string) {
        super(address.replace('wss://ws.example.com', url));
      }
    }
    const names = { WebSocket: Redirected, URLSearchParams, print, reload };
    const connect = runInNewContext(`${code}\nconnect`, names) as (token: string) => WebSocket;
    const token = mintToken({ channel: 'chat:room1' });
    const open = (former?: object) =>
      stage.open(async (address) => {
        url = address.replace('http', 'ws');
        const socket = connect(token);
        return { cut: () => socket.terminate(), close: () => socket.close() };
      }, former);
    const say = async (...texts: string[]) => {
      for (const text of texts) await stage.say('chat:room1', text);
    };

    let client = await open();
    await until(() => stage.node.snapshot().subscriptions.token === 1, 'it is in');
    await say('one');
    await until(() => printed.length === 1, 'the first message');
    await stage.away(client, () => say('two', 'three'));
    client = await open(client);
    await until(() => printed.length === 3, 'what it missed');
    expect(printed).toEqual(['one', 'two', 'three']);
    expect(reloads).toEqual([]);
    await stage.away(client, () => publish(KEPT + 50));
    client = await open(client);
    await until(() => reloads.length > 0, 'it is told');
    expect(reloads).toEqual([['chat:room1', 'history_trimmed']]);
  });
});
