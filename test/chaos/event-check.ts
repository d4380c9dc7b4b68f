import type { Journal, Published } from './journal.ts';
import type { Recorder } from './report.ts';
import { GAP, type Sight } from './sight.ts';

/**
 * On the plain bus what a client last heard before it was cut says when it stopped hearing; but what was published
 * so long before the cut should have come, in milliseconds.
 */
const STALLED_AFTER_MS = 15_000;

/** Compares what subscriptions heard with what Redis published: nothing twice, in Redis's order, nothing silently lost. */
export class EventCheck {
  readonly #journal: Journal;
  readonly #recorder: Recorder;
  readonly #storyOf: (client: string) => string;

  constructor(journal: Journal, recorder: Recorder, storyOf: (client: string) => string) {
    this.#journal = journal;
    this.#recorder = recorder;
    this.#storyOf = storyOf;
  }

  /** As an event arrives; the rest is compared later, since the journal may hear it after the client. */
  arrived(sight: Sight, id: string): void {
    this.#recorder.count('events delivered');
    if (sight.ids.has(id)) return this.#accuse('repeated', sight, id);
    sight.ids.add(id);
    sight.heard.push(id);
  }

  /** The client was told at this place that events may be missing. */
  toldOfGap(sight: Sight): void {
    this.#recorder.count('gaps told to clients');
    sight.heard.push(GAP);
  }

  /** What this subscription should have heard up to an entry and has not, nor was told of. Changes nothing. */
  missing(sight: Sight, upTo = this.#journal.entries.length): Published[] {
    const heard = sight.heard.map((id) => (id === GAP ? -1 : (this.#journal.get(id)?.index ?? -1)));
    const indexes = new Set([...sight.indexes, ...heard]);
    const first = sight.firstIndex ?? heard.find((index) => index >= 0) ?? null;
    const missing: Published[] = [];
    for (let index = sight.cursor; index < upTo; index++) {
      const entry = this.#journal.entries[index] as Published;
      if (indexes.has(index) || !sight.concerns(entry)) continue;
      if (entry.begunAt <= sight.subscribedAt && (first === null || index < first)) continue;
      missing.push(entry);
    }
    return missing;
  }

  /** What is still to come, for all that was told. */
  awaits(sight: Sight): boolean {
    this.#compareHeard(sight, false);
    return this.missing(sight).some((entry) => !wasTold(sight, entry) && !sight.options.node.told(entry));
  }

  /** Settles what has been heard until now. A sight that goes on must be caught up, or what is missing is lost. */
  settle(sight: Sight): void {
    this.#compareHeard(sight, true);
    const upTo = sight.endedAt === null ? this.#journal.entries.length : this.#endOf(sight);
    for (const entry of this.missing(sight, upTo)) {
      const isTold = wasTold(sight, entry);
      if (!isTold && !sight.options.node.told(entry)) {
        this.#accuse('lost silently', sight, entry.id);
        continue;
      }
      this.#recorder.count('events lost in a told gap');
      // Raw clients have no frame for it.
      if (!sight.options.raw && !isTold) this.#accuse('gap not told to client', sight, entry.id);
    }
    sight.toldGaps = sight.toldGaps.filter(({ before }) => before === Number.POSITIVE_INFINITY);
    sight.cursor = Math.max(sight.cursor, upTo);
    sight.indexes.clear();
    // An event's copies come close together: what is older than the settled cannot come again by a plain mistake.
    sight.ids.clear();
  }

  /** @param all false: what the journal has not heard itself yet waits, and what came after it */
  #compareHeard(sight: Sight, all: boolean): void {
    const { heard } = sight;
    const waits = heard.findIndex((id) => !all && id !== GAP && this.#journal.get(id) === undefined);
    for (const id of heard.splice(0, waits < 0 ? heard.length : waits)) {
      if (id === GAP) {
        sight.toldGaps.push({ after: sight.lastIndex, before: Number.POSITIVE_INFINITY });
        continue;
      }
      const entry = this.#journal.get(id);
      if (entry === undefined) {
        this.#unknown(sight, id);
        continue;
      }
      if (!sight.allows(entry)) this.#accuse('misdelivered', sight, id);
      if (entry.index <= sight.lastIndex) this.#accuse('out of order', sight, id);
      for (const gap of sight.toldGaps) gap.before = Math.min(gap.before, entry.index);
      sight.lastIndex = Math.max(sight.lastIndex, entry.index);
      sight.firstIndex ??= entry.index;
      sight.indexes.add(entry.index);
    }
  }

  /** Redis may have died between its subscribers. */
  #unknown(sight: Sight, id: string): void {
    if (this.#journal.wasBlind(this.#journal.begunAt(id), 1_000)) {
      this.#recorder.count('events that only clients heard of a dying Redis');
      return;
    }
    this.#accuse('never published', sight, id);
  }

  #endOf(sight: Sight): number {
    const { entries } = this.#journal;
    let index = sight.lastIndex + 1;
    const patientUntil = (sight.endedAt ?? 0) - STALLED_AFTER_MS;
    while (index < entries.length && (entries[index] as Published).heardAt < patientUntil) index++;
    return index;
  }

  #accuse(
    kind:
      | 'lost silently'
      | 'gap not told to client'
      | 'repeated'
      | 'out of order'
      | 'misdelivered'
      | 'never published',
    sight: Sight,
    id: string,
  ): void {
    const { client, wire, kind: way, node } = sight.options;
    const entry = this.#journal.get(id);
    const when =
      entry === undefined
        ? ''
        : ` (${entry.redisChannel}, published ${new Date(entry.heardAt).toISOString()})`;
    const text = `${client} on ${wire} (${way}) at ${node.name}, subscribed ${new Date(sight.subscribedAt).toISOString()}: ${id}${when}`;
    this.#recorder.violation(kind, text, () => this.#storyOf(client));
  }
}

function wasTold(sight: Sight, { index }: Published): boolean {
  return sight.toldGaps.some(({ after, before }) => after < index && index < before);
}
