import { type Rejection, reject } from '../domain/outcome.ts';
import type { Grant } from '../domain/subscription.ts';
import type { Access, AccessQuestion } from './access.ts';

/**
 * Asks each access in order; the first that answers decides (protocol.md section 6, "Which auth"). The order is
 * token, public, Laravel: a token decides for public names too, and Laravel is never asked about those.
 */
export class AccessChain implements Access {
  readonly #accesses: readonly Access[];

  constructor(accesses: readonly Access[]) {
    this.#accesses = accesses;
  }

  async decide(question: AccessQuestion): Promise<Grant | Rejection> {
    for (const access of this.#accesses) {
      if (question.signal.aborted) return reject('cancelled', 'nobody waits for this answer any more');
      const answer = await access.decide(question);
      if (answer !== null) return answer;
    }
    return reject(
      'forbidden',
      'nobody opens this channel: there is no token and no auth endpoint is configured',
    );
  }
}
