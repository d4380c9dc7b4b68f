import { z } from 'zod';

/** JSON Schema, as far as `DataSchemas` below goes. */
export type DataSchema = Readonly<Record<string, unknown>>;

/** Checks parsed data. @returns null, or what is wrong, with the field named */
export type DataCheck = (data: unknown) => string | null;

const TYPE = z.enum(['string', 'number', 'integer', 'boolean', 'null', 'object', 'array']);
const SCALAR = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const COUNT = z.int().nonnegative();

/** Keywords that say nothing without a type beside them, and the types that they go with. */
const NEEDS_TYPE: Readonly<Record<string, readonly string[]>> = {
  properties: ['object'],
  required: ['object'],
  additionalProperties: ['object'],
  items: ['array'],
  minItems: ['array'],
  maxItems: ['array'],
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
  minimum: ['number', 'integer'],
  maximum: ['number', 'integer'],
  exclusiveMinimum: ['number', 'integer'],
  exclusiveMaximum: ['number', 'integer'],
};

/**
 * The part of JSON Schema that a definition may use. zod's own conversion passes over what it doesn't know or
 * finds out of place (`propertys`, `properties` without `type`, a `required` name without a property): a
 * misspelt schema would let everything in.
 */
const SUBSCHEMA = z
  .strictObject({
    $schema: z.string().optional(),
    title: z.string().optional(),
    description: z.string().optional(),
    type: z.union([TYPE, z.array(TYPE).min(1)]).optional(),
    enum: z.array(SCALAR).min(1).optional(),
    const: SCALAR.optional(),
    get anyOf() {
      return z.array(SUBSCHEMA).min(1).optional();
    },
    get properties() {
      return z.record(z.string(), SUBSCHEMA).optional();
    },
    required: z.array(z.string()).optional(),
    get additionalProperties() {
      return z.union([z.boolean(), SUBSCHEMA]).optional();
    },
    get items() {
      return SUBSCHEMA.optional();
    },
    minItems: COUNT.optional(),
    maxItems: COUNT.optional(),
    minLength: COUNT.optional(),
    maxLength: COUNT.optional(),
    pattern: z.string().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    exclusiveMinimum: z.number().optional(),
    exclusiveMaximum: z.number().optional(),
  })
  .check(({ value, issues }) => {
    for (const message of misplaced(value)) issues.push({ code: 'custom', message, input: value });
  });

/** Longest complaint: the text may quote a key that a client made up. */
const MAX_MESSAGE_LENGTH = 200;

/** @throws Error with the place in the schema named: a mistake of the configuration */
export function compileSchema(schema: unknown): DataCheck {
  const accepted = SUBSCHEMA.safeParse(schema);
  if (!accepted.success) throw new Error(z.prettifyError(accepted.error));
  if (accepted.data.type !== 'object') throw new Error('"type" must be "object": data is always an object');
  const compiled = z.fromJSONSchema(
    withLargeIntegers(accepted.data) as Parameters<typeof z.fromJSONSchema>[0],
  );
  return (data) => {
    const result = compiled.safeParse(data);
    return result.success ? null : complaint(result.error.issues[0]);
  };
}

function complaint(issue: z.core.$ZodIssue | undefined): string {
  const message = (issue?.message ?? 'is wrong').replace(/^Invalid input: /, '');
  return `${['data', ...(issue?.path ?? [])].join('.')}: ${message}`.slice(0, MAX_MESSAGE_LENGTH);
}

function* misplaced(schema: Readonly<Record<string, unknown>>): Generator<string> {
  const types = [schema.type].flat();
  for (const [keyword, needed] of Object.entries(NEEDS_TYPE)) {
    if (schema[keyword] !== undefined && !needed.some((type) => types.includes(type)))
      yield `"${keyword}" needs "type": "${needed[0]}" beside it`;
  }
  const { properties = {}, required = [] } = schema as { properties?: object; required?: string[] };
  for (const name of required)
    if (!Object.hasOwn(properties, name)) yield `"required" names "${name}", which "properties" does not`;
  // zod reads fields with `in`: of data without the field it would judge what every object inherits.
  for (const name of Object.keys(properties)) if (name in {}) yield `a property cannot be called "${name}"`;
}

type Subschema = z.infer<typeof SUBSCHEMA>;

/** zod's integers end at 2^53; Laravel's ids don't (PHP_INT_MAX, snowflakes). */
function withLargeIntegers(schema: Subschema): Subschema {
  const copy: Subschema & { multipleOf?: number } = { ...schema };
  if (schema.anyOf) copy.anyOf = schema.anyOf.map(withLargeIntegers);
  if (schema.items) copy.items = withLargeIntegers(schema.items);
  if (typeof schema.additionalProperties === 'object')
    copy.additionalProperties = withLargeIntegers(schema.additionalProperties);
  if (schema.properties)
    copy.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, withLargeIntegers(property)]),
    );
  const types = [schema.type ?? []].flat();
  if (!types.includes('integer')) return copy;
  // Beside `number` the integers are numbers anyway, and must not narrow them.
  if (!types.includes('number')) copy.multipleOf = 1;
  const widened = new Set(types.map((type) => (type === 'integer' ? 'number' : type)));
  copy.type = widened.size === 1 ? 'number' : [...widened];
  return copy;
}
