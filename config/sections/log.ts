import { choice } from '../kinds.ts';

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
} as const;
