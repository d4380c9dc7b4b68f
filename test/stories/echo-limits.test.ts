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

  it('that has shaken hands has a place, and loses it where it never says what it wants', async () => {
    running = await startYamabiko({
      YAMABIKO_MAX_CONNECTIONS: '1',
      YAMABIKO_HANDSHAKE_TIMEOUT_MS: '500',
    });
    const polling = `${running.url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(polling)).text()).slice(1)) as { sid: string };
    const full = await fetch(polling);
    expect(full.status).toBe(429);
    expect(await full.json()).toEqual({ code: 4, message: 'limit_reached', retry_after: 5 });
    expect(full.headers.get('retry-after')).toBe('5');
    // Tries again by itself, and comes in when the place is free.
    const client = await WireClient.open({ url: running.url });
    expect(await client.subscribe('news')).toMatchObject({ ok: true });
    expect((await fetch(`${polling}&sid=${sid}`)).status).toBe(400);
    client.close();
    await running.settledToZero();
  });
});
