import type { NodeFacts } from './describe-node.ts';
import type { EndUser } from './end-user.ts';

/** What nodes ask of each other: what goes with the question, and what comes back. */
export interface Questions {
  /** How many subscriptions there are, by wire name. */
  readonly counts: { readonly payload: null; readonly answer: ReadonlyMap<string, number> };
  /** End a user; how many connections or subscriptions it were. */
  readonly endUser: { readonly payload: EndUser; readonly answer: number };
  /** Who are you? */
  readonly node: { readonly payload: null; readonly answer: NodeFacts | null };
}

export type QuestionName = keyof Questions;

/** One node's own answers. */
export type Answers = {
  readonly [Q in QuestionName]: (payload: Questions[Q]['payload']) => Questions[Q]['answer'];
};

interface Question<Payload, Answer> {
  /** @returns undefined where it makes no sense */
  decodePayload(payload: unknown): Payload | undefined;
  encodeAnswer(answer: Answer): unknown;
  /** Of an old or foreign node's answer, what can be read. */
  decodeAnswer(answer: unknown): Answer;
}

export const QUESTIONS: {
  readonly [Q in QuestionName]: Question<Questions[Q]['payload'], Questions[Q]['answer']>;
} = {
  counts: {
    decodePayload: () => null,
    encodeAnswer: (counts) => [...counts],
    decodeAnswer(answer) {
      const counts = new Map<string, number>();
      for (const entry of Array.isArray(answer) ? answer : []) {
        const [wire, count] = Array.isArray(entry) ? entry : [];
        if (typeof wire === 'string' && Number.isSafeInteger(count)) counts.set(wire, count as number);
      }
      return counts;
    },
  },
  endUser: {
    decodePayload(payload) {
      const { userId, wire } = (payload ?? {}) as Record<string, unknown>;
      if (typeof userId !== 'string' || (wire !== null && typeof wire !== 'string')) return undefined;
      return { userId, wire };
    },
    encodeAnswer: (ended) => ended,
    decodeAnswer: (answer) => (Number.isSafeInteger(answer) ? (answer as number) : 0),
  },
  node: {
    decodePayload: () => null,
    encodeAnswer: (facts) => facts,
    decodeAnswer(answer) {
      const { id, version, uptimeSeconds, connections, channels } = (answer ?? {}) as Record<string, unknown>;
      const numbers = [uptimeSeconds, connections, channels];
      if (typeof id !== 'string' || typeof version !== 'string' || !numbers.every(Number.isFinite))
        return null;
      return answer as NodeFacts;
    },
  },
};
