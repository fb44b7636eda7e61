/** Traffic both ways: what acknowledgements that come along with data are worth, beside answers of their own. */
import { simulateSaturation } from '../../src/sim/saturation.js';
import { type TwoWayScene, twoWay } from '../../src/sim/two-way.js';
import { atLeast, estimate, type MacRow, macRow, mean, seedsOf } from './mac-rows.js';

export const TWO_WAY_SCENES: readonly TwoWayScene[] = [
  'one pair',
  'three pairs',
  'five, all to all',
  'hub and four leaves',
];
/** Slot / frame, and frame errors. */
export const TWO_WAY_CASES: readonly (readonly [a: number, frameErrorRate: number])[] = [
  [0.003, 0],
  [0.03, 0],
  [0.3, 0],
  [1, 0],
  [0.3, 0.01],
  [0.3, 0.1],
];
/** With frame errors no two runs are alike after the first of them: so much is chance. */
const CHANCE = 0.02;
const DURATION_FRAMES = 1000;

export function twoWayRow(scene: TwoWayScene, a: number, frameErrorRate: number): MacRow {
  const run = (seed: number, piggyback: boolean) =>
    simulateSaturation({
      ...twoWay(scene, a, frameErrorRate),
      seed,
      durationFrames: DURATION_FRAMES,
      warmUpFrames: 200,
      config: { piggyback },
    });
  const along = seedsOf((seed) => run(seed, true));
  const apart = mean(seedsOf((seed) => run(seed, false).utilisation));
  const { mean: value, plusMinus } = estimate(along.map(({ utilisation }) => utilisation / apart));
  const noise = frameErrorRate === 0 ? '' : `, ${100 * frameErrorRate} % frame errors`;
  return macRow({
    measure: `${scene}, both ways, a = ${a}${noise}`,
    ...atLeast(frameErrorRate === 0 ? 1 : 1 - CHANCE, value),
    plusMinus,
    unit: 'of ACKs apart',
    a,
    utilisation: value * apart,
    jain: mean(along.map(({ jain }) => jain)),
  });
}
