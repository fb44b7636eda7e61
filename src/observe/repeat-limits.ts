/** How often the log says what: events that may come in swarms, each with what it is about. */
import type { EventName, LogEvents } from './events.js';
import type { RepeatLimit } from './repeats.js';

const MINUTE_MS = 60_000;
/** A change and its end are worth a line each; a whole day of them is not. */
const CHANGES: RepeatLimit = { burst: 10, windowMs: MINUTE_MS };
/** Each line says all that the ones before it said. */
const COUNTS: RepeatLimit = { burst: 1, windowMs: 10 * MINUTE_MS };

/** Events that are not here come at a pace of their own, and each is written. */
const LIMITS: { readonly [Name in EventName]?: RepeatLimit & { subject?(fields: LogEvents[Name]): string } } = {
  // One subject: the last of them says whether the line is there.
  'line-open': { ...CHANGES, subject: () => 'line' },
  'line-lost': { ...CHANGES, subject: () => 'line' },
  'line-retry': CHANGES,
  'back-pressure': CHANGES,
  'back-pressure-leak': COUNTS,
  neighbour: { ...CHANGES, burst: 4, subject: ({ neighbour }) => `neighbour ${neighbour}` },
  'stuck-busy': { ...CHANGES, burst: 4 },
  'key-down': CHANGES,
  'address-conflict': { ...CHANGES, burst: 1 },
  interface: { ...CHANGES, subject: ({ change }) => `interface ${change}` },
  hung: CHANGES,
  modem: { ...COUNTS, subject: ({ meaning }) => `modem ${meaning}` },
};

/** Null: no limit. */
export function limitOf<Name extends EventName>(
  event: Name,
  fields: LogEvents[Name],
): (RepeatLimit & { readonly subject: string }) | null {
  const limit = LIMITS[event];
  return limit === undefined ? null : { ...limit, subject: limit.subject?.(fields) ?? event };
}
