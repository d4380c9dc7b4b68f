import type { ChannelName } from '../domain/channel-name.ts';
import type { SubscriptionKind } from '../domain/subscription.ts';
import type { Channels } from './parts.ts';

/**
 * Which room a subscription belongs to, named by the bus channel that the room's traffic travels on (protocol.md
 * section 1): X for all its ways in. Where the definition says `echo: false`, room X is the JWT channel alone,
 * and presence-X keeps a list of its own.
 */
export function roomOf(channel: ChannelName, kind: SubscriptionKind, channels: Channels): string | null {
  switch (kind) {
    case 'public':
    case 'encrypted':
      return null;
    case 'token':
      return channel.base;
    case 'private':
      return channels.of(channel.base).definition.echo ? channel.base : null;
    case 'presence':
      return channels.of(channel.base).definition.echo ? channel.base : channel.wire;
    default:
      return kind satisfies never;
  }
}

/** Where a channel's comings and goings belong, for the one order in which Laravel is told of a room. */
export function orderOf({ kind, base, wire }: ChannelName, channels: Channels): string {
  return kind === 'presence' && !channels.of(base).definition.echo ? wire : base;
}

/** The channel by which Laravel knows a room's members: Echo's, save where Echo has no part in the room. */
export function memberChannelOf(room: string, channels: Channels): string {
  return room.startsWith('presence-') || !channels.of(room).definition.echo ? room : `presence-${room}`;
}

/** Whether a subscription takes part in its room's member list. */
export function listsMembers(channel: ChannelName, kind: SubscriptionKind, channels: Channels): boolean {
  return (kind === 'token' || kind === 'presence') && channels.of(channel.base).definition.users;
}

/**
 * The bus channels that a subscription hears: its own wire name, its room's, and those whose Laravel event
 * `message` is a message of its room.
 */
export function followsOf(channel: ChannelName, kind: SubscriptionKind, channels: Channels): string[] {
  const { wire, base } = channel;
  const { definition, explicit } = channels.of(base);
  const room = roomOf(channel, kind, channels);
  const follows = new Set([wire]);
  if (room !== null) follows.add(room);
  if (room === base && definition.echo) {
    if (kind === 'token' || (kind === 'private' && explicit)) follows.add(`presence-${base}`);
    if (kind === 'token' || (kind === 'presence' && explicit)) follows.add(`private-${base}`);
  }
  return [...follows];
}
