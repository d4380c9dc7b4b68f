import { reservedNames } from '../../config/reserved-names.ts';
import type { Config } from '../../config/settings.ts';
import { parseBaseName, parseChannelName } from '../domain/channel-name.ts';
import { isRejection } from '../domain/outcome.ts';
import { CommandError, EXIT } from './command-error.ts';
import type { Publication } from './laravel-publication.ts';
import { publishByHttp } from './publish-by-http.ts';
import { publishByRedis } from './publish-by-redis.ts';

export interface PublishOptions {
  readonly event?: string;
  readonly socket?: string;
  readonly url?: string;
}

/** @returns what was done, for the person at the terminal. @throws CommandError */
export function publish(
  channel: string,
  data: string,
  options: PublishOptions,
  config: Config,
): Promise<string> {
  const publication = readPublication(channel, data, options, config);
  return config.redis.url === null || options.url !== undefined
    ? publishByHttp(publication, config, options.url)
    : publishByRedis(publication, { ...config.redis, url: config.redis.url });
}

function readPublication(
  channel: string,
  data: string,
  { event, socket }: PublishOptions,
  config: Config,
): Publication {
  const reserved = reservedNames(config);
  const name = event === undefined ? parseBaseName(channel, reserved) : parseChannelName(channel, reserved);
  if (isRejection(name)) {
    const hint = event === undefined ? ' (with --event a channel may begin with private- or presence-)' : '';
    throw new CommandError(`<channel>: ${name.message}${hint}`, EXIT.usage);
  }
  if (event === '') throw new CommandError('--event: must not be empty', EXIT.usage);
  if (socket !== undefined && event === undefined)
    throw new CommandError('--socket: needs --event; a message of the room goes to everybody', EXIT.usage);
  if (!isObjectText(data))
    throw new CommandError(`<data>: must be a JSON object, such as '{"message":"hello"}'`, EXIT.usage);
  return { channel, event: event ?? null, data: data.trim(), socketId: socket ?? null };
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
