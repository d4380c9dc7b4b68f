import { z } from 'zod';
import type { ChannelDefinition } from './channel-definitions.ts';

// Strict: a misspelt `clientsend` must not leave a channel closed, or open, without a word.
const DEFINITION = z.strictObject({
  clientSend: z.boolean().optional(),
  ask: z.boolean().optional(),
  users: z.boolean().optional(),
  echo: z.boolean().optional(),
  schema: z.record(z.string(), z.unknown()).nullable().optional(),
  keep: z.array(z.string().min(1)).nullable().optional(),
  recipient: z.string().min(1).nullable().optional(),
});

/**
 * A definition as somebody has written it in a file.
 * @returns the fields that are set
 * @throws Error with the field named
 */
export function definitionOf(name: string, written: unknown): Partial<ChannelDefinition> {
  if (name === '' || name.includes(':')) throw new Error('a name ends before the first ":" and is not empty');
  const result = DEFINITION.safeParse(written);
  if (!result.success) throw new Error(z.prettifyError(result.error));
  const set = Object.entries(result.data).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as Partial<ChannelDefinition>;
}
