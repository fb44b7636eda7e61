/** A packet of a higher class goes before those that wait for the channel: seen on the air. Needs root. */
import { expect, it } from 'vitest';
import { urgentPackets } from './priority-scenario.js';

const IN_HAND_MAX = 1;

it('an urgent packet finds at most one in hand', { timeout: 90_000 }, async () => {
  const before = await urgentPackets(3);
  expect(Math.min(...before)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...before)).toBeLessThanOrEqual(IN_HAND_MAX);
});
