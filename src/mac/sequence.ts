/**
 * Arithmetic of sequence numbers (see link-frame.md): 5 bits, counted per pair of stations. At most WINDOW frames of a
 * sender are open at a time, so that less than half of the numbers is ever in doubt.
 */
import { SEQUENCES } from '../wire/link-frame.js';

export function sequenceAfter(sequence: number, steps = 1): number {
  return (sequence + steps) & (SEQUENCES - 1);
}

/** Steps forward from one number to another, 0 to 31. */
export function sequenceDistance(from: number, to: number): number {
  return (to - from) & (SEQUENCES - 1);
}
