/**
 * Slots are counted in milliseconds: whatever else runs on the machine must not make them late. On two cores with eight
 * busy processes, a timer of 20 ms is late by up to 38 ms for an ordinary process, 29 ms with niceness -15, 3 ms in real time.
 */
import { getPriority, setPriority } from 'node:os';
import { schedulingPolicy, setRoundRobin } from '../native/descriptors.js';
import type { LogEvents } from '../observe/events.js';

export type HostScheduling = LogEvents['ready']['scheduling'];

const SCHED_OTHER = 0;
/** The lowest: before every ordinary process, behind whatever else is in real time. */
const REAL_TIME_PRIORITY = 1;
const PREFERRED_NICENESS = -15;

/**
 * Puts this thread before ordinary processes, as far as it is allowed to (CAP_SYS_NICE, or RLIMIT_RTPRIO), unless somebody
 * has chosen its policy or niceness already.
 */
export function runBeforeOthers(): HostScheduling {
  if (schedulingPolicy() !== SCHED_OTHER || getPriority() !== 0) return 'as-found';
  if (setRoundRobin(REAL_TIME_PRIORITY) === 0) return 'real-time';
  try {
    setPriority(PREFERRED_NICENESS);
    return 'preferred';
  } catch {
    // Not allowed either: what that costs is seen in the latency that is measured next.
    return 'ordinary';
  }
}
