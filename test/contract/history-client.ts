import type { Bus, HistoryItem, Resumption } from '../../server/broker/bus/bus.ts';
import type { HistoryBounds } from '../../server/broker/bus/history.ts';
import { type Position, parsePosition } from '../../server/domain/position.ts';
import { type Heard, until } from './heard.ts';

export interface Node {
  readonly bus: Bus;
  readonly heard: Heard;
}

export interface OpenHistory {
  /** All on one log, ready, and each with its own listener. */
  readonly nodes: readonly Node[];
  readonly stop: () => Promise<void>;
}

/** Opens a log without a past. */
export type OpenLog = (bounds: HistoryBounds) => Promise<OpenHistory>;

export const WIDE: HistoryBounds = { historyMs: 600_000, historyEntries: 100_000, historyBytes: 50_000_000 };

/** The nodes of one test. */
export class HistoryStage {
  readonly #open: OpenLog;
  #opened: OpenHistory = { nodes: [], stop: async () => {} };

  constructor(open: OpenLog) {
    this.#open = open;
  }

  get nodes(): readonly Node[] {
    return this.#opened.nodes;
  }

  /** @returns the same node twice where there is but one */
  async start(bounds = WIDE): Promise<{ first: Node; last: Node }> {
    this.#opened = await this.#open(bounds);
    const [first, last] = [this.nodes[0], this.nodes.at(-1)];
    if (first === undefined || last === undefined) throw new Error('open gave no bus');
    return { first, last };
  }

  /** Each node has in its history what was published before. */
  async fence(): Promise<void> {
    // By what it says: something else on that channel may be on its way still.
    const fences = () =>
      this.nodes.map(({ heard }) => heard.on('broadcast').filter((text) => text === 'fence').length);
    const before = fences();
    await this.nodes[0]?.bus.publish('broadcast', 'fence');
    await until(
      () => fences().every((count, i) => count > (before[i] ?? 0)),
      'every node has heard the fence',
    );
  }

  async stop(): Promise<void> {
    const { stop } = this.#opened;
    this.#opened = { nodes: [], stop: async () => {} };
    await stop();
  }
}

export function placeOf(text: string | null): Position {
  const position = parsePosition(text ?? '');
  if (position === null) throw new Error(`not a position: ${text}`);
  return position;
}

type End = Parameters<Resumption['live']>[1];

/** What somebody was given who came back. */
export interface Back {
  readonly pages: (readonly HistoryItem[])[];
  readonly items: HistoryItem[];
  live: ({ readonly items: readonly HistoryItem[] } & End) | null;
}

export interface ComeBack {
  readonly from: string | null;
  readonly channels: readonly string[];
  readonly signal?: AbortSignal;
  readonly onPage?: (items: readonly HistoryItem[]) => Promise<void>;
  readonly onLive?: (items: readonly HistoryItem[]) => void;
}

/** @throws Error whatever `onPage` throws, or where anything is given after going live */
export async function comeBack(bus: Bus, options: ComeBack): Promise<Back> {
  const { from, channels, signal = new AbortController().signal, onPage, onLive } = options;
  const back: Back = { pages: [], items: [], live: null };
  const take = (items: readonly HistoryItem[]) => {
    if (back.live !== null) throw new Error('given something after going live');
    back.items.push(...items);
  };
  await bus.resume({
    from,
    channels: new Set(channels),
    signal,
    page: async (items) => {
      take(items);
      back.pages.push(items);
      await onPage?.(items);
    },
    live: (items, end) => {
      take(items);
      back.live = { items, ...end };
      onLive?.(items);
    },
  });
  return back;
}

/** As texts, in the order in which they came. */
export function given({ items }: Back): string[] {
  return items.map((item) =>
    item.type === 'entry' ? `${item.channel} ${item.payload}` : `gap ${item.reason}`,
  );
}

/** One member, who hears a channel from the turn on in which he goes live. */
export function joinLive(heard: Heard, channel: string) {
  const got: [position: string, text: string][] = [];
  let joined = false;
  heard.onDeliver = (on, text) => {
    if (joined && on === channel) got.push([heard.positions.at(-1) ?? '', text]);
  };
  const onLive = (items: readonly HistoryItem[]) => {
    for (const item of items) if (item.type === 'entry') got.push([item.position, `${item.payload}`]);
    joined = true;
  };
  return { got, onLive };
}

export function positionOf({ deliveries, positions }: Heard, channel: string, text: string): string | null {
  return positions[deliveries.findIndex((d) => d.channel === channel && `${d.payload}` === text)] ?? null;
}

/** In this order, in bursts that the connection takes. */
export async function publishAll(
  bus: Bus,
  sent: readonly { readonly channel: string; readonly payload: string }[],
): Promise<void> {
  for (let i = 0; i < sent.length; i += 500)
    await Promise.all(sent.slice(i, i + 500).map(({ channel, payload }) => bus.publish(channel, payload)));
}
