/** The latency that all stations of a channel allow each other, and the measuring of one host's. */
import { describe, expect, it } from 'vitest';
import { commonHostLatencyUs, measureHostLatencyUs } from '../../../src/daemon/host-latency.js';
import { lateScheduler } from '../../../src/sim/late-host.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

describe('the latency that stations allow each other', () => {
  it('follows from the frame alone, in steps', () => {
    expect(commonHostLatencyUs(490_000)).toBe(16_000);
    expect(commonHostLatencyUs(480_000)).toBe(16_000);
    expect(commonHostLatencyUs(123_000)).toBe(4_000);
    expect(commonHostLatencyUs(1_000)).toBe(4_000);
    expect(commonHostLatencyUs(60_000_000)).toBe(32_000);
  });
});

/** The clock goes on in steps, so a wake-up is seen later by up to one. */
const STEP_US = 50;

describe('the latency of this host', () => {
  async function measured(latenessUs: () => number): Promise<number> {
    const time = new VirtualTime();
    let latency: number | undefined;
    const done = measureHostLatencyUs(lateScheduler(time, latenessUs)).then((found) => {
      latency = found;
    });
    for (let i = 0; latency === undefined && i < 100_000; i++) {
      time.runFor(STEP_US);
      await Promise.resolve();
      await Promise.resolve();
    }
    await done;
    return latency ?? Number.NaN;
  }

  it('is twice what its timers are late', async () => {
    expect(await measured(() => 0)).toBeLessThanOrEqual(2 * STEP_US);
    const late = await measured(() => 3_000);
    expect(late).toBeGreaterThanOrEqual(6_000);
    expect(late).toBeLessThanOrEqual(6_000 + 2 * STEP_US);
  });

  it('does not follow one outlier', async () => {
    let calls = 0;
    expect(await measured(() => (++calls === 5 ? 90_000 : 1_000))).toBeLessThanOrEqual(2_000 + 2 * STEP_US);
  });
});
