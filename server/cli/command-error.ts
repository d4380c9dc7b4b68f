/** 0: done. 1: could not be done. 2: what was asked for is wrong. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** A failure to tell in words, without a stack: what went wrong and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  /** @param message whole sentences or lines for the person at the terminal */
  constructor(message: string, exitCode: number = EXIT.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
