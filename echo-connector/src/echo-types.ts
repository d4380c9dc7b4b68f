import type { YamabikoChannel, YamabikoPresenceChannel, YamabikoPrivateChannel } from './channels.ts';
import type { ConnectionStatus } from './connection-status.ts';
import { YamabikoConnector } from './connector.ts';
import type { YamabikoOptions } from './options.ts';

/**
 * An Echo with this connector, as TypeScript should see it; Echo's own types make every channel of a custom
 * broadcaster `any`. With laravel-echo 2: `const echo: YamabikoEcho = new Echo<'function'>({...})`; with 1.16:
 * `new Echo({...}) as unknown as YamabikoEcho`.
 */
export interface YamabikoEcho {
  readonly connector: YamabikoConnector;
  channel(channel: string): YamabikoChannel;
  private(channel: string): YamabikoPrivateChannel;
  join(channel: string): YamabikoPresenceChannel;
  listen<Data = unknown>(channel: string, event: string, callback: (data: Data) => void): YamabikoChannel;
  leave(channel: string): void;
  leaveChannel(wireName: string): void;
  leaveAllChannels(): void;
  socketId(): string | undefined;
  /** Only with laravel-echo 2; the connector has it for both. */
  connectionStatus(): ConnectionStatus;
  disconnect(): void;
}

/**
 * What `configureEcho` of @laravel/echo-react and @laravel/echo-vue takes. Their types know Echo's own drivers
 * by name and nothing else, though a class works; so it is told the nearest of those, whose channels are typed
 * with methods that ours have too.
 */
export interface YamabikoBroadcaster {
  readonly broadcaster: 'socket.io';
  readonly [option: string]: unknown;
}

/** `configureEcho(yamabikoBroadcaster({ host, token }))` */
export function yamabikoBroadcaster(options: Omit<YamabikoOptions, 'broadcaster'>): YamabikoBroadcaster {
  const broadcaster: unknown = YamabikoConnector;
  return { ...options, broadcaster: broadcaster as 'socket.io' };
}
