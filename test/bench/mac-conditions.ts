/** What else the MAC is measured under: alone, changing populations, hidden terminals, noise, sound. */
import { seededRandom } from '../../src/base/random.js';
import { acousticField } from '../../src/sim/acoustic-field.js';
import { memorylessBound } from '../../src/sim/bound.js';
import { PPersistence } from '../../src/sim/comparison/p-persistence.js';
import { simulateLink } from '../../src/sim/lossy-link.js';
import { type SaturationOptions, type SaturationResult, simulateSaturation } from '../../src/sim/saturation.js';
import { BROADCAST } from '../../src/wire/packet.js';
import { framesFor, JAIN_TARGET, WARM_UP_FRAMES } from './mac-cells.js';
import { atLeast, estimate, FIRST_SEED, type MacRow, macRow, mean, seedsOf } from './mac-rows.js';

const LINK = { packetBytes: () => 560, maxFrameBytes: 584, config: { maxRetries: 4 } };

/** What a modem can carry: frame after frame, each with its ACK. */
export function loneRow(a: number): MacRow {
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
  const runs = seedsOf((seed) =>
    simulateSaturation({ stations: 1, a, seed, durationFrames: 2000, warmUpFrames: 20, frameBytes }),
  );
  const { mean: value, plusMinus } = estimate(runs.map(({ utilisation }) => utilisation / idleless));
  return macRow({
    measure: `lone sender, a = ${a}`,
    ...atLeast(0.98, value),
    plusMinus,
    unit: 'of what the modem can carry',
    stations: 1,
    a,
    utilisation: value * idleless,
    bound: idleless,
  });
}

/** Two stations, eighteen more for a while: what is carried in the 100 frames that begin 100 frames after each step. */
export function stepRow(a: number): MacRow {
  const [firstStep, secondStep, ends] = [300, 900, 1500];
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
  return macRow({
    measure: `2 -> 20 -> 2 stations, a = ${a}: 100 frames after the worse step`,
    ...atLeast(0.9, value),
    plusMinus,
    unit: 'of steady state',
    stations: 20,
    a,
  });
}

/** A and C send to B and are deaf to each other; B sends to A. Plain: KISS p-persistence, and ours without asking. */
export function hiddenRows(a: number): MacRow[] {
  const options = (seed: number): SaturationOptions => ({
    stations: 3,
    a,
    seed,
    durationFrames: 2000,
    warmUpFrames: WARM_UP_FRAMES,
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
  const plainly = mean(plain.map(({ utilisation }) => utilisation));
  const ratio = estimate(ours.map(({ utilisation }) => utilisation / plainly));
  const shared = { stations: 3, a };
  const jain = (runs: readonly SaturationResult[]): number => mean(runs.map((each) => each.jain));
  return [
    macRow({
      ...shared,
      measure: `hidden terminals A-B-C, a = ${a}`,
      ...atLeast(2, ratio.mean),
      unit: 'x plain CSMA',
      plusMinus: ratio.plusMinus,
      utilisation: mean(ours.map(({ utilisation }) => utilisation)),
      jain: jain(ours),
    }),
    macRow({
      ...shared,
      measure: `hidden terminals A-B-C, a = ${a}: kiss-p-persistence`,
      mac: 'kiss-p-persistence',
      value: plainly,
      unit: 'of the channel',
      target: null,
      met: null,
      utilisation: plainly,
      jain: jain(plain),
    }),
  ];
}

/** Frames of 1 s, ends that are a seconds of sound apart, bursts of eight; beside the better of the bound and slotted ALOHA. */
export function acousticRow(stations: number, a: number): MacRow {
  const bound = Math.max(1 / Math.E, memorylessBound(stations, a));
  const runs = seedsOf((seed) =>
    simulateSaturation({ ...acousticField(stations, a, seed), durationFrames: 4000, warmUpFrames: 1000 }),
  );
  const share = estimate(runs.map(({ utilisation }) => utilisation / bound));
  return macRow({
    measure: `under water, n = ${stations}, a = ${a}`,
    ...atLeast(0.95, share.mean),
    plusMinus: share.plusMinus,
    unit: 'of the better of bound and 1/e',
    stations,
    a,
    bound,
    utilisation: share.mean * bound,
    jain: mean(runs.map(({ jain }) => jain)),
  });
}

/** One frame in ten spoiled at each receiver, ACKs too. */
export function noiseRow(stations: number): MacRow {
  const a = 0.03;
  const medium = { frameErrorRate: 0.1 };
  return sharedRow(`10 % frame errors, n = ${stations}, a = ${a}`, stations, a, 0, { medium });
}

/** Nobody confirms anything. */
export function broadcastRow(stations: number, a: number): MacRow {
  return sharedRow(`broadcasts only, n = ${stations}, a = ${a}`, stations, a, a <= 0.03 ? 1 : 0.95, {
    destination: () => BROADCAST,
  });
}

/** @param share of the bound that is wanted, besides fairness; 0: no more than fairness */
function sharedRow(
  measure: string,
  stations: number,
  a: number,
  share: number,
  condition: Pick<SaturationOptions, 'medium' | 'destination'>,
): MacRow {
  const bound = memorylessBound(stations, a);
  // Many that begin at once, and cannot tell noise from collision, take longer to settle.
  const warmUpFrames = Math.max(WARM_UP_FRAMES, 10 * stations);
  const runs = seedsOf((seed) =>
    simulateSaturation({ stations, a, seed, durationFrames: framesFor(stations), warmUpFrames, ...condition }),
  );
  const shares = estimate(runs.map(({ utilisation }) => utilisation / bound));
  const jain = mean(runs.map((each) => each.jain));
  return macRow({
    measure,
    value: shares.mean,
    plusMinus: shares.plusMinus,
    unit: 'of the bound',
    target: share === 0 ? `Jain >= ${JAIN_TARGET}` : `>= ${share.toFixed(2)} of the bound, Jain >= ${JAIN_TARGET}`,
    met: shares.mean >= share && jain >= JAIN_TARGET,
    stations,
    a,
    utilisation: shares.mean * bound,
    bound,
    jain,
  });
}

/** One sender, one receiver, one frame in ten spoiled at either: what is lost for good, and what it costs. */
export function arqRows(): MacRow[] {
  const packets = 20_000;
  const noisy = seedsOf((seed) => simulateLink({ ...LINK, packets, frameErrorRate: 0.1, seed }));
  const sent = packets * noisy.length;
  const lost = noisy.reduce((sum, { received }) => sum + packets - new Set(received).size, 0);
  const strays = noisy.reduce(
    (sum, { received }) =>
      sum + received.filter((each, index) => index > 0 && each <= (received[index - 1] ?? 0)).length,
    0,
  );
  return [
    macRow({
      measure: `loss after ARQ, 10 % frame errors, 4 retries, ${sent} frames`,
      value: lost / sent,
      target: '<= 1e-4',
      met: lost / sent <= 1e-4,
      unit: 'of the frames',
      stations: 2,
    }),
    macRow({
      measure: 'the same: out of order, or twice',
      value: strays,
      target: '0',
      met: strays === 0,
      unit: 'frames',
      stations: 2,
    }),
  ];
}

/** What the same noise costs. */
export function burstNoiseRow(name: string, burstAirtimeUs: number): MacRow {
  const run = (frameErrorRate: number, seed: number): number =>
    simulateLink({ ...LINK, packets: 2000, frameErrorRate, seed, config: { ...LINK.config, burstAirtimeUs } })
      .goodputBps;
  const { mean: value, plusMinus } = estimate(seedsOf((seed) => run(0.1, seed) / run(0, seed)));
  return macRow({
    measure: `goodput with 10 % frame errors, point to point, ${name}`,
    ...atLeast(0.85, value),
    plusMinus,
    unit: 'of that without',
    stations: 2,
  });
}
