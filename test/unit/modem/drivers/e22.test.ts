/** E22: what the profile says about the module's times is what the MAC gets. */
import { expect, it } from 'vitest';
import { bench } from './bench.js';

it('a module that takes longer to answer is heard of later: the question and its answer come before each look', () => {
  const detectUs = (answerMs: number): number =>
    bench('e22-2400', [`driver.answerMs=${answerMs}`], false).driver.timing.carrierDetectUs;
  expect(detectUs(100) - detectUs(20)).toBe(2 * 80_000);
});
