import { jsonMembers } from '../domain/json-text.ts';
import { isIdText, userIdText } from '../domain/member.ts';
import { type Rejection, reject } from '../domain/outcome.ts';
import { BUILT_IN } from './built-in-definitions.ts';
import { compileSchema, type DataCheck, type DataSchema } from './data-schema.ts';
import { definitionOf } from './definition-settings.ts';

/** What the messages of a room are like (protocol.md section 3, "Channel definitions"). */
export interface ChannelDefinition {
  /** Whether clients may send, or Laravel only. Default false. */
  readonly clientSend: boolean;
  /** Whether Laravel is asked before a client's message is sent. Default false. */
  readonly ask: boolean;
  /** Whether members are listed and announced. Default true. */
  readonly users: boolean;
  /** Whether Echo's `private-X` and `presence-X` share the room; false: room X is the JWT channel alone. Default true. */
  readonly echo: boolean;
  /** JSON Schema of `data`; null: any object. Default null. */
  readonly schema: DataSchema | null;
  /** The fields of `data` that go out, in this order; null: all, as they came. Default null. */
  readonly keep: readonly string[] | null;
  /** Name of the field that holds the one user id that a message is for; null: for all. Default null. */
  readonly recipient: string | null;
}

/** By channel name without parameters; a field that is left out keeps the built-in or the default value. */
export type ChannelSettings = Readonly<Record<string, Partial<ChannelDefinition>>>;

/** Data as it goes out: JSON text, and the one user that it is for, or null. */
type ShapedData = { readonly ok: true; readonly data: string; readonly userId: string | null };

const ANY: ChannelDefinition = {
  clientSend: false,
  ask: false,
  users: true,
  echo: true,
  schema: null,
  keep: null,
  recipient: null,
};

interface Entry {
  readonly definition: ChannelDefinition;
  readonly explicit: boolean;
  readonly check: DataCheck | null;
}

const UNDEFINED: Entry = { definition: ANY, explicit: false, check: null };

export class ChannelDefinitions {
  // A Map, since a channel may be called `__proto__` or `constructor`.
  readonly #entries = new Map<string, Entry>();

  /** @throws Error with the channel named, where a definition is wrong */
  constructor(configured: ChannelSettings) {
    for (const name of new Set([...Object.keys(BUILT_IN), ...Object.keys(configured)]))
      this.#entries.set(name, entryOf(name, configured));
  }

  /** @param base a base name; what stands before its first `:` decides. `explicit`: built in or configured */
  of(base: string): { readonly definition: ChannelDefinition; readonly explicit: boolean } {
    return this.#entryFor(base);
  }

  /**
   * @param dataText JSON text, already known to parse
   * @returns the data that goes out, spliced from that text, or `invalid_data` with the field named
   */
  shape(base: string, dataText: string): ShapedData | Rejection {
    const { definition, check } = this.#entryFor(base);
    if (!/^\s*\{/.test(dataText)) return reject('invalid_data', 'data must be an object');
    const fault = check === null ? null : check(JSON.parse(dataText));
    if (fault !== null) return reject('invalid_data', fault);
    const { keep, recipient } = definition;
    if (keep === null && recipient === null) return { ok: true, data: dataText, userId: null };
    const fields = fieldsOf(dataText);
    const userIdJson = recipient === null ? undefined : fields.get(recipient);
    if (userIdJson !== undefined && userIdJson !== 'null' && !isIdText(userIdJson))
      return reject('invalid_data', `data.${recipient}: expected a user id`);
    const userId = userIdJson === undefined || userIdJson === 'null' ? null : userIdText(userIdJson);
    return { ok: true, data: keep === null ? dataText : objectOf(keep, fields), userId };
  }

  #entryFor(base: string): Entry {
    const colon = base.indexOf(':');
    return this.#entries.get(colon < 0 ? base : base.slice(0, colon)) ?? UNDEFINED;
  }
}

function entryOf(name: string, configured: ChannelSettings): Entry {
  const own = <T>(from: Readonly<Record<string, T>>) => (Object.hasOwn(from, name) ? from[name] : undefined);
  try {
    const definition = { ...ANY, ...own(BUILT_IN), ...definitionOf(name, own(configured) ?? {}) };
    const check = definition.schema === null ? null : compileSchema(definition.schema);
    return { definition, explicit: true, check };
  } catch (cause) {
    throw new Error(`channel definition "${name}": ${(cause as Error).message}`, { cause });
  }
}

/** Of equal keys the last counts, as in JSON.parse, which the check has seen. */
function fieldsOf(dataText: string): ReadonlyMap<string, string> {
  return new Map(jsonMembers(dataText).map((m) => [m.key, dataText.slice(m.valueStart, m.valueEnd)]));
}

function objectOf(keep: readonly string[], fields: ReadonlyMap<string, string>): string {
  const members = keep.flatMap((name) => {
    const value = fields.get(name);
    return value === undefined ? [] : [`${JSON.stringify(name)}:${value}`];
  });
  return `{${members.join(',')}}`;
}
