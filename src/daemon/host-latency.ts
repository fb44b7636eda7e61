/**
 * How late this host is: measured at start by waking up a few times, as the MAC will have to. The MAC's slot is made
 * long enough for it, so the figure is rounded up in steps: stations of one kind of host come to the same slot.
 */
import type { Scheduler } from '../base/clock.js';

const WAKE_UPS = 32;
const INTERVAL_US = 2_500;
const STEPS_US = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000];
/** Beside its timer, a host is late by the way of an octet through driver and event loop; taken for as much again. */
const WAY_OF_AN_OCTET = 2;

/** Microseconds, one of a few steps; takes about 80 ms. */
export async function measureHostLatencyUs(scheduler: Scheduler): Promise<number> {
  const latenessUs: number[] = [];
  for (let i = 0; i < WAKE_UPS; i++) {
    const dueUs = scheduler.nowUs() + INTERVAL_US;
    await new Promise<void>((resolve) => scheduler.at(dueUs, resolve));
    latenessUs.push(scheduler.nowUs() - dueUs);
  }
  latenessUs.sort((left, right) => left - right);
  // One outlier, from the start of the program itself, is left out.
  const typicalWorstUs = latenessUs[WAKE_UPS - 2] ?? 0;
  return STEPS_US.find((step) => step >= WAY_OF_AN_OCTET * typicalWorstUs) ?? STEPS_US.at(-1) ?? 0;
}
