/**
 * Slots are counted in milliseconds: whatever else runs on the machine must not make them late. On two cores with eight
 * busy processes, a timer of 20 ms is late by up to 38 ms for an ordinary process, 29 ms with niceness -15, 3 ms in real time.
 * Without slots to keep, real time would take more than is needed; but a line that waits for us carries nothing meanwhile. At
 * full speed on two busy cores, niceness -10 carried 1.11 times as much UDP and 1.06 times as much TCP as 0 (medians of 49
 * rounds); -15 and -20 no more than -10.
 */
import { getPriority, setPriority } from 'node:os';
import { schedulingPolicy, setRoundRobin } from '../native/descriptors.js';
import type { LogEvents } from '../observe/events.js';

export type HostScheduling = LogEvents['ready']['scheduling'];

const SCHED_OTHER = 0;
/** The lowest: before every ordinary process, behind whatever else is in real time. */
const REAL_TIME_PRIORITY = 1;
const NICENESS_FOR_SLOTS = -15;
const NICENESS_FOR_LINE = -10;

/**
 * Puts this thread before ordinary processes, as far as it is allowed to (CAP_SYS_NICE, or RLIMIT_RTPRIO), unless somebody
 * has chosen its policy or niceness already.
 * @param keeps slots, which need real time; or just a line busy, which does not
 */
export function runBeforeOthers(keeps: 'slots' | 'line'): HostScheduling {
  if (schedulingPolicy() !== SCHED_OTHER || getPriority() !== 0) return 'as-found';
  if (keeps === 'slots' && setRoundRobin(REAL_TIME_PRIORITY) === 0) return 'real-time';
  try {
    setPriority(keeps === 'slots' ? NICENESS_FOR_SLOTS : NICENESS_FOR_LINE);
    return 'preferred';
  } catch {
    // Not allowed either: what that costs is seen in the latency that is measured next.
    return 'ordinary';
  }
}
