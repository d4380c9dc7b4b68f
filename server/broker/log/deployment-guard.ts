import type { BrokerLog } from '../broker-log.ts';
import type { LogCommands } from './log-commands.ts';

/** After the last node of a deployment is gone another one may have the prefix; each node renews it once a second. */
const OWNED_MS = 10_000;

/**
 * Two deployments that share a prefix by mistake would each deliver the other's broadcasts, and list each other's
 * members. They are known apart by their keys: who shares none with those that run keeps out, and says so.
 */
export class DeploymentGuard {
  readonly #commands: LogCommands;
  readonly #marks: readonly string[];
  readonly #log: BrokerLog;
  #told = false;

  /** @param marks one for each key of this deployment, without spaces; none: it cannot be told apart, and is let in */
  constructor(commands: LogCommands, marks: readonly string[], log: BrokerLog) {
    this.#commands = commands;
    this.#marks = marks;
    this.#log = log;
  }

  /** @returns whether the prefix is ours. @throws UnavailableError Redis did not answer */
  async holds(): Promise<boolean> {
    if (this.#marks.length === 0) return true;
    const holds = await this.#commands.own(this.#marks, OWNED_MS);
    if (!holds && !this.#told)
      this.#log.error(
        {},
        'another deployment, with other keys for tokens, uses this Redis under the same prefix: not ready until it is ' +
          'gone. Set another YAMABIKO_REDIS_PREFIX; to change a secret, keep the old one second in YAMABIKO_JWT_SECRET',
      );
    this.#told = !holds;
    return holds;
  }
}
