/** Turns what zod finds into lines that an operator can act on: key, value, what is allowed, and where it was set. */
import type { z } from 'zod';
import { SluiceError } from '../base/errors.js';
import { NOT_AVAILABLE } from './schema-parts.js';

/** One source of settings, as read; later layers win. */
export interface Layer {
  /** A file's path, or `--set`. */
  readonly origin: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A number with a unit behind it, or in front of a percent sign. */
const NUMBER_WITH_UNIT = /^\s*[+-]?[0-9][0-9_.,]*\s*[A-Za-zµ%][A-Za-z/µ%]*\s*$/;

/** The value at a path, and whether it is there at all. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): { found: boolean; value: unknown } {
  let value = root;
  for (const key of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key))
      return { found: false, value: undefined };
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return { found: value !== undefined, value };
}

/** How a value looks in a message: as JSON, cut short. */
export function showValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function showPath(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`)).join('');
}

/** Says where the value came from, which is the last layer that has the key. */
function showOrigin(path: readonly PropertyKey[], layers: readonly Layer[]): string {
  const layer = layers.findLast(({ values }) => valueAt(values, path).found);
  return layer === undefined ? '' : ` [${layer.origin}]`;
}

function describeOne(
  path: readonly PropertyKey[],
  expected: string,
  merged: unknown,
  layers: readonly Layer[],
): string {
  const { found, value } = valueAt(merged, path);
  const key = showPath(path);
  if (!found) return `${key}: is missing; expected ${expected}`;
  const origin = showOrigin(path, layers);
  if (expected.startsWith(NOT_AVAILABLE)) return `${key}: ${showValue(value)} is ${expected}${origin}`;
  const unit =
    typeof value === 'string' && NUMBER_WITH_UNIT.test(value) && /integer|multiple/.test(expected)
      ? "; write the number alone: the unit is fixed by the key's name"
      : '';
  return `${key}: ${showValue(value)} is not allowed; expected ${expected}${unit}${origin}`;
}

function describe(issue: z.core.$ZodIssue, merged: unknown, layers: readonly Layer[]): string[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const path = [...issue.path, key];
        return `${showPath(path)}: unknown key; expected ${issue.message}${showOrigin(path, layers)}`;
      });
    case 'invalid_key':
      return [
        `${showPath(issue.path)}: key is not allowed; expected ${issue.issues[0]?.message ?? issue.message}${showOrigin(issue.path, layers)}`,
      ];
    default:
      return [describeOne(issue.path, issue.message, merged, layers)];
  }
}

/** One error for all problems, a line each. `subject` is the file or profile that was being read. */
export function configurationError(
  issues: readonly z.core.$ZodIssue[],
  merged: unknown,
  layers: readonly Layer[],
  subject: string,
  remedy = 'Correct the keys named; "sluice profiles show ID" prints a complete profile.',
): SluiceError {
  const lines = [...new Set(issues.flatMap((issue) => describe(issue, merged, layers)))];
  return new SluiceError('configuration', lines.join('\n'), { subject, remedy });
}
