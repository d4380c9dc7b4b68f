import type { Connection } from '../connection/connection.ts';
import type { Parts } from './parts.ts';

/** One command of a client, as its protocol decoded it. */
export interface Command {
  /** Commands of one key run one after the other: the channel's wire name. */
  readonly key: string;
  /** About what it holds while it waits, in bytes. */
  readonly bytes: number;
  /** Says in the log what it was. */
  readonly stage: string;
  run(): Promise<void> | void;
  /** Called where `run` failed by a fault of ours, which is logged here, once, and never blamed on the client. */
  failed(): void;
}

/**
 * The boundary of every command: queued under its channel, and nothing is thrown out of it.
 * @returns false where too many commands of this connection wait already
 */
export function runCommand(parts: Parts, connection: Connection, command: Command): boolean {
  return connection.commands.run(command.key, command.bytes, async () => {
    // What waited behind an end has nobody to answer to.
    if (connection.ending) return;
    try {
      await command.run();
    } catch (error) {
      parts.log.error({ err: error, connection: connection.id, stage: command.stage }, 'a command failed');
      command.failed();
    }
  });
}
