import { onTestFinished } from 'vitest';
import { EchoClient } from '../../support/echo-client.ts';
import { mintToken } from '../../support/jwt.ts';
import { RawClient, type RawFrame } from '../../support/raw-client.ts';
import type { ClientVersion, Transport } from '../../support/socket-io.ts';
import { addressesByNode } from './polling-session.ts';
import { type ProxyKind, RunningProxy } from './proxy.ts';
import { Site } from './site.ts';

/** A proxy with the file that we ship, in front of two nodes beside an app; and clients on their machines. */
export class Scene {
  readonly site: Site;
  readonly proxy: RunningProxy;
  /** From `there[0]` polls reach the first node, from `there[1]` the second. */
  readonly there: readonly [string, string];

  private constructor(parts: Pick<Scene, 'site' | 'proxy' | 'there'>) {
    this.site = parts.site;
    this.proxy = parts.proxy;
    this.there = parts.there;
  }

  static async start(kind: ProxyKind): Promise<Scene> {
    const site = await Site.start();
    const proxy = await RunningProxy.start(kind, site);
    return new Scene({ site, proxy, there: await addressesByNode(proxy, site.nodes) });
  }

  /** A page of `id:name` with Echo, on the machine with that address; it ends with the test. */
  async echo(
    user: string,
    address: string,
    version: ClientVersion,
    transports: readonly Transport[],
    headers: Readonly<Record<string, string>> = {},
  ): Promise<EchoClient> {
    const client = await EchoClient.open({
      url: this.proxy.url,
      agent: this.proxy.from(address),
      bearer: user,
      version,
      transports,
      headers,
      name: `${user} on client ${version} by ${transports}`,
    });
    onTestFinished(() => client.close());
    return client;
  }

  /** A plain WebSocket of user `raw<id>`; it ends with the test. */
  async raw(
    id: number,
    channel: string,
    path = '/ws',
  ): Promise<RawClient & { readonly connected: RawFrame }> {
    const client = await RawClient.join({
      url: this.proxy.url,
      agent: this.proxy.from('127.0.0.1'),
      path,
      token: mintToken({ id, name: `raw${id}`, channel }),
    });
    onTestFinished(() => client.socket.terminate());
    return client;
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.site.stop();
  }
}

export const namesOf = (users: readonly { readonly name: string }[]): string[] =>
  users.map(({ name }) => name).sort();
