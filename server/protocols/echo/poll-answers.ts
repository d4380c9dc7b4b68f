import type { ServerResponse } from 'node:http';

/**
 * Answers of polls that have not gone out whole. A client that asks again and again over new sockets, and reads none of
 * the answers, would hold one full outbox in each; so they count against it as what waits there does.
 */
export class PollAnswers {
  readonly #bySession = new WeakMap<object, Set<ServerResponse>>();

  /** @param session Engine.IO's */
  began(session: object, response: ServerResponse): void {
    const answers = this.#bySession.get(session) ?? new Set();
    this.#bySession.set(session, answers.add(response));
    response.once('close', () => answers.delete(response));
  }

  unreadBytes(session: object): number {
    let bytes = 0;
    for (const answer of this.#bySession.get(session) ?? [])
      if (answer.writableEnded) bytes += answer.writableLength;
    return bytes;
  }
}
