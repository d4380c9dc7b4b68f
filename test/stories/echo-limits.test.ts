import { afterEach, describe, expect, it } from 'vitest';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

/** What a Socket.IO client may do to this server, and what it may not. */
describe('a Socket.IO client', () => {
  let running: Running;
  afterEach(() => running?.stop());

  it('that asks for answers and never reads them is ended as a slow reader', async () => {
    running = await startYamabiko({ YAMABIKO_OUTBOX_BYTES: '16384' });
    const polling = `${running.url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(polling)).text()).slice(1)) as { sid: string };
    const post = (body: string) => fetch(`${polling}&sid=${sid}`, { method: 'POST', body });
    await post('40');
    const asked = Array.from({ length: 200 }, (_, id) => `42${id}["unsubscribe",{"channel":"a"}]`);
    await post(asked.join('\x1e'));
    await running.settledToZero();
    expect(await running.metric('yamabiko_refusals_total', { code: 'too_slow' })).toBe(1);
  });

  it('that sends what makes no sense again and again is refused, then ended', async () => {
    running = await startYamabiko({ YAMABIKO_COMMAND_BURST: '10', YAMABIKO_COMMANDS_PER_SECOND: '1' });
    const client = await WireClient.open({ url: running.url, reconnection: false });
    const codes = [];
    for (let i = 0; i < 12; i++) codes.push((await client.request('nonsense')).code);
    expect(codes.slice(0, 10)).toEqual(Array(10).fill('invalid_message'));
    expect(codes.at(-1)).toBe('rate_limited');
    for (let i = 0; i < 60; i++) client.emit('nonsense');
    await client.next('disconnect');
    await until(
      async () => (await running.metric('yamabiko_refusals_total', { code: 'rate_limited' })) > 0,
      'the end is counted',
    );
    await running.settledToZero();
  });

  it('that has shaken hands when the server is full is ended, and tries again by itself', async () => {
    running = await startYamabiko({ YAMABIKO_MAX_CONNECTIONS: '1' });
    const polling = `${running.url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(polling)).text()).slice(1)) as { sid: string };
    const first = await WireClient.open({ url: running.url });
    await fetch(`${polling}&sid=${sid}`, { method: 'POST', body: '40' });
    expect(await running.metric('yamabiko_refusals_total', { code: 'limit_reached' })).toBe(1);
    expect(running.snapshot().connections.echo).toBe(1);
    first.close();
    await running.settledToZero();
    const second = await WireClient.open({ url: running.url });
    expect(await second.subscribe('news')).toMatchObject({ ok: true });
    second.close();
  });
});
