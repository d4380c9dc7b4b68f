import type { Refusal, YamabikoCode } from './wire.ts';

/** What `.send()` rejects with. */
export class YamabikoError extends Error implements Refusal {
  override readonly name = 'YamabikoError';
  readonly code: YamabikoCode;
  /** The HTTP status that goes with the code; 0 where no answer came. */
  readonly status: number;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.code = refusal.code;
    this.status = refusal.status;
  }
}
