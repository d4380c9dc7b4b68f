import { onTestFinished } from 'vitest';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';

/** Clients that end with their test. */
export async function rawClient(url: string, id: number, channel: string): Promise<RawClient> {
  const token = mintToken({ id, name: `user${id}`, channel });
  const client = await RawClient.join({ url, token });
  onTestFinished(() => client.cut());
  return client;
}

export async function wireClient(url: string): Promise<WireClient> {
  const client = await WireClient.open({ url });
  onTestFinished(() => void client.close());
  return client;
}

export const asUser = (id: number) => ({ headers: { Authorization: `Bearer ${id}:user${id}` } });
