/**
 * How late a host may be. The MAC's slot is made long enough for it, and the slot must be the same at every station of a
 * channel: with different ones, stations count differently, and those with the shorter slot take the channel from the
 * others. So it is derived from what they have in common, the airtime of a frame, and this host is only measured to see
 * whether it can keep to it.
 */
import type { Scheduler } from '../base/clock.js';

const WAKE_UPS = 32;
const INTERVAL_US = 2_500;
/** Beside its timer, a host is late by the way of an octet through driver and event loop; taken for as much again. */
const WAY_OF_AN_OCTET = 2;
/** From what a single-board computer keeps to, to what a machine with more work than processors does. */
const STEPS_US = [4_000, 8_000, 16_000, 32_000];
/**
 * Of a full frame. In virtual time, three saturated stations with the transparent driver at 9600 bit/s (frame 490 ms)
 * carry 0.895 with 4 ms, 0.890 with 16 ms when no host is late, and 0.83 with 8 ms, 0.88 with 16 ms when hosts are late
 * by up to 6 and 8 ms: too long costs next to nothing, too short does.
 */
const FRAMES_SHARE = 32;

/** Microseconds, one of a few steps, so that stations whose MTUs differ a little come to the same. */
export function commonHostLatencyUs(frameAirtimeUs: number): number {
  const wantedUs = frameAirtimeUs / FRAMES_SHARE;
  return STEPS_US.find((step) => step >= wantedUs) ?? STEPS_US.at(-1) ?? 0;
}

/** How late this host is, in microseconds: wakes up a few times, as the MAC will have to. Takes about 80 ms. */
export async function measureHostLatencyUs(scheduler: Scheduler): Promise<number> {
  const latenessUs: number[] = [];
  for (let i = 0; i < WAKE_UPS; i++) {
    const dueUs = scheduler.nowUs() + INTERVAL_US;
    await new Promise<void>((resolve) => scheduler.at(dueUs, resolve));
    latenessUs.push(scheduler.nowUs() - dueUs);
  }
  latenessUs.sort((left, right) => left - right);
  // One outlier, from the start of the program itself, is left out.
  return WAY_OF_AN_OCTET * (latenessUs[WAKE_UPS - 2] ?? 0);
}
