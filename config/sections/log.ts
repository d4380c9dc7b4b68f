import { choice, integer } from '../kinds.ts';

export const logSettings = {
  level: choice({
    env: 'YAMABIKO_LOG_LEVEL',
    flag: '--log-level <level>',
    default: 'info',
    choices: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    doc: 'What is logged, from this level up. Tokens, cookies and secrets never are.',
  }),
  format: choice({
    env: 'YAMABIKO_LOG_FORMAT',
    flag: '--log-format <format>',
    default: null,
    defaultText: 'pretty on a terminal or in development mode, else json',
    choices: ['pretty', 'json'],
    doc: 'Lines for people (`pretty`), or one JSON object for each line (`json`).',
  }),
  explainMs: integer({
    env: 'YAMABIKO_EXPLAIN_MS',
    unit: 'ms',
    default: 60_000,
    min: 0,
    max: 86_400_000,
    doc: 'How often at most a line says why nothing arrives: events outside the prefix (one node listens to all of Redis for a second, where it may), subscriptions refused again and again, a channel that Laravel publishes on and nobody may join. 0: never.',
  }),
} as const;
