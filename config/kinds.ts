import { z } from 'zod';
import type { Setting } from './setting.ts';

/** What a row must say for itself; the rest follows from its kind. */
interface Row<D> {
  readonly env: string | null;
  readonly default: D;
  readonly doc: string;
  readonly flag?: string;
  readonly unit?: string;
  readonly defaultText?: string;
  readonly secret?: boolean;
}

interface Kind<T> {
  readonly kind: string;
  readonly allowed: string;
  readonly schema: z.ZodType<T>;
  readonly emptyIsValue?: boolean;
  readonly tellsParts?: boolean;
  readonly show?: (value: T) => unknown;
  readonly showRaw?: (raw: unknown) => string;
}

const MASK = '***';
/** A wrong value is repeated up to here: a file pasted by mistake must not fill the terminal. */
const SHOWN_LENGTH = 120;

export function setting<T, D extends T>(row: Row<D>, kind: Kind<T>): Setting<T> {
  const secret = row.secret ?? false;
  return {
    env: row.env,
    flag: row.flag ?? null,
    unit: row.unit ?? null,
    default: row.default,
    defaultText: row.defaultText ?? null,
    doc: row.doc,
    secret,
    kind: kind.kind,
    allowed: kind.allowed,
    schema: kind.schema,
    emptyIsValue: kind.emptyIsValue ?? false,
    tellsParts: kind.tellsParts ?? false,
    show: kind.show ?? ((value) => (secret && value !== null ? MASK : value)),
    showRaw: secret ? () => MASK : (kind.showRaw ?? showText),
  };
}

/** @param row.min @param row.max both allowed */
export function integer(row: Row<number> & { min: number; max: number }): Setting<number> {
  const { min, max } = row;
  const written = z
    .string()
    .trim()
    .regex(/^[+-]?\d+$/)
    .transform(Number);
  return setting(row, {
    kind: 'integer',
    allowed: `an integer from ${min} to ${max}`,
    schema: z.union([z.int(), written]).pipe(z.int().min(min).max(max)),
  });
}

export function boolean(row: Row<boolean>): Setting<boolean> {
  const written = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] });
  return setting(row, {
    kind: 'boolean',
    allowed: 'true or false (also 1, 0, yes, no, on, off)',
    schema: z.union([z.boolean(), written]),
  });
}

export function text<D extends string | null>(
  row: Row<D> & { pattern: RegExp; allowed: string; emptyIsValue?: boolean },
): Setting<string | D> {
  return setting<string | D, D>(row, {
    kind: 'text',
    allowed: row.allowed,
    schema: z.string().regex(row.pattern),
    emptyIsValue: row.emptyIsValue ?? false,
  });
}

export function choice<const C extends string, D extends C | null>(
  row: Row<D> & { choices: readonly C[] },
): Setting<C | D> {
  return setting<C | D, D>(row, {
    kind: 'choice',
    allowed: `one of ${row.choices.join(', ')}`,
    schema: z.enum(row.choices as readonly [C, ...C[]]) as unknown as z.ZodType<C>,
  });
}

/**
 * A list: separated by commas in text, an array in the config file (whose elements are taken as they are, so
 * that a comma can be part of one).
 */
export function list<const T extends string>(
  row: Row<readonly T[]> & { item: z.ZodType<T>; allowed: string },
): Setting<readonly T[]> {
  const written = z.string().transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );
  return setting<readonly T[], readonly T[]>(row, {
    kind: 'list',
    allowed: row.allowed,
    schema: z.union([z.array(z.string()), written]).pipe(z.array(row.item as z.ZodType<T, string>)),
    show: (value) => (row.secret ? value.map(() => MASK) : value),
  });
}

/** An absolute URL. User name and password in it are masked wherever it is shown. */
export function url<D extends string | null>(
  row: Row<D> & { protocols: readonly string[] },
): Setting<string | D> {
  const starts = row.protocols.map((protocol) => `${protocol}//`).join(' or ');
  const isUrl = (value: string) => {
    const parsed = parseUrl(value);
    return parsed !== null && row.protocols.includes(parsed.protocol) && parsed.hostname !== '';
  };
  return setting<string | D, D>(row, {
    kind: 'URL',
    allowed: `a whole URL that begins with ${starts}`,
    schema: z.string().trim().refine(isUrl),
    show: (value) => (value === null ? null : maskUrl(value)),
    showRaw: (raw) => (typeof raw === 'string' ? maskUrl(raw) : showText(raw)),
  });
}

/** `URL.parse`, which Node 20 does not have yet. */
export function parseUrl(value: string): URL | null {
  return URL.canParse(value) ? new URL(value) : null;
}

/** A URL as it may be printed: credentials and query, which often hold keys, masked; `***` where it cannot be read. */
function maskUrl(value: string): string {
  const parsed = parseUrl(value);
  // `user:password@host` reads as a URL too, of the scheme `user`.
  if (parsed === null || parsed.host === '')
    return value.includes('@') || value.includes('?') ? MASK : showText(value);
  if (parsed.username !== '') parsed.username = MASK;
  if (parsed.password !== '') parsed.password = MASK;
  if (parsed.search !== '') parsed.search = `?${MASK}`;
  return parsed.href;
}

/** A URL in the wrong place (a Redis URL as host) is masked as one in its own. */
export function showText(raw: unknown): string {
  const written = typeof raw === 'string' ? raw : (JSON.stringify(raw) ?? String(raw));
  const shown = written.includes('://')
    ? written.replace(/:\/\/.*@/s, `://${MASK}@`).replace(/\?.*/s, `?${MASK}`)
    : written;
  return shown.length > SHOWN_LENGTH ? `${shown.slice(0, SHOWN_LENGTH)}...` : shown;
}
