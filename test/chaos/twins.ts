import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Twin {
  /** Of the built server. */
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

/** Servers with one fault each, which a run must find. */
export const TWINS = {
  /** Every event comes twice. */
  twice: {
    file: 'server/hub/hub.js',
    replace: 'protocol.deliver(audience, broadcast, position);',
    by: 'protocol.deliver(audience, broadcast, position);\n                protocol.deliver(audience, broadcast, position);',
  },
  /** One event in a thousand is lost. */
  leaky: {
    file: 'server/hub/hub.js',
    replace: 'protocol.deliver(audience, broadcast, position);',
    by: "if (broadcast.type === 'joined' || broadcast.type === 'left' || Math.random() > 0.001) protocol.deliver(audience, broadcast, position);",
  },
  /** One event in two hundred comes late. */
  unordered: {
    file: 'server/hub/hub.js',
    replace: 'protocol.deliver(audience, broadcast, position);',
    by: 'if (Math.random() > 0.005) protocol.deliver(audience, broadcast, position); else setTimeout(() => protocol.deliver(audience, broadcast, position), 200);',
  },
  /** Members of a node that died stay for ever. */
  ghosts: {
    file: 'server/broker/roster/roster-upkeep.js',
    replace: '.filter((name) => name !== this.#lease.name)',
    by: '.filter(() => false)',
  },
  /** A gap is neither told nor counted. */
  silent: {
    file: 'server/broker/log/log-bus.js',
    replace: 'this.#tell((listener) => listener.gap(reason, formatPosition(at)));',
    by: '',
  },
  /** A gap is logged and counted, but no client hears of it. */
  untold: {
    file: 'server/flows/listen-to-bus.js',
    replace: "hub.deliverEverywhere({ type: 'gap', reason }, position);",
    by: '',
  },
  /** A node that stood still shows its own clients leaving. */
  selfless: {
    file: 'server/hub/room-view.js',
    replace: 'if (this.#localUsers.has(member.userId))',
    by: 'if (false)',
  },
  /** The sender hears his own whisper, and toOthers reaches everybody. */
  echoing: {
    file: 'server/hub/hub.js',
    replace: 'if (exceptSocketId !== null && listener.socketIds.includes(exceptSocketId))',
    by: 'if (false)',
  },
  /** A member is announced as often as he comes in. */
  noisy: {
    file: 'server/hub/room-view.js',
    replace: 'if (this.#members.has(member.userId))',
    by: 'if (false)',
  },
  /** A drained client is told never to come back. */
  unkind: {
    file: 'server/protocols/echo/echo-transport.js',
    replace: "if (catalogue[code].advice === 'later')",
    by: 'if (false)',
  },
  /** Who leaves is forgotten by his connection only. */
  leaking: {
    file: 'server/flows/leave-channel.js',
    replace: 'parts.meters.unsubscribed(kind);',
    by: '',
  },
  /** Whoever comes back is taken for new. */
  forgetful: {
    file: 'server/flows/arrival.js',
    replace: 'this.from = from;',
    by: 'this.from = from = null;',
  },
  /** One in two hundred of what is replayed is left out. */
  skipping: {
    file: 'server/flows/replay.js',
    replace: 'this.#at = parsePosition(item.position) ?? this.#at;',
    by: "this.#at = parsePosition(item.position) ?? this.#at;\n        if (item.type === 'entry' && Math.random() < 0.005) return;",
  },
  /** What is replayed comes twice. */
  repeating: {
    file: 'server/flows/replay.js',
    replace: 'deliverBroadcast(this.#delivery, channel, payload, position);',
    by: 'deliverBroadcast(this.#delivery, channel, payload, position); deliverBroadcast(this.#delivery, channel, payload, position);',
  },
  /** A page that comes back is not known for the one that it was. */
  uncarried: {
    file: 'server/protocols/echo/echo-session.js',
    replace: '[socket.id, ...oldSocketIds]',
    by: '[socket.id]',
  },
  /** What cannot be replayed is not told at its place. */
  hushed: {
    file: 'server/flows/replay-listener.js',
    replace: "this.protocol.deliver({ wire, write }, { type: 'gap', reason }, position);",
    by: '',
  },
  /** Positions go on while a channel of the page is still behind. */
  hasty: {
    file: 'server/flows/homecoming.js',
    replace: 'if (!this.#coming.has(coming))',
    by: 'this.#connection.positionsHeld = false;\n        if (true)',
  },
  /** The first piece of what a page sent is taken for all. */
  eager: {
    file: 'server/protocols/echo/round-trip.js',
    replace: 'if (this.#engine.protocol === CLIENT_PINGS)',
    by: 'if (true)',
  },
  /** Every second event bears no position, though nothing is behind. */
  withholding: {
    file: 'server/connection/connection.js',
    replace: 'this.positionOwed = this.positionsHeld;',
    by: 'if (Math.random() < 0.5) return this.#outbox.write(frame.withoutPosition()); this.positionOwed = this.positionsHeld;',
  },
} as const satisfies Record<string, Twin>;

export type TwinName = keyof typeof TWINS;

/** A copy of the built server with that fault in it. @throws where there is nothing to break any more */
export function buildTwin(
  name: TwinName,
  dist = process.env.CHAOS_DIST ?? join(ROOT, 'dist'),
): { main: string; discard(): void } {
  const twin: Twin | undefined = TWINS[name];
  if (twin === undefined) throw new Error(`no such twin: ${name}`);
  const source = readFileSync(join(dist, twin.file), 'utf8');
  if (!source.includes(twin.replace)) throw new Error(`${twin.file} has no ${twin.replace}`);
  const folder = mkdtempSync(join(tmpdir(), 'yamabiko-twin-'));
  cpSync(join(dist, 'server'), join(folder, 'server'), { recursive: true });
  cpSync(join(dist, 'config'), join(folder, 'config'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, twin.file), source.replace(twin.replace, twin.by));
  return {
    main: join(folder, 'server/main.js'),
    discard: () => rmSync(folder, { recursive: true, force: true }),
  };
}
