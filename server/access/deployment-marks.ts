import { createHmac } from 'node:crypto';

/** Says which keys these are, and not what they are. */
const PURPOSE = 'which deployment this is';
const MARK_LENGTH = 16;

/**
 * A mark for each key that a deployment verifies tokens with. Nodes that share one belong together. In development mode
 * each process has a random secret, which tells nothing.
 */
export function deploymentMarks(config: {
  readonly development: boolean;
  readonly jwt: { readonly secrets: readonly string[]; readonly publicKey: string | null };
}): readonly string[] {
  if (config.development) return [];
  const { secrets, publicKey } = config.jwt;
  const keys = publicKey === null ? secrets : [...secrets, publicKey];
  return keys.map((key) => createHmac('sha256', key).update(PURPOSE).digest('hex').slice(0, MARK_LENGTH));
}
