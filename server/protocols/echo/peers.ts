import { createAdapter } from '@socket.io/redis-adapter';
import type { Server } from 'socket.io';
import { UnavailableError } from '../../domain/outcome.ts';
import { type Answers, QUESTIONS, type QuestionName, type Questions } from '../../flows/node-questions.ts';
import type { Peers } from '../../flows/operate-nodes.ts';

/** Redis clients in the shape that the adapter takes. */
export interface AdapterClients {
  readonly pub: unknown;
  readonly sub: unknown;
  readonly nodeId: string;
  /** False while Redis is known to be away: a question would be answered by nobody. */
  reachable(): boolean;
  /** The ids of all nodes that live, this one's too: each has to answer. @throws UnavailableError */
  living(): Promise<ReadonlySet<string>>;
}

interface PeersOptions {
  readonly clients: AdapterClients;
  /** What the adapter's channels begin with. */
  readonly key: string;
  /** How long the others may take to answer, in milliseconds. */
  readonly timeoutMs: number;
  /** This node's own answers. */
  readonly answers: Answers;
}

/**
 * What nodes ask of each other (design.md, journey 5), over @socket.io/redis-adapter. It carries questions, never
 * the data: a Laravel event handed to Socket.IO's cluster broadcast on each of N nodes would arrive N times.
 */
export class AdapterPeers implements Peers {
  readonly #io: Server;
  readonly #clients: AdapterClients;
  readonly #timeoutMs: number;

  constructor(io: Server, { clients, key, timeoutMs, answers }: PeersOptions) {
    this.#io = io;
    this.#clients = clients;
    this.#timeoutMs = timeoutMs;
    io.adapter(createAdapter(clients.pub, clients.sub, { key, requestsTimeout: timeoutMs }));
    for (const name of Object.keys(QUESTIONS) as QuestionName[])
      answerQuestion(io, name, answers, clients.nodeId);
  }

  /**
   * What each of the other nodes answers.
   *
   * The adapter waits for as many answers as Redis counts subscribers. That is too few while a node connects anew, or
   * this one does, and it tells not whose they are: so each bears its node's name, and each living node must be among them.
   * @throws UnavailableError at once while Redis is known to be away; else where not all of them did so in time, and
   *   what is asked may have been done by those that did. The adapter itself never settles where Redis goes down
   *   meanwhile, so there is a clock of our own.
   */
  async ask<Q extends QuestionName>(
    name: Q,
    payload?: Questions[Q]['payload'],
  ): Promise<Questions[Q]['answer'][]> {
    if (!this.#clients.reachable()) throw new UnavailableError('the other nodes cannot be asked');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new UnavailableError('the other nodes did not answer in time');
      timer = setTimeout(() => reject(error), this.#timeoutMs * 1.5);
    });
    try {
      const living = this.#clients.living();
      const asked = this.#io.serverSideEmitWithAck(eventOf(name), payload ?? null);
      const [nodes, answers] = await Promise.race([Promise.all([living, asked]), late]);
      const byNode = answersByNode(answers);
      for (const node of nodes)
        if (node !== this.#clients.nodeId && !byNode.has(node))
          throw new UnavailableError('a node did not hear the question');
      return [...byNode.values()].map((answer) => QUESTIONS[name].decodeAnswer(answer));
    } catch (cause) {
      throw cause instanceof UnavailableError
        ? cause
        : new UnavailableError('a node did not answer', { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}

function eventOf(name: QuestionName): string {
  return `yamabiko:${name}`;
}

/** What bears no node's name is none of ours. */
function answersByNode(answers: readonly unknown[]): Map<string, unknown> {
  const byNode = new Map<string, unknown>();
  for (const named of answers) {
    const { node, answer } = (named ?? {}) as Record<string, unknown>;
    if (typeof node === 'string') byNode.set(node, answer);
  }
  return byNode;
}

/** A question of an old or foreign node that makes no sense is not answered: the asker's clock tells him. */
function answerQuestion<Q extends QuestionName>(io: Server, name: Q, answers: Answers, node: string): void {
  io.on(eventOf(name), (payload: unknown, answer: unknown) => {
    const asked = QUESTIONS[name].decodePayload(payload);
    if (asked === undefined || typeof answer !== 'function') return;
    answer({ node, answer: QUESTIONS[name].encodeAnswer(answers[name](asked)) });
  });
}
