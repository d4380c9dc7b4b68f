import { parseUrl } from '../../config/kinds.ts';
import type { Config } from '../../config/settings.ts';
import { CommandError, EXIT } from './command-error.ts';
import type { Publication } from './laravel-publication.ts';

const TIMEOUT_MS = 10_000;
/** As much of an answer as helps a person. */
const SHOWN_LENGTH = 300;

/** Asks a running server, by laravel-echo-server's HTTP API. @param url of the server; default as configured here */
export async function publishByHttp(
  { channel, event, data, socketId }: Publication,
  config: Config,
  url: string = serverUrl(config),
): Promise<string> {
  const [app] = config.http.apps;
  if (app === undefined)
    throw new CommandError(
      'YAMABIKO_APPS is not set: the HTTP API needs an app and its key, `id:key`, for the server and for this command\n' +
        '(or set YAMABIKO_REDIS_URL for both, and the message goes by Redis).',
      EXIT.usage,
    );
  const target = parseUrl(url);
  if (target === null || !/^https?:$/.test(target.protocol))
    throw new CommandError(
      `--url: must be a whole URL that begins with http:// or https:// (got ${url})`,
      EXIT.usage,
    );
  // Laravel's `message` on the room's private channel is a message of the room (protocol.md section 1).
  const wire = event === null ? `private-${channel}` : channel;
  const body = {
    channel: wire,
    name: event ?? 'message',
    data,
    ...(socketId !== null && { socket_id: socketId }),
  };
  const response = await post(new URL(`/apps/${app.id}/events`, target), app.key, body);
  if (!response.ok)
    throw new CommandError(`${target.origin} answered ${response.status}: ${await textOf(response)}`);
  return `published ${body.name} on ${wire} by ${target.origin}`;
}

/** A server that listens on every address listens on this machine's too. */
function serverUrl({ server: { host, port } }: Config): string {
  const address = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

async function post(url: URL, key: string, body: object): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      // Not as `auth_key` in the query, where proxies would log it.
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    const reason = code ?? (error as Error).name;
    throw new CommandError(`no server answers at ${url.origin} (${reason}); --url names another`, undefined, {
      cause: error,
    });
  }
}

async function textOf(response: Response): Promise<string> {
  const text = (await response.text()).slice(0, SHOWN_LENGTH).trim();
  return text === '' ? 'no reason given' : text;
}
