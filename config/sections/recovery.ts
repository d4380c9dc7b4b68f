import { boolean, choice, integer } from '../kinds.ts';

export const recoverySettings = {
  enabled: boolean({
    env: 'YAMABIKO_RECOVERY',
    default: true,
    doc: 'Keep a history of broadcasts, so that a client that comes back is given what it missed (docs/delivery.md). Off: plain Pub/Sub delivery, as laravel-echo-server had it.',
  }),
  source: choice({
    env: 'YAMABIKO_RECOVERY_SOURCE',
    default: 'pubsub',
    choices: ['pubsub', 'replication'],
    doc: 'How nodes hear what is published. `replication` reads the replication stream, so that also what is published while no node runs is kept; for one Redis of your own, with or without Sentinel (docs/replication.md says what it costs).',
  }),
  historyMs: integer({
    env: 'YAMABIKO_HISTORY_MS',
    unit: 'ms',
    default: 120_000,
    min: 1_000,
    max: 86_400_000,
    doc: 'How long a broadcast is kept for those who come back. Who stays away longer is told that something is missing.',
  }),
  historyEntries: integer({
    env: 'YAMABIKO_HISTORY_ENTRIES',
    default: 200_000,
    min: 100,
    max: 10_000_000,
    doc: 'How many broadcasts of all channels are kept at most; the oldest go first, whatever their age.',
  }),
  historyBytes: integer({
    env: 'YAMABIKO_HISTORY_BYTES',
    unit: 'bytes',
    default: 67_108_864,
    min: 1_048_576,
    max: 4_294_967_296,
    doc: 'Memory that the history may take in each node; Redis needs less for it, a third where payloads are small. The oldest broadcasts go first. Each counts with its payload, the name of its channel and 700 bytes.',
  }),
} as const;
