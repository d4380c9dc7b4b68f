/** Where a command reads and writes; a test gives its own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether people read standard output. */
  readonly interactive: boolean;
  out(text: string): void;
  err(text: string): void;
}

export const processTerminal: Terminal = {
  env: process.env,
  cwd: process.cwd(),
  interactive: process.stdout.isTTY === true,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};
