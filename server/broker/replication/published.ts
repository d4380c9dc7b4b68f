import type { Argument } from './command-stream.ts';

/** One PUBLISH, as it stood in the stream. */
export interface Published {
  readonly name: Buffer;
  readonly payload: Buffer;
  /** Of the command's last byte. The same for whoever reads this history; with `replid` it is where to go on. */
  readonly offset: number;
  readonly replid: string;
}

const PUBLISH = 'publish';
const REPLCONF = 'replconf';
/** A name beyond this is none of ours, and is not held to be looked at. */
const MAX_NAME_BYTES = 64 * 1024;

/**
 * Which arguments of the stream's commands are kept: of a PUBLISH the name, and the payload where somebody wants it;
 * of the master's own question for an acknowledgement enough to know it. All else passes by.
 */
export function keepPublished(wants: (name: Buffer) => boolean) {
  return ({ index, count, byteLength }: Argument, kept: readonly Buffer[]): boolean => {
    if (count !== 3) return false;
    if (index === 0) return byteLength === PUBLISH.length || byteLength === REPLCONF.length;
    if (kept.length !== index) return false;
    if (index === 1) return byteLength <= (isPublish(kept) ? MAX_NAME_BYTES : 6);
    const [, name] = kept;
    return name !== undefined && isPublish(kept) && wants(name);
  };
}

/** @returns null where the command is no PUBLISH, or nobody wanted it */
export function publishedIn(kept: readonly Buffer[]): { name: Buffer; payload: Buffer } | null {
  const [, name, payload] = kept;
  return name === undefined || payload === undefined ? null : { name, payload };
}

export function asksForAck([command, what]: readonly Buffer[]): boolean {
  return textOf(command) === REPLCONF && textOf(what) === 'getack';
}

/** Redis passes a command's name on as it was written. */
function isPublish([command]: readonly Buffer[]): boolean {
  return textOf(command) === PUBLISH;
}

function textOf(bytes: Buffer | undefined): string {
  return bytes?.toString('latin1').toLowerCase() ?? '';
}
