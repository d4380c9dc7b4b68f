import type { ClientSocket } from '../support/socket-io.ts';

/** A publication as any Redis subscriber hears it. */
export interface Publication {
  readonly channel: string;
  readonly payload: string;
}

/** Laravel's own bytes between the keys that its broadcaster writes around them. */
const EVENT = /^\{"event":("(?:[^"\\]|\\.)*"),"data":(.*),"socket":(null|"[^"]*")\}$/s;
const CUSTOM = /^\{"channel":"([^"]*)","data":(.*),"type":"message"\}$/s;
/** Of the tests, by which they know that all before it has come. */
export const SYNC_EVENT = 'test-sync';
export const SYNC_CHANNEL = 'public.sync';
const OWN_EVENT = /^2\["(presence:|subscription_|test-sync)/;

/** Every event's packet of a socket from now on, byte for byte, but not the protocol's own. */
export function recordPackets(socket: ClientSocket): readonly string[] {
  const packets: string[] = [];
  const engine = socket.io.engine as unknown as {
    on(event: 'packet', listener: (packet: { type: string; data?: unknown }) => void): void;
  };
  engine.on('packet', ({ type, data }) => {
    if (type !== 'message' || typeof data !== 'string') return;
    if (data.startsWith('2') && !OWN_EVENT.test(data)) packets.push(withoutPosition(data));
  });
  return packets;
}

/**
 * The packets that a page subscribed to those wire names must have heard, no more and no fewer, in that order:
 * what was published, Laravel's text of `data` untouched (protocol.md section 5).
 * @param customPrefix of the custom channel, where it differs
 */
export function packetsOf(
  publications: readonly Publication[],
  prefix: string,
  wires: readonly string[],
  customPrefix = prefix,
): string[] {
  return publications.flatMap(({ channel, payload }) => {
    if (channel === `${customPrefix}broadcast`) return roomPackets(payload, wires);
    const name = channel.slice(prefix.length);
    const [, event, data = ''] = EVENT.exec(payload) ?? [];
    if (event === undefined || !wires.includes(name)) return [];
    return [`2[${event},"${name}",${withoutSocket(data)}]`];
  });
}

/**
 * A channel event ends in its position (protocol.md section 12), which Laravel did not write. Where a page hears one
 * message on several channels, only the last of them bears it.
 */
function withoutPosition(packet: string): string {
  return packet.replace(/,"\d+-\d+"\]$/, ']');
}

/** The frames that a raw session of the room must have heard of the custom channel. */
export function framesOf(publications: readonly Publication[], prefix: string, room: string): string[] {
  return publications.flatMap(({ channel, payload }) => {
    const [, name, data] = CUSTOM.exec(payload) ?? [];
    if (channel !== `${prefix}broadcast` || name !== room) return [];
    return [`{"type":"message","sender":{"name":"system","id":0},"data":${data}}`];
  });
}

function roomPackets(payload: string, wires: readonly string[]): string[] {
  const [, room, data] = CUSTOM.exec(payload) ?? [];
  return wires
    .filter((wire) => room !== undefined && wire.replace(/^(private|presence)-/, '') === room)
    .map((wire) => `2["message","${wire}",{"sender":{"name":"system","id":0},"data":${data}}]`);
}

/** A living connection's id is nobody else's business, so it alone is changed. */
function withoutSocket(data: string): string {
  return data.replace(/"socket":"[^"]*"\}$/, '"socket":null}');
}
