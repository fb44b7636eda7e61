/**
 * The production MAC on the real transparent driver and its emulated radio, octet by octet, with hosts that are late: the
 * channel is shared evenly and mostly used, as the frame-level simulations say.
 */
import { describe, expect, it } from 'vitest';
import { simulateLateRadios, stallingHost, unsteadyHost } from '../../src/sim/late-radios.js';

describe('saturated transparent radios', () => {
  it.each([
    [3, 2_000, 0],
    [3, 2_000, 1_000],
    [3, 16_000, 2_000],
    [5, 4_000, 2_000],
  ])('%i stations, hosts that declare %i us and are late by up to %i us', (stations, hostLatencyUs, latenessUs) => {
    const shared = simulateLateRadios({
      stations,
      hostLatencyUs,
      host: unsteadyHost(latenessUs),
      seed: 7,
      durationUs: 300e6,
    });
    expect(shared.jain).toBeGreaterThan(0.95);
    expect(shared.utilisation).toBeGreaterThan(0.8);
    expect(shared.unackedShare).toBeLessThan(0.25);
  });

  it.each([
    ['late by up to 1.5 ms', unsteadyHost(1500)],
    ['standing still five times a second, for 40 ms in the mean', stallingHost(5, 40_000)],
  ])('agree in their first 25 s, on hosts %s', (_name, host) => {
    const seeds = [1, 2, 3, 4, 5, 6];
    const runs = seeds.map((seed) =>
      simulateLateRadios({ stations: 3, hostLatencyUs: 16_000, host, seed, durationUs: 25e6 }),
    );
    // All begin at once: two or three collisions of some fifty attempts are the price of that.
    expect(runs.reduce((sum, { unackedShare }) => sum + unackedShare, 0) / seeds.length).toBeLessThan(0.13);
    expect(runs.reduce((sum, { utilisation }) => sum + utilisation, 0) / seeds.length).toBeGreaterThan(0.8);
  });

  it.each([
    ['late by up to 1.5 ms', unsteadyHost(1500), 0.92],
    ['late by up to 6 ms', unsteadyHost(6000), 0.81],
  ])('count the same slots, ten of them on hosts %s', (_name, host, least) => {
    const seeds = [1, 2, 3, 4, 5, 6];
    const runs = seeds.map((seed) =>
      simulateLateRadios({ stations: 10, hostLatencyUs: 16_000, host, seed, durationUs: 45e6, warmUpUs: 15e6 }),
    );
    expect(runs.reduce((sum, { utilisation }) => sum + utilisation, 0) / seeds.length).toBeGreaterThan(least);
  });
});
