import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { badTokens, mintToken, TEST_SECRET, unopenableChannels } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko } from '../support/yamabiko.ts';

// Every token that must open nothing (protocol.md section 2), made without the library that the server checks it by.
describe('a bad token', () => {
  const bad = badTokens();
  let server: Running;
  let wire: WireClient;
  let witness: RawClient;

  beforeAll(async () => {
    server = await startYamabiko({ YAMABIKO_JWT_SECRET: TEST_SECRET });
    wire = await WireClient.open({ url: server.url });
    witness = await RawClient.join({ url: server.url, token: mintToken({ id: 9, name: 'witness' }) });
  });

  afterAll(async () => {
    await witness?.close();
    wire?.close();
    await server?.settledToZero();
    await server?.stop();
  });

  /** Nobody came in: the witness, who hears of everybody, hears only of the next good one. */
  async function nobodyCameIn() {
    const good = await RawClient.join({ url: server.url, token: mintToken({ id: 8, name: 'good' }) });
    expect((await witness.next()).data.user.name).toBe('good');
    await good.close();
    expect(await witness.next()).toMatchObject({ type: 'disconnectOther', sender: { name: 'good' } });
  }

  function namesTheClaimAndNoSecret(message: string, token: string, claim = '') {
    expect(message).toContain(claim);
    if (token.length > 10) expect(message).not.toContain(token.slice(-10));
  }

  it.each(bad)('$name opens no raw session', async ({ token, code, close, claim }) => {
    const client = await RawClient.open({ url: server.url, token });
    const { message, ...refusal } = await client.next('error');
    expect(refusal).toEqual({ type: 'error', code });
    namesTheClaimAndNoSecret(message, token, claim);
    expect((await client.closed()).code).toBe(close);
    await nobodyCameIn();
  });

  it.each(bad)('$name opens no Socket.IO subscription', async ({ token, code, claim }) => {
    const { message, ...refusal } = await wire.subscribe('chat:1', { token });
    expect(refusal).toEqual({ ok: false, code, status: 401 });
    namesTheClaimAndNoSecret(message, token, claim);
    expect(await wire.next()).toEqual({ event: 'subscription_error', args: ['chat:1', 401] });
    await nobodyCameIn();
  });

  it.each(unopenableChannels)('for the channel %j, well signed, opens nothing', async (channel) => {
    const token = mintToken({ channel });
    const client = await RawClient.open({ url: server.url, token });
    await client.next('error');
    expect((await client.closed()).code).toBe(4403);
    expect(await wire.subscribe('chat:1', { token })).toMatchObject({ ok: false });
    await wire.next('subscription_error');
  });

  it('is logged without itself', () => {
    const text = JSON.stringify(server.log);
    for (const { token } of bad) if (token.length > 40) expect(text).not.toContain(token.slice(-20));
    expect(text).not.toContain(TEST_SECRET);
  });
});

describe('a raw session without any token', () => {
  it('is told so and closed', async () => {
    const server = await startYamabiko();
    const client = await RawClient.open({ url: server.url });
    expect(await client.next('error')).toMatchObject({ code: 'token_missing' });
    expect((await client.closed()).code).toBe(4401);
    await server.stop();
  });
});
