import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterNode } from './cluster-node.ts';
import type { EventCheck } from './event-check.ts';
import type { PresenceCheck } from './presence-check.ts';
import type { Recorder, Violation } from './report.ts';
import type { Rows } from './rows.ts';
import { EVENT_WIRES, ROOMS } from './scene.ts';
import type { Sight } from './sight.ts';
import type { Visitor } from './visitor.ts';

/** Faults are over: within so many milliseconds everything must be right. Far beyond what an idle machine needs. */
const SETTLE_MS = 30_000;
const ASK_MS = 200;
/** A command's answer is promised within 4 s; only a stuck one waits so long. */
const ANSWER_MS = 10_000;
/** All is well otherwise: what has not come by then never will. */
const BEHIND_MS = 6_000;
const HTTP_MS = 4_000;

interface Problem {
  readonly kind: Violation;
  readonly text: string;
  readonly visitor?: Visitor;
}

export interface QuietPointOptions {
  readonly rows: Rows;
  readonly visitors: readonly Visitor[];
  readonly sights: Set<Sight>;
  readonly events: EventCheck;
  readonly presence: PresenceCheck;
  readonly recorder: Recorder;
}

/** Nothing is hurt and nobody speaks: what clients and nodes hold must become the truth. */
export class QuietPoint {
  readonly #options: QuietPointOptions;
  #behindSince: number | null = null;

  constructor(options: QuietPointOptions) {
    this.#options = options;
  }

  /** Waits until all is right, or accuses what is not. @returns milliseconds that it took */
  async reach(): Promise<number> {
    const { recorder, events, presence, sights } = this.#options;
    const beganAt = Date.now();
    this.#behindSince = null;
    let problems = await this.#problems();
    while (problems.length > 0 && Date.now() - beganAt < SETTLE_MS) {
      await sleep(ASK_MS);
      problems = await this.#problems();
    }
    for (const { kind, text, visitor } of problems) {
      // The checks below tell these better.
      if (kind === 'lost silently' || kind === 'ghost member') continue;
      recorder.violation(kind, text, () => visitor?.story() ?? '');
    }
    for (const sight of [...sights]) {
      events.settle(sight);
      if (sight.endedAt !== null) sights.delete(sight);
    }
    presence.settle();
    this.#options.rows.settle();
    recorder.count('quiet points');
    return Date.now() - beganAt;
  }

  /** The first kind of problem that there is; the later checks ask the nodes, so they come last. */
  async #problems(): Promise<Problem[]> {
    const { rows, visitors, sights, events, presence } = this.#options;
    const notReady = [...rows.cluster.slots, ...rows.control.slots].filter((node) => !node.ready);
    if (notReady.length > 0)
      return notReady.map((node) => ({
        kind: 'node not ready',
        text: `${node.name}\n${node.tail.join('\n')}`,
      }));
    const stuck = visitors.filter((visitor) => visitor.wanted && !visitor.online());
    if (stuck.length > 0)
      return stuck.map((visitor) => ({
        kind: 'stuck client',
        text: `${visitor.name} at ${visitor.node?.name}: ${visitor.unanswered(0).join(', ')}`,
        visitor,
      }));
    const away = [...rows.pages.away(), ...rows.controlPages.away()];
    if (away.length > 0) return away.map((page) => ({ kind: 'page not back', text: page.story() }));
    const waiting = visitors.filter((visitor) => visitor.unanswered(ANSWER_MS).length > 0);
    if (waiting.length > 0)
      return waiting.map((visitor) => ({
        kind: 'unanswered command',
        text: `${visitor.name} at ${visitor.node?.name}: ${visitor.unanswered(ANSWER_MS).join(', ')}`,
        visitor,
      }));
    if ([...sights].some((sight) => sight.endedAt === null && events.awaits(sight)))
      return [{ kind: 'lost silently', text: '' }];
    if (this.#pagesBehind()) return [{ kind: 'lost silently', text: '' }];
    if (presence.differences().length > 0) return [{ kind: 'ghost member', text: '' }];
    return this.#countsThatDiffer();
  }

  #pagesBehind(): boolean {
    if (this.#options.rows.pages.behind().length === 0) return false;
    this.#behindSince ??= Date.now();
    return Date.now() - this.#behindSince < BEHIND_MS;
  }

  /** What nodes say of themselves and over HTTP, against what the clients know. */
  async #countsThatDiffer(): Promise<Problem[]> {
    const problems = await Promise.all(this.#options.rows.cluster.slots.map((node) => this.#wrongAt(node)));
    return problems.flat().map((text) => ({ kind: 'wrong count', text }));
  }

  async #wrongAt(node: ClusterNode): Promise<string[]> {
    const { visitors, sights, presence } = this.#options;
    const pages = this.#options.rows.pages.at(node);
    const listedLines = pages.reduce((sum, page) => sum + page.listedLines, 0);
    const live = [...sights].filter((sight) => sight.endedAt === null);
    const here = live.filter((sight) => sight.options.node === node);
    const differs = (what: string, is: unknown, should: unknown) =>
      String(is) === String(should) ? [] : [`${node.name}: ${what} ${is} instead of ${should}`];
    try {
      const held = await node.metric('yamabiko_connections', 'yamabiko_subscriptions', 'yamabiko_members');
      const should = [
        visitors.filter((visitor) => visitor.node === node).length + pages.length,
        here.length + pages.reduce((sum, { lines }) => sum + lines.length, 0),
        here.filter((sight) => sight.listed).length + listedLines,
      ];
      const wrong = differs('connections, subscriptions, members', held, should);
      for (const room of ROOMS) {
        const { users } = await ask<{ users: { id: unknown }[] }>(node, `/channels/presence-${room}/users`);
        const truth = [...presence.truth(room)].sort();
        wrong.push(...differs(`users of ${room}`, users.map(({ id }) => String(id)).sort(), truth));
      }
      const { channels } = await ask<{ channels: Record<string, { subscription_count: number }> }>(
        node,
        '/channels',
      );
      const wires = Object.keys(channels).filter((wire) => EVENT_WIRES.includes(wire));
      for (const wire of new Set([...wires, ...live.map(({ options }) => options.wire)]))
        wrong.push(
          ...differs(
            `subscriptions of ${wire}`,
            channels[wire]?.subscription_count ?? 0,
            live.filter(({ options }) => options.wire === wire).length,
          ),
        );
      return wrong;
    } catch (error) {
      return [`${node.name} does not answer: ${error}`];
    }
  }
}

async function ask<T>(node: ClusterNode, path: string): Promise<T> {
  const response = await fetch(`${node.url}/apps/app${path}`, {
    headers: { authorization: 'Bearer key' },
    signal: AbortSignal.timeout(HTTP_MS),
  });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${body}`);
  return JSON.parse(body) as T;
}
