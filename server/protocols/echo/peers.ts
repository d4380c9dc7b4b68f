import { createAdapter } from '@socket.io/redis-adapter';
import type { Server } from 'socket.io';
import { UnavailableError } from '../../domain/outcome.ts';

/** Redis clients in the shape that the adapter takes. */
export interface AdapterClients {
  readonly pub: unknown;
  readonly sub: unknown;
}

type Counts = ReadonlyMap<string, number>;

const COUNTS = 'yamabiko:counts';

/**
 * What nodes ask of each other (design.md, journey 5), over @socket.io/redis-adapter. It carries questions, never
 * the data: a Laravel event handed to Socket.IO's cluster broadcast on each of N nodes would arrive N times.
 */
export class Peers {
  readonly #io: Server;
  readonly #timeoutMs: number;

  /**
   * @param key what the adapter's channels begin with
   * @param timeoutMs how long the others may take to answer, in milliseconds
   * @param counts this node's own answer
   */
  constructor(
    io: Server,
    options: { clients: AdapterClients; key: string; timeoutMs: number; counts: () => Counts },
  ) {
    this.#io = io;
    this.#timeoutMs = options.timeoutMs;
    const { pub, sub } = options.clients;
    io.adapter(createAdapter(pub, sub, { key: options.key, requestsTimeout: options.timeoutMs }));
    io.on(COUNTS, (answer: (counts: [string, number][]) => void) => answer([...options.counts()]));
  }

  /**
   * What each of the other nodes counts.
   * @throws UnavailableError where not all of them answered in time. The adapter itself never settles while Redis
   *   is down, so there is a clock of our own.
   */
  async ask(_question: 'counts'): Promise<Counts[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new UnavailableError('the other nodes did not answer in time');
      timer = setTimeout(() => reject(error), this.#timeoutMs * 1.5);
    });
    try {
      const answers = await Promise.race([this.#io.serverSideEmitWithAck(COUNTS), late]);
      return answers.map(decodeCounts);
    } catch (cause) {
      throw cause instanceof UnavailableError
        ? cause
        : new UnavailableError('a node did not answer', { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Another node's answer; what an old or foreign one says is left out. */
function decodeCounts(answer: unknown): Counts {
  const counts = new Map<string, number>();
  for (const entry of Array.isArray(answer) ? answer : []) {
    const [wire, count] = Array.isArray(entry) ? entry : [];
    if (typeof wire === 'string' && Number.isSafeInteger(count)) counts.set(wire, count as number);
  }
  return counts;
}
