const privatePrefix = 'private-';
const presencePrefix = 'presence-';
const encryptedPrefix = 'private-encrypted-';

/** Echo's wire name of the private channel X. */
export function privateName(name: string): string {
  return privatePrefix + name;
}

/** Echo's wire name of the presence channel X. */
export function presenceName(name: string): string {
  return presencePrefix + name;
}

/**
 * The channel X that a token must name to open this wire name: X itself, private-X or presence-X. null: no token
 * opens an encrypted channel, the server leaves those to Laravel.
 */
export function tokenChannelOf(wireName: string): string | null {
  if (wireName.startsWith(encryptedPrefix)) return null;
  for (const prefix of [privatePrefix, presencePrefix]) {
    if (wireName.startsWith(prefix)) return wireName.slice(prefix.length);
  }
  return wireName;
}
