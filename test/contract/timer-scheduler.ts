/** Real time for tests of adapters, on Node's timers. */
import type { Scheduler } from '../../src/base/clock.js';

export const timerScheduler: Scheduler = {
  nowUs: () => Math.floor(performance.now() * 1000),
  at: (atUs, callback) => {
    const timer = setTimeout(callback, Math.max(0, Math.ceil((atUs - timerScheduler.nowUs()) / 1000)));
    return () => clearTimeout(timer);
  },
};

export const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `condition` holds; fails, saying `what` did not come about, when it takes too long. */
export async function until(what: string, condition: () => boolean, timeoutMs = 15_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(2);
  }
}
