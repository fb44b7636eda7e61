/** A host whose timers come late: what the MAC sees on a loaded machine, for tests of its promises. */
import type { Scheduler } from '../base/clock.js';

/**
 * The same clock, with every call later than its due time by `latenessUs` of it (microseconds, 0 or more). Like a real event loop it
 * never runs a call before one that was due earlier.
 */
export function lateScheduler(scheduler: Scheduler, latenessUs: (dueUs: number) => number): Scheduler {
  // Due times and run times so far, to keep order: a call due later than these runs no earlier than they do.
  let latestDueUs = Number.NEGATIVE_INFINITY;
  let latestRunUs = Number.NEGATIVE_INFINITY;
  return {
    nowUs: () => scheduler.nowUs(),
    at: (atUs, callback) => {
      const dueUs = Math.max(atUs, scheduler.nowUs());
      let runUs = dueUs + latenessUs(dueUs);
      if (dueUs >= latestDueUs) {
        runUs = Math.max(runUs, latestRunUs);
        latestDueUs = dueUs;
        latestRunUs = runUs;
      }
      return scheduler.at(runUs, callback);
    },
  };
}
