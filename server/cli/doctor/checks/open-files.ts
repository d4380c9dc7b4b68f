import { readFileSync } from 'node:fs';
import { type Check, ok, warning } from '../check.ts';

/** Files that are none of a connection: logs, Redis, modules. */
const OWN_FILES = 200;

/** The limit on open files, of which every connection takes one. */
export const openFilesCheck: Check = {
  name: 'open files',
  run: async ({ config }) => {
    const limit = openFilesLimit();
    if (limit === null) return [];
    const wanted = Math.min(config.http.maxSockets, 2 * config.connection.maxConnections) + OWN_FILES;
    return limit >= wanted
      ? [ok(`up to ${limit} may be open`)]
      : [
          warning(
            `up to ${limit} may be open here, but ${config.connection.maxConnections} connections may come`,
            `ulimit -n ${wanted}, LimitNOFILE=${wanted} in systemd's unit, or a lower YAMABIKO_MAX_CONNECTIONS`,
          ),
        ];
  },
};

/** Of this process, which a server started the same way has too; null where the system does not tell. */
function openFilesLimit(): number | null {
  try {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return null; // No Linux: nothing to say.
  }
}
