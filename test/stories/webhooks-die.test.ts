import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { patience } from '../support/event-queue.ts';
import type { RawClient } from '../support/raw-client.ts';
import { ServerProcess } from '../support/server-process.ts';
import { WebhookEndpoint } from '../support/webhook-endpoint.ts';
import { until } from '../support/yamabiko.ts';
import { NodesStage } from './nodes-stage.ts';
import { rawClient } from './webhooks-stage.ts';

patience.ms = 30_000;

const ROOMS = ['chat:a', 'chat:b', 'chat:c', 'chat:d', 'chat:e'];

/** Members of every room on one node who talk, and what of it they were told was taken. */
class Talk {
  readonly taken = new Map<string, string[]>();
  readonly #clients: readonly RawClient[];
  #count = 0;
  #going = true;
  readonly #done: Promise<unknown>;

  private constructor(clients: readonly RawClient[], name: string) {
    this.#clients = clients;
    this.#done = Promise.all(clients.map((client, i) => this.#talk(client, ROOMS[i] ?? '', name)));
  }

  static async start({ url }: ServerProcess, id: number, name: string): Promise<Talk> {
    return new Talk(await Promise.all(ROOMS.map((room) => rawClient(url, id, room))), name);
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#done;
  }

  async leave(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async #talk(client: RawClient, room: string, name: string): Promise<void> {
    while (this.#going) {
      const message = `${name} ${++this.#count}`;
      const answer = await client.request({ message, name }).catch(() => null);
      if (answer === null) return;
      if (answer.ok) this.taken.set(room, [...(this.taken.get(room) ?? []), message]);
      await sleep(5);
    }
  }
}

const saidIn = (endpoint: WebhookEndpoint, room: string, name: string) =>
  endpoint.once
    .filter((event) => event.name === 'message' && event.channel === room && event.data.name === name)
    .map(({ data }) => data.message as string);

/** Repeats with their ids alone, and the same content. */
function faultsOf(endpoint: WebhookEndpoint): string[] {
  const byId = new Map<string, string>();
  const seen = new Map<string, string>();
  const faults: string[] = [];
  for (const event of endpoint.told) {
    const text = JSON.stringify(event);
    if ((byId.get(event.id) ?? text) !== text) faults.push(`another content under one id: ${text}`);
    byId.set(event.id, text);
    if (event.name !== 'message') continue;
    const said = `${event.channel} ${event.data.message}`;
    if ((seen.get(said) ?? event.id) !== event.id) faults.push(`a repeat under another id: ${text}`);
    seen.set(said, event.id);
  }
  return faults;
}

describe('Webhooks of two nodes', { timeout: 120_000 }, () => {
  it('are all told, in order for each room, though the sender is killed and Laravel is away', async () => {
    const endpoint = await WebhookEndpoint.start();
    const stage = await NodesStage.open(endpoint.settings);
    // The first to come holds all the lanes.
    const dying = await ServerProcess.ready(stage.env);
    const living = await ServerProcess.ready(stage.env);
    const [lost, kept] = [await Talk.start(dying, 1, 'lost'), await Talk.start(living, 2, 'kept')];
    await endpoint.tells(100);
    // In the midst of a batch, of which nobody will ever know whether Laravel took it; it did.
    let inFlight = 0;
    let inFlightEvents = 0;
    endpoint.answer = (posted) => {
      inFlight++;
      inFlightEvents += posted.events.length;
      posted.status = 200;
      return null;
    };
    await until(() => inFlight >= 1, 'a batch is under way');
    dying.kill('SIGKILL');
    await dying.ended;
    await lost.stop();
    endpoint.answer = () => 200;
    await until(() => endpoint.posts.length > 0 && endpoint.told.length > 0, 'it goes on');
    const before = endpoint.once.length;
    await endpoint.tells(before + 50, 30_000);
    await endpoint.down();
    const takenBefore = kept.taken.get('chat:a')?.length ?? 0;
    await until(() => (kept.taken.get('chat:a')?.length ?? 0) > takenBefore + 20, 'they go on talking');
    await endpoint.up();
    await kept.stop();
    await kept.leave();
    await until(
      () => ROOMS.every((room) => endpoint.lines(room).includes(`channel_vacated ${room}`)),
      () => `all is told: ${endpoint.lines().slice(-20)}`,
      40_000,
    );
    expect(faultsOf(endpoint)).toEqual([]);
    // Only what was under way when the node was killed comes twice: what Laravel has taken is not told again.
    expect(endpoint.told.length - endpoint.once.length).toBeLessThanOrEqual(inFlightEvents);
    for (const room of ROOMS) {
      expect(saidIn(endpoint, room, 'kept')).toEqual(kept.taken.get(room));
      const told = saidIn(endpoint, room, 'lost');
      // The last may have been taken without its sender ever hearing of it.
      const taken = lost.taken.get(room) ?? [];
      expect(told.slice(0, taken.length)).toEqual(taken);
      expect(told.length - taken.length).toBeLessThanOrEqual(1);
      expect(endpoint.lines(room).filter((line) => line.startsWith('channel_'))).toEqual([
        `channel_occupied ${room}`,
        `channel_vacated ${room}`,
      ]);
      expect(endpoint.lines(`presence-${room}`).sort()).toEqual(
        ['added', 'removed'].flatMap((what) => [1, 2].map((id) => `member_${what} presence-${room} ${id}`)),
      );
      const names = endpoint.once.map(({ name, channel }) => `${name} ${channel}`);
      expect(names.indexOf(`channel_occupied ${room}`)).toBeLessThan(names.indexOf(`message ${room}`));
    }
    expect(await stage.redis.client.xlen('laravel_database_yamabiko:{home}:told:0')).toBe(0);
  });

  it('wait in Redis while no node runs', async () => {
    const endpoint = await WebhookEndpoint.start();
    const stage = await NodesStage.open(endpoint.settings);
    await endpoint.down();
    const first = await ServerProcess.ready(stage.env);
    await rawClient(first.url, 1, 'chat:wait');
    first.kill('SIGKILL');
    await first.ended;
    await endpoint.up();
    const second = await ServerProcess.ready(stage.env);
    onTestFinished(() => second.kill('SIGTERM'));
    await endpoint.tells(4);
    expect(endpoint.lines()).toEqual([
      'channel_occupied chat:wait',
      'member_added presence-chat:wait 1',
      'member_removed presence-chat:wait 1',
      'channel_vacated chat:wait',
    ]);
  });
});
