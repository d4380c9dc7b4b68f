export { YamabikoChannel, YamabikoPresenceChannel, YamabikoPrivateChannel } from './channels.ts';
export type { ConnectionStatus } from './connection-status.ts';
export { YamabikoConnector } from './connector.ts';
export { type YamabikoBroadcaster, type YamabikoEcho, yamabikoBroadcaster } from './echo-types.ts';
export type { YamabikoOptions } from './options.ts';
export type { KeepPositions, PositionStorage } from './position-keeper.ts';
export type { TokenSource } from './token-source.ts';
export type { Gap, Member, Recovery, Refusal, RoomMessage, Sender, YamabikoCode } from './wire.ts';
export { YamabikoError } from './yamabiko-error.ts';
