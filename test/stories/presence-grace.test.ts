import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { CLUSTERS_OF_NODES, type Cluster } from '../support/clusters.ts';
import { DOORS, type Door, type User, type Visitor } from '../support/doors.ts';
import { EchoClient } from '../support/echo-client.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';
import { until } from '../support/yamabiko.ts';

const host: User = { id: 11, name: 'host' };
const guest: User = { id: 12, name: 'guest' };
const third: User = { id: 13, name: 'third' };
const [RAW] = DOORS as [Door];

/** So long that nobody is gone by it within a test. */
const LONG_MS = '300000';

describe.each(CLUSTERS_OF_NODES)('Presence with a grace, $name:', (kind) => {
  let auth: AuthEndpoint;
  let cluster: Cluster;
  let rooms = 0;
  const visitors: Visitor[] = [];
  const newRoom = () => `chat:grace${++rooms}`;

  beforeAll(async () => {
    auth = await startAuthEndpoint();
    cluster = await kind.start({ YAMABIKO_AUTH_URL: auth.url, YAMABIKO_PRESENCE_GRACE_MS: LONG_MS });
  });
  afterEach(async () => {
    await Promise.all(visitors.splice(0).map((visitor) => visitor.leave()));
    await cluster.settledToZero();
  });
  afterAll(async () => {
    await cluster?.stop();
    await auth?.stop();
  });

  async function enter(door: Door, room: string, user: User, { url } = cluster.server): Promise<Visitor> {
    const visitor = await door.enter(url, room, user);
    visitors.push(visitor);
    return visitor;
  }

  async function userCount(room: string): Promise<number> {
    const response = await fetch(`${cluster.server.url}/apps/app/channels/presence-${room}`, {
      headers: { authorization: 'Bearer key' },
    });
    return ((await response.json()) as { user_count: number }).user_count;
  }

  /** Whoever watches hears of the third next, so of nobody before him. */
  async function hearsNothingButThird(watcher: Visitor, room: string): Promise<void> {
    await enter(RAW, room, third);
    expect(await watcher.heard.next()).toEqual({ type: 'joined', user: 'third' });
  }

  const seats = async (count: number) =>
    until(async () => {
      const nodes = [...new Set([cluster.server, cluster.guestServer])];
      return nodes.reduce((sum, node) => sum + node.snapshot().members, 0) === count;
    }, `there are ${count} seats`);

  describe.each(DOORS)('who reloads his page, by $name,', (door) => {
    it('is neither shown leaving nor joining, and is in the list meanwhile', async () => {
      const room = newRoom();
      const watcher = await enter(RAW, room, host);
      const first = await enter(door, room, guest, cluster.guestServer);
      expect(await watcher.heard.next()).toEqual({ type: 'joined', user: 'guest' });
      await first.leave();
      await seats(1);
      expect(await userCount(room)).toBe(2);
      const again = await enter(door, room, guest);
      expect([...again.list].sort()).toEqual(['guest', 'host']);
      await hearsNothingButThird(watcher, room);
    });
  });

  it('who comes back by another way in, on another node, was never gone', async () => {
    const room = newRoom();
    const watcher = await enter(RAW, room, host);
    let last: Visitor | null = null;
    for (const [i, door] of DOORS.entries()) {
      const node = i % 2 === 0 ? cluster.guestServer : cluster.server;
      await last?.leave();
      await seats(1);
      last = await enter(door, room, guest, node);
      if (i === 0) expect(await watcher.heard.next()).toEqual({ type: 'joined', user: 'guest' });
    }
    await hearsNothingButThird(watcher, room);
  });

  it('who says that he leaves is shown leaving at once: by Echo', async () => {
    const room = newRoom();
    const watcher = await enter(RAW, room, host);
    const client = await EchoClient.open({ url: cluster.guestServer.url, bearer: '12:guest' });
    await client.join(room).next('here');
    expect(await watcher.heard.next()).toEqual({ type: 'joined', user: 'guest' });
    client.echo.leave(room);
    expect(await watcher.heard.next()).toEqual({ type: 'left', user: 'guest' });
    client.close();
  });

  it('who says that he leaves is shown leaving at once: by JWT', async () => {
    const room = newRoom();
    const watcher = await enter(RAW, room, host);
    const client = await WireClient.open({ url: cluster.guestServer.url });
    await client.subscribe(room, { token: mintToken({ ...guest, channel: room }) });
    expect(await watcher.heard.next()).toEqual({ type: 'joined', user: 'guest' });
    expect(await client.unsubscribe(room)).toEqual({ ok: true });
    expect(await watcher.heard.next()).toEqual({ type: 'left', user: 'guest' });
    client.close();
  });

  it('who changes from one right to another on a channel is not shown at all', async () => {
    const room = newRoom();
    const watcher = await enter(RAW, room, host);
    const client = await WireClient.open({ url: cluster.guestServer.url });
    const wire = `presence-${room}`;
    await client.subscribe(wire, { headers: { Authorization: 'Bearer 12:guest' } });
    expect(await watcher.heard.next()).toEqual({ type: 'joined', user: 'guest' });
    expect(await client.subscribe(wire, { token: mintToken({ ...guest, channel: room }) })).toMatchObject({
      ok: true,
    });
    await hearsNothingButThird(watcher, room);
    client.close();
  });

  it('whom the application ends is shown leaving at once', async () => {
    const room = newRoom();
    const watcher = await enter(RAW, room, host);
    const client = await RawClient.join({
      url: cluster.guestServer.url,
      token: mintToken({ ...guest, channel: room }),
    });
    expect(await watcher.heard.next()).toEqual({ type: 'joined', user: 'guest' });
    await fetch(`${cluster.server.url}/apps/app/users/${guest.id}/terminate`, {
      method: 'POST',
      headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await watcher.heard.next()).toEqual({ type: 'left', user: 'guest' });
    expect(await client.closed()).toMatchObject({ code: 4409 });
  });
});

describe.each(CLUSTERS_OF_NODES)('Presence with a grace that ends, $name:', (kind) => {
  it('who does not come back is shown leaving, once, by every door', async () => {
    const auth = await startAuthEndpoint();
    const cluster = await kind.start({ YAMABIKO_AUTH_URL: auth.url, YAMABIKO_PRESENCE_GRACE_MS: '300' });
    const watchers = [];
    for (const door of DOORS) watchers.push(await door.enter(cluster.server.url, 'chat:1', host));
    const leaver = await RAW.enter(cluster.guestServer.url, 'chat:1', guest);
    for (const { heard } of watchers) expect(await heard.next()).toEqual({ type: 'joined', user: 'guest' });
    await leaver.leave();
    for (const { heard } of watchers) expect(await heard.next()).toEqual({ type: 'left', user: 'guest' });
    const again = await RAW.enter(cluster.guestServer.url, 'chat:1', guest);
    expect([...again.list].sort()).toEqual(['guest', 'host']);
    for (const { heard } of watchers) expect(await heard.next()).toEqual({ type: 'joined', user: 'guest' });
    await Promise.all([again, ...watchers].map((visitor) => visitor.leave()));
    await cluster.settledToZero();
    await cluster.stop();
    await auth.stop();
  });
});
