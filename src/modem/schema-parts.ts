/**
 * The leaves of the profile schema. Each carries, as its zod message, the words that follow "expected" in an error, so
 * that an operator reads what is allowed and never a type name.
 */
import { z } from 'zod';

/** Starts the message of a value that is known but not there yet; it replaces "is not allowed". */
export const NOT_AVAILABLE = 'not available in this version';

export interface IntegerOptions {
  readonly min: number;
  readonly max: number;
  /** How a reader says the unit: `bit/s`, `us`, `octets`. */
  readonly unit?: string;
  readonly multipleOf?: number;
  /** Words in place of the number, `auto` mostly. */
  readonly or?: string;
}

function describeInteger({ min, max, unit, multipleOf, or }: IntegerOptions): string {
  const kind = multipleOf === undefined ? 'an integer' : `a multiple of ${multipleOf}`;
  const suffix = unit === undefined ? '' : ` (${unit})`;
  return `${or === undefined ? '' : `${or}, or `}${kind} from ${min} to ${max}${suffix}`;
}

export function integer(options: IntegerOptions): z.ZodNumber {
  const error = describeInteger(options);
  const schema = z.number({ error }).int({ error }).min(options.min, { error }).max(options.max, { error });
  return options.multipleOf === undefined ? schema : schema.multipleOf(options.multipleOf, { error });
}

/** `auto` (worked out from the rest), or an integer. */
export function autoOrInteger(options: IntegerOptions): z.ZodUnion<[z.ZodLiteral<'auto'>, z.ZodNumber]> {
  const worded = { ...options, or: 'auto' };
  const error = describeInteger(worded);
  return z.union([z.literal('auto', { error }), integer(worded)], { error });
}

/** One of a few words. `later` are words of coming versions: refused, but not as if they were nonsense. */
export function oneOf<const T extends readonly [string, ...string[]]>(
  values: T,
  later: readonly string[] = [],
): z.ZodEnum<{ [K in T[number]]: K }> {
  const expected = values.length === 1 ? String(values[0]) : `one of ${values.join(', ')}`;
  return z.enum(values, {
    error: (issue) => (later.includes(String(issue.input)) ? `${NOT_AVAILABLE}; expected ${expected}` : expected),
  }) as z.ZodEnum<{ [K in T[number]]: K }>;
}

export function yesNo(): z.ZodBoolean {
  return z.boolean({ error: 'true or false' });
}

/** Text of at least one character; `expected` says which. */
export function text(expected: string, pattern?: RegExp): z.ZodString {
  const schema = z.string({ error: expected }).min(1, { error: expected });
  return pattern === undefined ? schema : schema.regex(pattern, { error: expected });
}

/** A mapping that refuses keys that it does not know, and says which it does. */
export function section<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `one of ${keys}` : `a mapping with the keys ${keys}`),
  });
}

/** A key that cannot be so beside others: its path, and what follows "expected" in the error. */
export interface Contradiction {
  readonly path: readonly string[];
  readonly expected: string;
}

export type Section = z.ZodObject;
export type SettingsOf<S extends Section> = z.output<S>;

/** What the section of every driver has. */
export type DriverSection = z.ZodObject<
  { readonly kind: z.ZodEnum<Readonly<Record<string, string>>>; readonly maxFrameBytes: z.ZodNumber },
  z.core.$strict
>;
