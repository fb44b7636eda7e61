/** The simulator against theory: slotted ALOHA (Roberts 1975), non-persistent and p-persistent CSMA (Kleinrock and Tobagi 1975). */
import { seededRandom } from '../../src/base/random.js';
import {
  nonPersistentThroughput,
  persistentWithoutPause,
  slottedNonPersistentThroughput,
} from '../../src/sim/bound.js';
import { PPersistence } from '../../src/sim/comparison/p-persistence.js';
import { type AccessRule, simulateRandomAccess } from '../../src/sim/comparison/random-access.js';
import { simulateSaturation } from '../../src/sim/saturation.js';
import { estimate, type MacRow, macRow, seedsOf } from './mac-rows.js';

const OFFERED_FRAMES = 60_000;
const TOLERANCE = 0.02;

function closedFormRow(
  name: string,
  expected: number,
  a: number,
  stations: number | null,
  run: (seed: number) => number,
): MacRow {
  const { mean: value, plusMinus } = estimate(seedsOf((seed) => run(seed) / expected));
  return macRow({
    measure: `simulator, ${name}`,
    value,
    plusMinus,
    unit: 'of the closed form',
    target: 'within 2 %',
    met: Math.abs(value - 1) <= TOLERANCE,
    mac: 'closed form',
    stations,
    a,
    utilisation: value * expected,
    bound: expected,
  });
}

export function randomAccessRow(rule: AccessRule, offered: number, a: number): MacRow {
  const expected =
    rule === 'slotted ALOHA'
      ? offered * Math.exp(-offered)
      : rule === 'non-persistent'
        ? nonPersistentThroughput(offered, a)
        : slottedNonPersistentThroughput(offered, a);
  return closedFormRow(`${rule}, G = ${offered}, a = ${a}`, expected, a, null, (seed) =>
    simulateRandomAccess({ rule, offered, a, seed, frames: OFFERED_FRAMES }),
  );
}

/** With the production MAC. */
export function persistentRow(stations: number, p: number, a: number): MacRow {
  const name = `p-persistent CSMA with the production MAC, n = ${stations}, p = ${p}, a = ${a}`;
  return closedFormRow(
    name,
    persistentWithoutPause(stations, p, a),
    a,
    stations,
    (seed) =>
      simulateSaturation({
        stations,
        a,
        seed,
        durationFrames: 6000,
        warmUpFrames: 10,
        config: { arq: false },
        contention: (_timing, station) => new PPersistence(seededRandom(seed * 1000 + station), p),
      }).utilisation,
  );
}
