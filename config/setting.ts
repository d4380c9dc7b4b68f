import type { z } from 'zod';

/** One row of the table of settings. The kinds in `kinds.ts` make them; nothing else does. */
export interface Setting<T> {
  /** Environment variable, or null where a value has no sensible spelling as text (config file only). */
  readonly env: string | null;
  /** Flag as commander writes it (`--port <number>`), or null. Secrets have none: `ps` shows arguments to everybody. */
  readonly flag: string | null;
  /** Word for the docs: integer, boolean, text, ... */
  readonly kind: string;
  readonly unit: string | null;
  /** What may be given, as the end of the sentence "must be ...". */
  readonly allowed: string;
  readonly default: T;
  /** What the docs print for the default, where the value itself does not tell it. */
  readonly defaultText: string | null;
  /** What it does and why it has this default, in a sentence or two. */
  readonly doc: string;
  /** Never printed, in whole or in part. */
  readonly secret: boolean;
  /** Whether an empty text is a value of its own (a prefix); otherwise it counts as not given. */
  readonly emptyIsValue: boolean;
  /** Whether zod's own words are told too: for values with parts, "must be ..." alone would not find the mistake. */
  readonly tellsParts: boolean;
  /** Takes text (environment, flags) and JSON values (config file). */
  readonly schema: z.ZodType<T>;
  /** The value as it may be printed. */
  show(value: T): unknown;
  /** What a person typed, as it may be printed, though it may be wrong in any way. */
  showRaw(raw: unknown): string;
}

/** A section of the table: its keys are the settings' names in the config file. */
export type Section = Readonly<Record<string, Setting<unknown>>>;

/** The frozen values of one section. */
export type Slice<S extends Section> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? DeepReadonly<T> : never;
};

export type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;
