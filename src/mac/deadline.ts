/** When a packet is too old to be of use: interactive ones have a deadline of their own. */
import type { MacConfig } from './ports.js';

/** Priority (SO_PRIORITY) of interactive traffic: Linux's TC_PRIO_INTERACTIVE, what TOS 0x10 is mapped to. */
export const INTERACTIVE_PRIORITY = 6;

export type Deadlines = Pick<MacConfig, 'deadlineUs' | 'interactiveDeadlineUs'>;

/** Whether a packet of this priority is of no use any more at this age, in us. */
export function isTooOld(ageUs: number, priority: number, deadlines: Deadlines): boolean {
  const { deadlineUs, interactiveDeadlineUs = deadlineUs } = deadlines;
  return ageUs > (priority >= INTERACTIVE_PRIORITY ? interactiveDeadlineUs : deadlineUs);
}
