import type { Config } from '../../config/settings.ts';
import { readVersion } from '../../config/version.ts';
import { createLogger, type Logger } from '../logger/logger.ts';
import { EXIT } from './command-error.ts';
import { greeting, greetingFields } from './greeting.ts';
import { type Server, serve } from './serve.ts';
import { describeStartFailure } from './start-failure.ts';
import type { Terminal } from './terminal.ts';

export type BuildServer = (config: Config, log: Logger) => Server;

/** Runs the server in the foreground until a signal. @returns the exit code */
export async function start(
  config: Config,
  warnings: readonly string[],
  build: BuildServer,
  terminal: Terminal,
): Promise<number> {
  const log = createLogger(config.log);
  endOnFault(log);
  const failed = (error: unknown) => {
    log.debug({ err: error }, 'the start failed');
    const line = describeStartFailure(error, config);
    // Where the log is read by programs, the reason must be in it; a person reads the other.
    if (config.log.format === 'json') log.fatal({}, `Yamabiko cannot start: ${line}`);
    else terminal.err(`yamabiko: ${line}\n`);
  };
  for (const warning of warnings) log.warn({}, warning);
  let server: Server;
  try {
    server = build(config, log);
  } catch (error) {
    failed(error);
    return EXIT.failed;
  }
  const started = (url: string) => {
    const version = readVersion();
    if (config.log.format === 'json') log.info(greetingFields(config, url, version), 'Yamabiko is listening');
    else terminal.out(greeting(config, url, version));
  };
  return serve({ server, log, drainMs: config.server.drainMs, started, failed });
}

/** A fault that nobody caught leaves the process in a state that nobody knows: it must not go on serving. */
function endOnFault(log: Logger): void {
  const end = (err: unknown, message: string) => {
    log.fatal({ err }, message);
    process.exit(EXIT.failed);
  };
  process.on('uncaughtException', (error) => end(error, 'an exception was not caught'));
  process.on('unhandledRejection', (reason) => end(reason, 'a rejection was not handled'));
}
