/** The cells of the table: saturated stations that all hear each other, ours and what others do, beside the bound. */
import { seededRandom } from '../../src/base/random.js';
import type { Contention } from '../../src/mac/contention.js';
import { memorylessBound } from '../../src/sim/bound.js';
import { ExponentialBackoff } from '../../src/sim/comparison/exponential-backoff.js';
import { IdleSense } from '../../src/sim/comparison/idle-sense.js';
import { PPersistence } from '../../src/sim/comparison/p-persistence.js';
import { simulateUncoordinated } from '../../src/sim/comparison/uncoordinated.js';
import { simulateSaturation } from '../../src/sim/saturation.js';
import { estimate, type MacRow, macRow, mean, SEEDS, seedsOf } from './mac-rows.js';

export const WARM_UP_FRAMES = 200;
/** Two of Jain's windows of 20 n frames at least. */
export const framesFor = (stations: number): number => Math.max(1000, 45 * stations);
/** Fewer for comparison: where most frames collide, each costs as many receptions as there are pairs. */
const COMPARED_SEEDS = 3;
const comparedFrames = (stations: number): number => (stations > 20 ? 200 : 500);

/** The small ones want more than the bound; with long slots almost the bound is enough. */
const targetShare = (a: number): number => (a <= 0.03 ? 1 : 0.95);
export const JAIN_TARGET = 0.95;

interface Run {
  readonly utilisation: number;
  readonly jain: number;
}

type Rival = (stations: number, a: number, seed: number) => Run;

type Rule = (random: ReturnType<typeof seededRandom>, a: number) => Contention;

const sluice: Rival = (stations, a, seed) =>
  simulateSaturation({ stations, a, seed, durationFrames: framesFor(stations), warmUpFrames: WARM_UP_FRAMES });

/** @param arq a KISS TNC knows of no acknowledgement; what learns from failures needs them */
function carrierSense(arq: boolean, rule: Rule): Rival {
  return (stations, a, seed) =>
    simulateSaturation({
      stations,
      a,
      seed,
      durationFrames: comparedFrames(stations),
      warmUpFrames: WARM_UP_FRAMES / 2,
      config: { arq },
      contention: (_timing, station) => rule(seededRandom(seed * 4099 + station), a),
    });
}

function uncoordinated(discipline: 'aloha' | 'none'): Rival {
  return (stations, _a, seed) =>
    simulateUncoordinated({ stations, seed, durationFrames: comparedFrames(stations), discipline });
}

export const RIVALS: Readonly<Record<string, Rival>> = {
  sluice,
  'kiss-p-persistence': carrierSense(false, (random) => new PPersistence(random)),
  'exponential-backoff': carrierSense(true, (random) => new ExponentialBackoff(random)),
  'idle-sense': carrierSense(true, (random, a) => new IdleSense(random, a)),
  'pure-aloha': uncoordinated('aloha'),
  'no-mac': uncoordinated('none'),
};

export function rivalCell(mac: string, run: Rival, stations: number, a: number): MacRow {
  const bound = memorylessBound(stations, a);
  const isOurs = mac === 'sluice';
  const seeds = isOurs ? SEEDS : COMPARED_SEEDS;
  const runs = seedsOf((seed) => run(stations, a, seed), seeds);
  const shares = estimate(runs.map(({ utilisation }) => utilisation / bound));
  const jain = mean(runs.map((each) => each.jain));
  const share = targetShare(a);
  return macRow({
    measure: `saturated, n = ${stations}, a = ${a}: ${mac}`,
    value: shares.mean,
    plusMinus: shares.plusMinus,
    unit: 'of the bound',
    target: isOurs ? `>= ${share.toFixed(2)} of the bound, Jain >= ${JAIN_TARGET}` : null,
    met: isOurs ? shares.mean >= share && jain >= JAIN_TARGET : null,
    mac,
    stations,
    a,
    utilisation: shares.mean * bound,
    bound,
    jain,
    seeds,
  });
}
