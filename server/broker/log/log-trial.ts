import type { RedisConnections } from '../redis/redis-connections.ts';
import type { LogCommands } from './log-commands.ts';
import type { LogNames } from './log-names.ts';

/** What Redis says that will be otherwise in a while, or on another node. */
const WEATHER =
  /^(LOADING|MASTERDOWN|OOM|READONLY|CLUSTERDOWN|MISCONF|BUSY|TRYAGAIN|MOVED|ASK|NOREPLICAS|UNKILLABLE|WRONGPASS|NOAUTH)/;
/** What every bus needs; the plain one says what is missing. */
const OF_EVERY_BUS = /'(info|publish|subscribe|eval|evalsha|set|get|hello|auth)'/i;

/**
 * Does each thing once that only the log needs.
 * @returns why it cannot be kept here; null where it can
 * @throws Error where Redis did not answer, or lacks what every bus needs
 */
export async function tryLog(
  connections: RedisConnections,
  commands: LogCommands,
  names: LogNames,
): Promise<string | null> {
  try {
    await commands.try();
    await connections.subscriber.psubscribe(names.pattern);
    await connections.subscriber.punsubscribe(names.pattern);
    return null;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ReplyError') throw error;
    if (WEATHER.test(error.message) || OF_EVERY_BUS.test(error.message)) throw error;
    return error.message;
  }
}
