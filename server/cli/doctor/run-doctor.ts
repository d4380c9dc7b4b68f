import { loadConfig } from '../../../config/load-config.ts';
import { maskSecrets } from '../../logger/error-fields.ts';
import { EXIT } from '../command-error.ts';
import type { Terminal } from '../terminal.ts';
import { type Check, type Finding, fault, type Level, type Surroundings } from './check.ts';
import { clocksCheck } from './checks/clocks.ts';
import { eventsCheck } from './checks/events.ts';
import { laravelCheck } from './checks/laravel.ts';
import { laravelEnvCheck } from './checks/laravel-env.ts';
import { openFilesCheck } from './checks/open-files.ts';
import { originsCheck } from './checks/origins.ts';
import { queueCheck } from './checks/queue.ts';
import { redisCheck } from './checks/redis.ts';
import { redisRightsCheck } from './checks/redis-rights.ts';
import { serverCheck } from './checks/server.ts';
import { settingsCheck } from './checks/settings.ts';
import { tlsCheck } from './checks/tls.ts';
import { tokenCheck } from './checks/token.ts';
import { type DoctorOptions, lookAround } from './surroundings.ts';

/** In the order in which one thing rests on another. */
const CHECKS: readonly Check[] = [
  settingsCheck,
  redisCheck,
  redisRightsCheck,
  laravelEnvCheck,
  eventsCheck,
  queueCheck,
  laravelCheck,
  clocksCheck,
  tokenCheck,
  originsCheck,
  tlsCheck,
  openFilesCheck,
  serverCheck,
];

export interface RunOptions extends DoctorOptions {
  readonly config?: string;
  readonly json?: boolean;
  /** Warnings end with 1 too. */
  readonly strict?: boolean;
}

interface Told extends Finding {
  readonly check: string;
}

/** Looks at what people get wrong, and says it, a line each. @returns the exit code @throws CommandError */
export async function runDoctor(options: RunOptions, terminal: Terminal): Promise<number> {
  const told = await findings(options, terminal);
  terminal.out(options.json === true ? `${JSON.stringify(told, null, 2)}\n` : told.map(line).join(''));
  const bad: readonly Level[] = options.strict === true ? ['fault', 'warning'] : ['fault'];
  return told.some(({ level }) => bad.includes(level)) ? EXIT.failed : EXIT.done;
}

async function findings(options: RunOptions, terminal: Terminal): Promise<Told[]> {
  const loaded = loadConfig({ configFile: options.config, env: terminal.env, cwd: terminal.cwd });
  if (!loaded.ok)
    return loaded.mistakes.map(({ setting, value, problem }) => ({
      check: 'settings',
      ...fault(`${setting}: ${problem}${value === null ? '' : ` (got ${value})`}`, 'see docs/settings.md'),
    }));
  const surroundings = await lookAround(loaded, options, terminal);
  const told: Told[] = [];
  try {
    for (const check of CHECKS)
      for (const finding of await examined(check, surroundings)) told.push({ check: check.name, ...finding });
  } finally {
    surroundings.redis?.disconnect();
  }
  return told;
}

/** A check that fails says so, and the others go on. */
async function examined(check: Check, surroundings: Surroundings): Promise<readonly Finding[]> {
  try {
    return await check.run(surroundings);
  } catch (error) {
    const { message } = error as Error;
    return [
      fault(`it could not be looked at: ${maskSecrets(message)}`, 'run it again; if it stays, report it'),
    ];
  }
}

function line({ level, check, says, cure }: Told): string {
  return `${level.padEnd(7)}  ${check.padEnd(12)}  ${says}${cure === null ? '' : `: ${cure}`}\n`;
}
