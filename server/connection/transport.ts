import type { Frame } from '../domain/frame.ts';
import type { Closure, Revocation } from '../domain/outcome.ts';

/** What a connection needs of its protocol: the way to one client. Nothing here may throw. */
export interface Transport {
  /** Sends in order with everything else that this client is sent; nothing happens on a closed one. */
  write(frame: Frame): void;
  /** Bytes that wait for a slow reader. */
  bufferedBytes(): number;
  /** Hands on what is still gathered for one system call: until then it waits for nobody but us. */
  flush(): void;
  /** Tells the client that one subscription has ended (the flow has ended it already). */
  revoked(wire: string, revocation: Revocation): void;
  /** Tells the client why, then ends its connection so that it comes back or not, as the code advises. */
  close(closure: Closure): void;
}
