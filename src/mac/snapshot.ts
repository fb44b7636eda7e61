/** How a MAC stands at a moment, for logs and metrics. */
import type { MacParts } from './parts.js';
import type { MacSnapshot, MacState } from './ports.js';

export function snapshotOf(parts: MacParts, state: MacState, nowUs: number): MacSnapshot {
  const { access, limits, counters, delays, sender, neighbours } = parts;
  return {
    ...access.snapshotAt(nowUs),
    budgetLeft: limits.leftShare(nowUs),
    state,
    counters,
    ...delays.snapshot(),
    retries: sender.retries,
    neighbours: neighbours.list(),
    unheard: neighbours.unheard(),
    inHand: sender.inHand,
  };
}
