/**
 * Sequence numbers of unicast frames: 5 bits, counted per pair of stations. At most WINDOW frames of a sender are open
 * at a time, so that less than half of the numbers is ever in doubt.
 */

export const SEQUENCES = 32;
/** Frames that may be open towards one receiver; the frame's `behind` (3 bits) must be able to name the oldest. */
export const WINDOW = 8;

export function sequenceAfter(sequence: number, steps = 1): number {
  return (sequence + steps) & (SEQUENCES - 1);
}

/** Steps forward from one number to another, 0 to 31. */
export function sequenceDistance(from: number, to: number): number {
  return (to - from) & (SEQUENCES - 1);
}
