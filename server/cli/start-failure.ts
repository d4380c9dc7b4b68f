import type { Config } from '../../config/settings.ts';
import { maskSecrets } from '../logger/error-fields.ts';

/** Why the server does not start, in one line that names the setting to change. */
export function describeStartFailure(error: unknown, { server: { host, port } }: Config): string {
  const { code, syscall, message } = (error ?? {}) as { code?: string; syscall?: string; message?: string };
  const listening = syscall === 'listen' || syscall === 'bind' || syscall === 'getaddrinfo';
  if (code === 'EADDRINUSE')
    return `port ${port} of ${host} is in use: stop what runs there, or set YAMABIKO_PORT`;
  if (code === 'EACCES' && listening)
    return `port ${port} needs more rights than this user has: set YAMABIKO_PORT to 1024 or above`;
  if (code === 'EADDRNOTAVAIL' || (code === 'ENOTFOUND' && listening))
    return `${host} is no address of this machine: set YAMABIKO_HOST`;
  return maskSecrets(message ?? String(error)).replaceAll(/\s*\n\s*/g, ' ');
}
