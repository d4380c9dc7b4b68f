/**
 * An ordinary message by which a node finds out which index the messages have that it hears: it is heard, and it
 * stands in the log.
 */
export interface Marker {
  readonly nonce: string;
  /** PUBLISH calls that Redis had taken before this one; null where it may not be asked. */
  readonly calls: number | null;
  /** Which process of Redis counted them. */
  readonly runId: string | null;
}

const FORM = /^([\w-]{1,64})\|(\d{0,16})\|([0-9a-f]{0,64})$/;

/** @param payload foreign input. @returns null for what no node of ours published */
export function decodeMarker(payload: Buffer): Marker | null {
  const [, nonce, calls, runId] = FORM.exec(payload.toString('latin1')) ?? [];
  if (nonce === undefined) return null;
  return { nonce, calls: calls ? Number(calls) : null, runId: runId || null };
}
