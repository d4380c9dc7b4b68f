import type { NodeFacts } from './describe-node.ts';
import type { EndUser } from './end-user.ts';
import type { Answers, QuestionName, Questions } from './node-questions.ts';

/** The way to the other nodes. */
export interface Peers {
  /** @throws UnavailableError where one of them did not answer in time; the others have done what was asked */
  ask<Q extends QuestionName>(name: Q, payload?: Questions[Q]['payload']): Promise<Questions[Q]['answer'][]>;
}

/** Where there are no other nodes. */
export const NO_PEERS: Peers = { ask: async () => [] };

/** What an operator and an application may do over all nodes: this one's own answer, and the others'. */
export class NodeOperations {
  readonly #own: Answers;
  readonly #peers: Peers;

  constructor(own: Answers, peers: Peers) {
    this.#own = own;
    this.#peers = peers;
  }

  /** Ends a user on every node. @returns how many connections or subscriptions. @throws UnavailableError */
  async endUser(end: EndUser): Promise<number> {
    const ended = [this.#own.endUser(end), ...(await this.#peers.ask('endUser', end))];
    return ended.reduce((total, count) => total + count, 0);
  }

  /** Every living node. @throws UnavailableError */
  async nodes(): Promise<NodeFacts[]> {
    const nodes = [this.#own.node(null), ...(await this.#peers.ask('node'))];
    return nodes.filter((node) => node !== null);
  }
}
