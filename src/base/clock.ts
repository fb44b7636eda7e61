/** Time as an argument: every layer below the daemon takes its clock and its timers from here. */

/** A monotonic clock in integer microseconds; its zero is arbitrary. */
export interface Clock {
  nowUs(): number;
}

/** Cancels a scheduled call; calling it twice, or after the call ran, does nothing. */
export type Cancel = () => void;

/** A clock that can also call back. Real in the daemon, virtual in the simulator. */
export interface Scheduler extends Clock {
  /**
   * Calls `callback` once at or after `atUs`, never before it and never from within `at` itself.
   * Calls due at the same microsecond run in the order in which they were scheduled.
   */
  at(atUs: number, callback: () => void): Cancel;
}
