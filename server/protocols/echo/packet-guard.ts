import { TokenBucket } from '../../connection/token-bucket.ts';

interface Packet {
  readonly type: string;
  readonly data?: unknown;
}

interface Session {
  on(event: 'packet', listener: (packet: Packet) => void): void;
  close(discard: boolean): void;
}

/** Far above what a client needs: a ping now and then, one CONNECT, an upgrade. */
const BURST = 100;
const PER_SECOND = 50;

/** Socket.IO's type of an event without binary parts. */
const EVENT = '2';

/**
 * Ends a session whose client sends the packets of Engine.IO and Socket.IO themselves without end: pings, CONNECTs (each
 * makes a socket until the first is through), names of namespaces that there are not. Events are left to the rates of
 * their commands.
 */
export function guardPackets(session: Session): void {
  const bucket = new TokenBucket(BURST, PER_SECOND);
  session.on('packet', ({ type, data }) => {
    if (type === 'message' && typeof data === 'string' && data.startsWith(EVENT)) return;
    if (!bucket.take()) session.close(true);
  });
}
