import {
  type CustomMessage,
  decodeCustomMessage,
  decodeLaravelEvent,
  decodePayload,
  isDropped,
  type LaravelEvent,
} from '../broker/bus/laravel-wire.ts';
import { decodeRoomEnvelope, type RoomEnvelope } from '../broker/bus/room-envelope.ts';
import { type Broadcast, type Destination, EVERYBODY, type Recipients } from '../domain/broadcast.ts';
import { type ChannelName, CUSTOM_CHANNEL, parseBaseName, parseChannelName } from '../domain/channel-name.ts';
import { withoutJsonKey } from '../domain/json-text.ts';
import { isRejection } from '../domain/outcome.ts';
import type { Sender } from '../domain/sender.ts';
import type { SubscriptionKind } from '../domain/subscription.ts';
import type { FlowMeters, Parts } from './parts.ts';

/** What the delivery path works with: the node's own parts, or those of a replay to somebody who comes back. */
export interface DeliveryParts extends Pick<Parts, 'reserved' | 'channels' | 'settings'> {
  readonly hub: Pick<Parts['hub'], 'deliver'>;
  readonly views: Pick<Parts['views'], 'get'>;
  readonly sends: Pick<Parts['sends'], 'arrived'>;
  readonly drops: Pick<Parts['drops'], 'dropped'>;
  readonly meters: Pick<FlowMeters, 'broadcast'>;
}

const KINDS_ON: Record<ChannelName['kind'], readonly SubscriptionKind[]> = {
  public: ['public', 'token'],
  private: ['private'],
  presence: ['presence'],
  encrypted: ['encrypted'],
};

/**
 * The one delivery path (design.md, journeys 1 and 3): whatever was published, by Laravel, by another node or by
 * a client of this one, comes here from the bus, in the bus's order, and goes to this node's own connections.
 * Anything that is not for us is dropped with a reason and counted; it never stops the reader. What a client missed
 * goes the same way, so that it is routed as it would have been live.
 */
export function deliverBroadcast(
  parts: DeliveryParts,
  channel: string,
  bytes: Buffer,
  position: string | null,
): void {
  // Before it is read, which takes longest. What nodes write themselves was measured before it was published.
  if (bytes.length > parts.settings.maxEventBytes && !isOwnEnvelope(bytes))
    return parts.drops.dropped(channel, 'too_large', { bytes: bytes.length });
  const payload = decodePayload(bytes);
  if (isDropped(payload)) return parts.drops.dropped(channel, payload.dropped);
  if (channel === CUSTOM_CHANNEL) {
    const message = decodeCustomMessage(payload);
    return isDropped(message)
      ? parts.drops.dropped(channel, message.dropped)
      : deliverCustom(parts, message, position);
  }
  const name = parseChannelName(channel, parts.reserved);
  if (isRejection(name)) return parts.drops.dropped(channel, 'bad_channel');
  if (Object.hasOwn(payload.parsed, 'yamabiko') && !Object.hasOwn(payload.parsed, 'event')) {
    const envelope = decodeRoomEnvelope(payload.text, payload.parsed);
    return envelope === null
      ? parts.drops.dropped(channel, 'bad_envelope')
      : deliverEnvelope(parts, name, envelope, position);
  }
  const event = decodeLaravelEvent(payload);
  return isDropped(event)
    ? parts.drops.dropped(channel, event.dropped)
    : deliverEvent(parts, name, event, position);
}

/** Announcements of members above all: without them a join would wait in vain. */
function isOwnEnvelope(bytes: Buffer): boolean {
  return bytes.subarray(0, OWN_ENVELOPE.length).equals(OWN_ENVELOPE);
}

const OWN_ENVELOPE = Buffer.from('{"yamabiko":');

function deliverCustom(parts: DeliveryParts, message: CustomMessage, position: string | null): void {
  const base = parseBaseName(message.channel, parts.reserved);
  if (isRejection(base)) return parts.drops.dropped(CUSTOM_CHANNEL, 'bad_channel');
  const shaped = parts.channels.shape(base, message.data);
  if (isRejection(shaped))
    return parts.drops.dropped(CUSTOM_CHANNEL, 'bad_data', { room: base, fault: shaped.message });
  const broadcast: Broadcast = {
    type: 'message',
    sender: message.sender ?? systemUser(parts),
    data: shaped.data,
  };
  deliverToRoom(parts, base, broadcast, { exceptSocketId: null, userId: shaped.userId }, position);
}

function deliverEnvelope(
  parts: DeliveryParts,
  name: ChannelName,
  envelope: RoomEnvelope,
  position: string | null,
): void {
  switch (envelope.type) {
    case 'message': {
      // The sender is told that it was taken before he gets his own copy.
      parts.sends.arrived(envelope.ref);
      const { sender, data, userId } = envelope;
      return deliverToRoom(
        parts,
        name.base,
        { type: 'message', sender, data },
        { exceptSocketId: null, userId },
        position,
      );
    }
    case 'joined':
    case 'left': {
      if (parts.views.get(name.wire)?.apply(envelope) !== true) return;
      return announce(parts, name.wire, { type: envelope.type, member: envelope.member }, position);
    }
    default:
      return envelope satisfies never;
  }
}

/** Tells this node's clients of a room that somebody came or left. @param room the room's key */
export function announce(
  parts: DeliveryParts,
  room: string,
  broadcast: Extract<Broadcast, { type: 'joined' | 'left' }>,
  position: string | null,
): void {
  parts.meters.broadcast(broadcast.type);
  // The room of an `echo: false` definition's presence-X bears that wire name as its key.
  if (room.startsWith('presence-'))
    return parts.hub.deliver(room, ['presence'], broadcast, EVERYBODY, position);
  parts.hub.deliver(room, ['token'], broadcast, EVERYBODY, position);
  if (parts.channels.of(room).definition.echo) {
    parts.hub.deliver(`presence-${room}`, ['presence'], broadcast, EVERYBODY, position);
  }
}

function deliverEvent(
  parts: DeliveryParts,
  name: ChannelName,
  event: LaravelEvent,
  position: string | null,
): void {
  parts.meters.broadcast('event');
  const isMessage = event.event === 'message';
  // On a JWT subscription of plain X, `message` is always a room message: Laravel's of that name stays outside.
  const kinds = name.kind === 'public' && isMessage ? (['public'] as const) : KINDS_ON[name.kind];
  const recipients = { exceptSocketId: event.socketId, userId: null };
  const broadcast: Broadcast = { type: 'event', event: event.event, data: event.data };
  const { wire } = name;
  if (!isMessage || (name.kind !== 'private' && name.kind !== 'presence'))
    return parts.hub.deliver(wire, kinds, broadcast, recipients, position);
  deliverOnEach(parts, [{ wire, kinds, broadcast, recipients }, ...copiesOf(parts, name, event)], position);
}

/** Where one broadcast goes to. */
interface Target extends Destination {
  readonly broadcast: Broadcast;
}

/** A connection that is on several of these has got as far as the position with the last one alone. */
function deliverOnEach(parts: DeliveryParts, targets: readonly Target[], position: string | null): void {
  for (const [i, { wire, kinds, broadcast, recipients }] of targets.entries())
    parts.hub.deliver(wire, kinds, broadcast, recipients, position, targets.slice(i + 1));
}

/** A Laravel event `message` on private-X or presence-X is a message of room X for those who are in it otherwise. */
function copiesOf(parts: DeliveryParts, name: ChannelName, event: LaravelEvent): Target[] {
  const { definition, explicit } = parts.channels.of(name.base);
  if (!definition.echo) return [];
  if (!event.data.startsWith('{')) {
    parts.drops.dropped(name.wire, 'bad_data');
    return [];
  }
  const shaped = parts.channels.shape(name.base, withoutJsonKey(event.data, 'socket'));
  if (isRejection(shaped)) {
    parts.drops.dropped(name.wire, 'bad_data', { fault: shaped.message });
    return [];
  }
  const broadcast: Broadcast = { type: 'message', sender: systemUser(parts), data: shaped.data };
  const recipients = { exceptSocketId: event.socketId, userId: shaped.userId };
  const onToken: Target = { wire: name.base, kinds: ['token'], broadcast, recipients };
  if (!explicit) return [onToken];
  const other = name.kind === 'private' ? 'presence' : 'private';
  return [onToken, { wire: `${other}-${name.base}`, kinds: [other], broadcast, recipients }];
}

function deliverToRoom(
  parts: DeliveryParts,
  base: string,
  broadcast: Broadcast,
  recipients: Recipients,
  position: string | null,
): void {
  parts.meters.broadcast('message');
  const all = { broadcast, recipients };
  const targets: Target[] = [{ wire: base, kinds: ['token'], ...all }];
  if (parts.channels.of(base).definition.echo)
    targets.push(
      { wire: `private-${base}`, kinds: ['private'], ...all },
      { wire: `presence-${base}`, kinds: ['presence'], ...all },
    );
  deliverOnEach(parts, targets, position);
}

/** Who Laravel's own messages come from (protocol.md section 3). */
function systemUser(parts: DeliveryParts): Sender {
  return { idJson: '0', name: parts.settings.systemUserName };
}
