/**
 * The suite `mac`: the production MAC in virtual time, cell by cell beside the bound of memoryless CSMA, and the same cells
 * for what others do. Several seeds each; 95 % confidence intervals. The bound is computed, see src/sim/bound.ts.
 */
import { seededRandom } from '../../src/base/random.js';
import type { Contention } from '../../src/mac/contention.js';
import { memorylessBound } from '../../src/sim/bound.js';
import { ExponentialBackoff } from '../../src/sim/comparison/exponential-backoff.js';
import { IdleSense } from '../../src/sim/comparison/idle-sense.js';
import { PPersistence } from '../../src/sim/comparison/p-persistence.js';
import { simulateUncoordinated } from '../../src/sim/comparison/uncoordinated.js';
import { type SaturationOptions, simulateSaturation } from '../../src/sim/saturation.js';
import type { BenchRow } from './rows.js';

/** One figure; what belongs to a cell of the table is null elsewhere. */
export interface MacRow extends BenchRow {
  /** `sluice`, or the name of what it is compared with. */
  readonly mac: string;
  readonly stations: number | null;
  readonly a: number | null;
  readonly utilisation: number | null;
  readonly bound: number | null;
  readonly jain: number | null;
  /** The first of the seeds, which follow one another. */
  readonly seed: number;
  readonly seeds: number;
  /** Half the 95 % confidence interval of `value`; null where there is one run. */
  readonly plusMinus: number | null;
}

const STATIONS = [2, 5, 10, 20, 50];
const SLOTS = [0.003, 0.01, 0.03, 0.1, 0.3];
const SEEDS = 5;
const FIRST_SEED = 1;
const WARM_UP_FRAMES = 200;
/** Two of Jain's windows of 20 n frames at least. */
const framesFor = (stations: number): number => Math.max(1000, 45 * stations);
/** Fewer for comparison: where most frames collide, each costs as many receptions as there are pairs. */
const COMPARED_SEEDS = 3;
const comparedFrames = (stations: number): number => (stations > 20 ? 200 : 500);

/** The small ones want more than the bound; with long slots almost the bound is enough. */
const targetShare = (a: number): number => (a <= 0.03 ? 1 : 0.95);
const JAIN_TARGET = 0.95;

interface Run {
  readonly utilisation: number;
  readonly jain: number;
}

interface Rival {
  readonly mac: string;
  run(stations: number, a: number, seed: number): Run;
}

type Rule = (random: ReturnType<typeof seededRandom>, a: number) => Contention;

const SLUICE: Rival = {
  mac: 'sluice',
  run: (stations, a, seed) =>
    simulateSaturation({ stations, a, seed, durationFrames: framesFor(stations), warmUpFrames: WARM_UP_FRAMES }),
};

/** @param arq a KISS TNC knows of no acknowledgement; what learns from failures needs them */
function carrierSense(mac: string, arq: boolean, rule: Rule): Rival {
  return {
    mac,
    run: (stations, a, seed) =>
      simulateSaturation({
        stations,
        a,
        seed,
        durationFrames: comparedFrames(stations),
        warmUpFrames: WARM_UP_FRAMES / 2,
        config: { arq },
        contention: (_timing, station) => rule(seededRandom(seed * 4099 + station), a),
      }),
  };
}

const RIVALS: readonly Rival[] = [
  SLUICE,
  carrierSense('kiss-p-persistence', false, (random) => new PPersistence(random)),
  carrierSense('exponential-backoff', true, (random) => new ExponentialBackoff(random)),
  carrierSense('idle-sense', true, (random, a) => new IdleSense(random, a)),
  ...(['aloha', 'none'] as const).map((discipline) => ({
    mac: discipline === 'aloha' ? 'pure-aloha' : 'no-mac',
    run: (stations: number, _a: number, seed: number): Run =>
      simulateUncoordinated({ stations, seed, durationFrames: comparedFrames(stations), discipline }),
  })),
];

/** Runs everything; about a minute. */
export async function runMacBench(say: (line: string) => void): Promise<readonly MacRow[]> {
  const rows: MacRow[] = [];
  for (const rival of RIVALS) {
    for (const a of SLOTS) {
      for (const stations of STATIONS) rows.push(cell(rival, stations, a));
      const shares = rows.slice(-STATIONS.length).map(({ value }) => value?.toFixed(3));
      say(`${rival.mac}, a = ${a}: ${shares.join(' ')} of the bound at ${STATIONS.join(', ')} stations`);
    }
  }
  rows.push(...loneRows(), ...stepRows(), ...hiddenRows(), ...noiseRows(), speedRow());
  return rows;
}

function cell({ mac, run }: Rival, stations: number, a: number): MacRow {
  const bound = memorylessBound(stations, a);
  const isOurs = mac === 'sluice';
  const seeds = isOurs ? SEEDS : COMPARED_SEEDS;
  const runs = seedsOf((seed) => run(stations, a, seed), seeds);
  const shares = estimate(runs.map(({ utilisation }) => utilisation / bound));
  const jain = mean(runs.map((each) => each.jain));
  const share = targetShare(a);
  return row({
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

/** What a modem can carry: frame after frame, each with its ACK. */
function loneRows(): MacRow[] {
  const frameBytes = 500;
  // Measured, with no slot left free.
  const idleless = simulateSaturation({
    stations: 1,
    a: 0.003,
    seed: FIRST_SEED,
    durationFrames: 500,
    frameBytes,
    contention: () => new PPersistence(seededRandom(1), 1),
  }).utilisation;
  return SLOTS.map((a) => {
    const runs = seedsOf((seed) =>
      simulateSaturation({ stations: 1, a, seed, durationFrames: 2000, warmUpFrames: 20, frameBytes }),
    );
    const { mean: value, plusMinus } = estimate(runs.map(({ utilisation }) => utilisation / idleless));
    return row({
      measure: `lone sender, a = ${a}`,
      value,
      plusMinus,
      unit: 'of what the modem can carry',
      target: '>= 0.98',
      met: value >= 0.98,
      stations: 1,
      a,
      utilisation: value * idleless,
    });
  });
}

/** Two stations, eighteen more for a while: what is carried in the 100 frames that begin 100 frames after each step. */
function stepRows(): MacRow[] {
  const firstStep = 300;
  const secondStep = 900;
  const ends = 1500;
  return SLOTS.map((a) => {
    const ratios = seedsOf((seed) => {
      const { arrivals } = simulateSaturation({
        stations: 20,
        a,
        seed,
        durationFrames: ends,
        warmUpFrames: 50,
        active: (station) => (station <= 2 ? [Number.NEGATIVE_INFINITY, ends] : [firstStep, secondStep]),
      });
      const carried = (from: number, until: number): number =>
        arrivals.filter(({ atFrames }) => atFrames >= from && atFrames < until).length / (until - from);
      const up = carried(firstStep + 100, firstStep + 200) / carried(firstStep + 300, secondStep);
      const down = carried(secondStep + 100, secondStep + 200) / carried(secondStep + 300, ends);
      return Math.min(up, down);
    });
    const { mean: value, plusMinus } = estimate(ratios);
    return row({
      measure: `2 -> 20 -> 2 stations, a = ${a}: 100 frames after the worse step`,
      value,
      plusMinus,
      unit: 'of steady state',
      target: '>= 0.90',
      met: value >= 0.9,
      stations: 20,
      a,
    });
  });
}

/** A and C send to B and are deaf to each other; B sends to A. Beside it the same with KISS p-persistence. */
function hiddenRows(): MacRow[] {
  return [0.01, 0.03, 0.1].flatMap((a) => {
    const options = (seed: number): SaturationOptions => ({
      stations: 3,
      a,
      seed,
      durationFrames: 2000,
      warmUpFrames: 50,
      destination: (station) => (station === 2 ? 1 : 2),
      medium: { hears: (listener, speaker) => listener + speaker !== 4 },
    });
    const ours = seedsOf((seed) => simulateSaturation(options(seed)));
    const plain = seedsOf((seed) =>
      simulateSaturation({
        ...options(seed),
        config: { arq: false },
        contention: (_timing, station) => new PPersistence(seededRandom(seed * 4099 + station)),
      }),
    );
    const carried = estimate(ours.map(({ utilisation }) => utilisation));
    const plainly = estimate(plain.map(({ utilisation }) => utilisation));
    const shared = { unit: 'of the channel', target: null, met: null, stations: 3, a };
    return [
      row({
        ...shared,
        measure: `hidden terminals A-B-C, a = ${a}`,
        value: carried.mean,
        plusMinus: carried.plusMinus,
        utilisation: carried.mean,
        jain: mean(ours.map(({ jain }) => jain)),
      }),
      row({
        ...shared,
        measure: `hidden terminals A-B-C, a = ${a}: kiss-p-persistence`,
        mac: 'kiss-p-persistence',
        value: plainly.mean,
        plusMinus: plainly.plusMinus,
        utilisation: plainly.mean,
        jain: mean(plain.map(({ jain }) => jain)),
      }),
    ];
  });
}

/** One frame in ten spoiled at each receiver, ACKs too. */
function noiseRows(): MacRow[] {
  return STATIONS.map((stations) => {
    const a = 0.03;
    const runs = seedsOf((seed) =>
      simulateSaturation({
        stations,
        a,
        seed,
        durationFrames: framesFor(stations),
        warmUpFrames: WARM_UP_FRAMES,
        medium: { frameErrorRate: 0.1 },
      }),
    );
    const { mean: value, plusMinus } = estimate(runs.map(({ utilisation }) => utilisation));
    return row({
      measure: `10 % frame errors, n = ${stations}, a = ${a}`,
      value,
      plusMinus,
      unit: 'of the channel',
      target: null,
      met: null,
      stations,
      a,
      utilisation: value,
      bound: memorylessBound(stations, a),
      jain: mean(runs.map(({ jain }) => jain)),
    });
  });
}

/** 1000 stations that all hear each other; broadcasts of another encapsulation, since link frames know 254 stations. */
function speedRow(): MacRow {
  const startedMs = performance.now();
  const { receptions, utilisation } = simulateSaturation({
    stations: 999,
    a: 0.01,
    seed: FIRST_SEED,
    durationFrames: 2000,
    config: { linkFrames: false, arq: false },
    modem: { capabilities: { checksIntegrity: true } },
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const value = receptions / seconds;
  return row({
    measure: 'simulation of 1000 stations that all hear each other',
    value,
    unit: 'receptions/s',
    target: '>= 300000',
    met: value >= 300_000,
    stations: 1000,
    a: 0.01,
    utilisation,
    seeds: 1,
  });
}

function row(given: Pick<MacRow, 'measure' | 'value' | 'unit' | 'target' | 'met'> & Partial<MacRow>): MacRow {
  return {
    suite: 'mac',
    mac: 'sluice',
    stations: null,
    a: null,
    utilisation: null,
    bound: null,
    jain: null,
    seed: FIRST_SEED,
    seeds: SEEDS,
    plusMinus: null,
    ...given,
  };
}

function seedsOf<T>(run: (seed: number) => T, seeds = SEEDS): T[] {
  return Array.from({ length: seeds }, (_, index) => run(FIRST_SEED + index));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Student's t for 95 %, two-sided, by degrees of freedom from 1. */
const STUDENT_T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

function estimate(values: readonly number[]): { mean: number; plusMinus: number } {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const t = STUDENT_T[values.length - 2] ?? 1.96;
  return { mean: centre, plusMinus: t * Math.sqrt(squares / (values.length - 1) / values.length) };
}
