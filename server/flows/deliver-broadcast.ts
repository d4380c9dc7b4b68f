import {
  type CustomMessage,
  decodeCustomMessage,
  decodeLaravelEvent,
  decodePayload,
  isDropped,
  type LaravelEvent,
} from '../broker/bus/laravel-wire.ts';
import { decodeRoomEnvelope, type RoomEnvelope } from '../broker/bus/room-envelope.ts';
import { type Broadcast, EVERYBODY, type Recipients } from '../domain/broadcast.ts';
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
  parts.hub.deliver(
    name.wire,
    kinds,
    { type: 'event', event: event.event, data: event.data },
    recipients,
    position,
  );
  if (isMessage && (name.kind === 'private' || name.kind === 'presence'))
    deliverCopies(parts, name, event, position);
}

/** A Laravel event `message` on private-X or presence-X is a message of room X for those who are in it otherwise. */
function deliverCopies(
  parts: DeliveryParts,
  name: ChannelName,
  event: LaravelEvent,
  position: string | null,
): void {
  const { definition, explicit } = parts.channels.of(name.base);
  if (!definition.echo) return;
  if (!event.data.startsWith('{')) return parts.drops.dropped(name.wire, 'bad_data');
  const shaped = parts.channels.shape(name.base, withoutJsonKey(event.data, 'socket'));
  if (isRejection(shaped)) return parts.drops.dropped(name.wire, 'bad_data', { fault: shaped.message });
  const broadcast: Broadcast = { type: 'message', sender: systemUser(parts), data: shaped.data };
  const recipients = { exceptSocketId: event.socketId, userId: shaped.userId };
  parts.hub.deliver(name.base, ['token'], broadcast, recipients, position);
  if (!explicit) return;
  const [wire, kind] =
    name.kind === 'private' ? (['presence', 'presence'] as const) : (['private', 'private'] as const);
  parts.hub.deliver(`${wire}-${name.base}`, [kind], broadcast, recipients, position);
}

function deliverToRoom(
  parts: DeliveryParts,
  base: string,
  broadcast: Broadcast,
  recipients: Recipients,
  position: string | null,
): void {
  parts.meters.broadcast('message');
  parts.hub.deliver(base, ['token'], broadcast, recipients, position);
  if (!parts.channels.of(base).definition.echo) return;
  parts.hub.deliver(`private-${base}`, ['private'], broadcast, recipients, position);
  parts.hub.deliver(`presence-${base}`, ['presence'], broadcast, recipients, position);
}

/** Who Laravel's own messages come from (protocol.md section 3). */
function systemUser(parts: DeliveryParts): Sender {
  return { idJson: '0', name: parts.settings.systemUserName };
}
