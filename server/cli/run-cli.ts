import { CommanderError } from 'commander';
import { maskSecrets } from '../logger/error-fields.ts';
import { CommandError, EXIT } from './command-error.ts';
import { createProgram } from './program.ts';
import type { BuildServer } from './start-command.ts';
import type { Terminal } from './terminal.ts';

/**
 * Runs one command.
 * @param args without node and the script
 * @returns the exit code; what went wrong has been told, without a stack where it is the user's to mend
 */
export async function runCli(
  args: readonly string[],
  terminal: Terminal,
  loadServer: () => Promise<BuildServer>,
): Promise<number> {
  let code: number = EXIT.done;
  const program = createProgram({
    terminal,
    loadServer,
    exit: (ended) => {
      code = ended;
    },
  });
  if (args.length === 0) {
    program.outputHelp();
    return EXIT.done;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return tell(error, terminal);
  }
}

function tell(error: unknown, terminal: Terminal): number {
  // Commander has told its own errors already; help and version come this way too, with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CommandError) {
    terminal.err(`yamabiko: ${error.message}\n`);
    return error.exitCode;
  }
  const { stack, message } = error instanceof Error ? error : { stack: undefined, message: String(error) };
  terminal.err(`yamabiko: this is a fault of ours: ${maskSecrets(stack ?? message)}\n`);
  return EXIT.failed;
}
