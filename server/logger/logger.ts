import { type DestinationStream, pino } from 'pino';
import pretty from 'pino-pretty';
import { errorFields } from './error-fields.ts';

type Write = (fields: object, message: string) => void;

/** What the server writes to; each part declares the piece of it that it needs. */
export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
}

export interface LoggerSettings {
  readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  readonly format: 'pretty' | 'json';
}

/** Names under which a secret might be handed in by mistake; the last net, not the rule. */
const SECRET_FIELDS = [
  'token',
  'authorization',
  'Authorization',
  'cookie',
  'Cookie',
  'set-cookie',
  'secret',
  'secrets',
  'password',
  'key',
];
/** How deep such a field is looked for. */
const DEPTHS = ['', '*.', '*.*.'];

/**
 * Writes to standard output, in this process and at once: a worker would lose the last lines at exit, and the
 * last lines say why.
 * @param destination for tests
 */
export function createLogger({ level, format }: LoggerSettings, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      redact: {
        paths: DEPTHS.flatMap((depth) => SECRET_FIELDS.map((field) => fieldPath(depth, field))),
        censor: '***',
      },
      serializers: { err: (error) => errorFields(error), error: (error) => errorFields(error) },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    format === 'pretty'
      ? prettyStream(destination)
      : (destination ?? pino.destination({ dest: 1, sync: true })),
  );
}

/** pino wants a name with a hyphen in brackets. */
function fieldPath(depth: string, field: string): string {
  return field.includes('-') ? `${depth.replace(/\.$/, '')}["${field}"]` : `${depth}${field}`;
}

function prettyStream(destination: DestinationStream | undefined): DestinationStream {
  return pretty({
    colorize:
      destination === undefined && process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    ignore: 'pid,hostname',
    sync: true,
    ...(destination === undefined ? {} : { destination: destination as NodeJS.WritableStream }),
  });
}
