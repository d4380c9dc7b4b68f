import { randomUUID } from 'node:crypto';
import type { Telling, Told } from './outbox.ts';

/** An entry of a stream as ioredis gives it. */
export type StreamEntry = readonly [place: string, fields: readonly string[]];

/** Something that happens now, with an id of its own. */
export function toldNow({ order, json }: Telling): Told {
  return { id: randomUUID(), atMs: Date.now(), order, kind: 'event', room: '', json };
}

/** As the scripts of the roster write it too. */
export function fieldsOfTold({ id, atMs, order, kind, room, json }: Told): string[] {
  return ['i', id, 't', String(atMs), 'o', order, 'k', kind, 'n', room, 'j', json];
}

/** @returns null where it is none that a node of ours wrote */
export function toldOfFields(fields: readonly string[]): (Told & { readonly reason: string }) | null {
  const at = (name: string) => {
    for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1] ?? '';
    return '';
  };
  const [id, kind, json] = [at('i'), at('k'), at('j')];
  const atMs = Number(at('t'));
  if (id === '' || !Number.isFinite(atMs) || !isJsonObject(json)) return null;
  if (kind !== 'joined' && kind !== 'left' && kind !== 'event') return null;
  return { id, atMs, order: at('o'), kind, room: at('n'), json, reason: at('why') };
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
