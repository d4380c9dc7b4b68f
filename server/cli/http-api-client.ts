import { parseUrl } from '../../config/kinds.ts';
import type { Config } from '../../config/settings.ts';
import { CommandError, EXIT } from './command-error.ts';

const TIMEOUT_MS = 10_000;
/** As much of an answer as helps a person. */
const SHOWN_LENGTH = 300;

/** A running server's HTTP API, as the first configured app may use it. */
export interface HttpApi {
  readonly origin: string;
  /** @param path below `/apps/:id` @throws CommandError */
  ask(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown>;
}

/**
 * @param url of the server; default as configured here
 * @param hint what else the user could do where no app is configured
 * @throws CommandError for a wrong url or a missing app
 */
export function httpApi(config: Config, url: string = serverUrl(config), hint = ''): HttpApi {
  const [app] = config.http.apps;
  if (app === undefined)
    throw new CommandError(
      `YAMABIKO_APPS is not set: the HTTP API needs an app and its key, \`id:key\`, for the server and for this command${hint === '' ? '' : `\n${hint}`}.`,
      EXIT.usage,
    );
  const target = parseUrl(url);
  if (target === null || !/^https?:$/.test(target.protocol))
    throw new CommandError(
      `--url: must be a whole URL that begins with http:// or https:// (got ${url})`,
      EXIT.usage,
    );
  return {
    origin: target.origin,
    async ask(method, path, body) {
      const response = await send(method, new URL(`/apps/${app.id}${path}`, target), app.key, body);
      if (!response.ok)
        throw new CommandError(`${target.origin} answered ${response.status}: ${await textOf(response)}`);
      return response.json();
    },
  };
}

/** A server that listens on every address listens on this machine's too. */
function serverUrl({ server: { host, port } }: Config): string {
  const address = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

async function send(method: string, url: URL, key: string, body: object | undefined): Promise<Response> {
  try {
    return await fetch(url, {
      method,
      // Not as `auth_key` in the query, where proxies would log it.
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
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
