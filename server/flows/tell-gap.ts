import type { Connection } from '../connection/connection.ts';
import type { Frame } from '../domain/frame.ts';

/** Tells one connection that broadcasts of a channel are missing, without a position: it moves nothing on. */
export function tellGap(connection: Connection, wire: string, reason: string): void {
  const write = (frame: Frame) => {
    connection.write(frame);
    return 1;
  };
  connection.protocol.deliver({ wire, write }, { type: 'gap', reason }, null);
}
