import { reservedNames } from '../../config/reserved-names.ts';
import type { Config } from '../../config/settings.ts';
import { createTokenSigner } from '../access/token-signer.ts';
import { parseBaseName } from '../domain/channel-name.ts';
import { isRejection } from '../domain/outcome.ts';
import { CommandError, EXIT } from './command-error.ts';

export interface TokenOptions {
  readonly id: string;
  readonly name: string;
  readonly channel: string;
  /** Seconds. */
  readonly ttl: string;
}

/** Ten years: a test token for longer is a slip of the finger. */
const MAX_TTL_SECONDS = 315_360_000;

/** A JWT as Laravel would sign it, from the first configured secret. @throws CommandError */
export async function mintToken(options: TokenOptions, config: Config): Promise<string> {
  const id = wholeNumber('--id', options.id, Number.MAX_SAFE_INTEGER);
  const ttlSeconds = wholeNumber('--ttl', options.ttl, MAX_TTL_SECONDS);
  const channel = parseBaseName(options.channel, reservedNames(config));
  if (isRejection(channel)) throw new CommandError(`--channel: ${channel.message}`, EXIT.usage);
  if (config.development)
    throw new CommandError(
      'YAMABIKO_JWT_SECRET is not set. In development mode each start makes a secret of its own, which nobody else\n' +
        'knows; set the variable for the server and for this command (openssl rand -hex 32 makes one).',
      EXIT.usage,
    );
  const [secret] = config.jwt.secrets;
  if (secret === undefined)
    throw new CommandError(
      'tokens are signed elsewhere: only a public key is set, and YAMABIKO_JWT_SECRET is not',
      EXIT.usage,
    );
  return createTokenSigner(secret)({ id, name: options.name, channel }, ttlSeconds);
}

function wholeNumber(flag: string, text: string, max: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= max) return value;
  throw new CommandError(`${flag}: must be an integer from 1 to ${max} (got ${text})`, EXIT.usage);
}
