/**
 * Real bridges on an emulated medium, each in a network namespace, beside what virtual time says of the same: the same
 * profile, settings and traffic, hosts that are never late. Needs root; the machine's own load is in these figures.
 */
import { loadavg } from 'node:os';
import { seededRandom } from '../../src/base/random.js';
import { commonHostLatencyUs } from '../../src/daemon/host-latency.js';
import { macConfig } from '../../src/daemon/mac-config.js';
import { PPersistence } from '../../src/sim/comparison/p-persistence.js';
import {
  type LateRadiosOptions,
  type LateRadiosResult,
  simulateLateRadios,
  unsteadyHost,
} from '../../src/sim/late-radios.js';
import { urgentPackets } from '../system/priority-scenario.js';
import { sharedChannel } from './bridge-scenarios.js';
import { HEADERS_BYTES, iperfBps, MTU_BYTES, pairShare, RATE_BPS } from './mac-live-pair.js';
import { atLeast, estimate, FIRST_SEED, type MacRow, macRow, mean, seedsOf } from './mac-rows.js';
import type { Say } from './rows.js';

const FRAME_US = (8e6 * MTU_BYTES) / RATE_BPS;
const SECONDS = 60;
/** From a cold start: of a pair; and of many at once, 100 frames or more, in which a population is to have settled. */
const SETTLE_SECONDS = 15;
const SETTLE_SHARED_SECONDS = 60;
/** So many that one packet more or less does not show. */
const CAPACITY_SECONDS = 600;
const NOISE = 0.1;
/** Four frames of full size. */
const BURSTS = ['mac.burstMs=500'];
/** Noise wants many frames. */
const FAST_BPS = 38_400;
const URGENT_PACKETS = 5;
const LIVE = { seed: null, seeds: 1 } as const;

export const LIVE_PARTS: Readonly<Record<string, (say: Say) => Promise<MacRow[]>>> = {
  'live-5': (say) => sharedRows(5, say),
  'live-10': (say) => sharedRows(10, say),
  'live-alone': aloneRows,
  'live-noise': noiseRows,
  'live-tcp': tcpRows,
  'live-priority': priorityRows,
};

/** What virtual time says, seed by seed. @param latenessUs each host in turn is late by up to so much; default: never */
function predict(
  options: Pick<LateRadiosOptions, 'stations' | 'senders' | 'contention'>,
  seconds = SECONDS,
  latenessUs: readonly number[] = [],
): LateRadiosResult[] {
  return seedsOf((seed) => {
    let hosts = 0;
    return simulateLateRadios({
      ...options,
      hostLatencyUs: commonHostLatencyUs(FRAME_US),
      host: (random) => unsteadyHost(latenessUs[hosts++] ?? 0)(random),
      seed,
      durationUs: 1e6 * seconds,
      warmUpUs: 1e6 * SETTLE_SHARED_SECONDS,
      settings: [`line.baudRate=${2 * RATE_BPS}`, `link.mtuBytes=${MTU_BYTES}`],
      config: macConfig,
    });
  });
}

/** @throws Error when the bridges count other slots than the prediction does */
function checkSlot(live: number | undefined, { slotUs }: LateRadiosResult): void {
  if (live !== slotUs) throw new Error(`the bridges' slot is ${live} us, the prediction's ${slotUs} us`);
}

async function sharedRows(stations: number, say: Say): Promise<MacRow[]> {
  const predictions = predict({ stations });
  const predicted = estimate(predictions.map(({ utilisation }) => utilisation));
  const loadBefore = loadavg()[0] ?? 0;
  const { channelShare, jain, missing, seen, collisionRatio } = await sharedChannel({
    stations,
    seconds: SECONDS,
    settleSeconds: SETTLE_SHARED_SECONDS,
  });
  for (const prediction of predictions) checkSlot(seen[0]?.slotUs, prediction);
  // What they say of themselves is twice the lateness of a timer.
  const latenessUs = seen.map(({ hostLatencyUs }) => Math.round(hostLatencyUs / 2));
  const late = estimate(predict({ stations }, SECONDS, latenessUs).map((each) => each.utilisation));
  // As IP counts it.
  const utilisation = (channelShare * MTU_BYTES) / (MTU_BYTES - HEADERS_BYTES);
  const sum = (of: (each: (typeof seen)[number]) => number): number =>
    seen.reduce((total, each) => total + of(each), 0);
  say(
    `${stations} bridges: ${utilisation.toFixed(3)} of the channel, virtual time ${predicted.mean.toFixed(3)} ` +
      `+- ${predicted.plusMinus.toFixed(3)}, Jain ${jain.toFixed(3)} (virtual time ${mean(predictions.map((each) => each.jain)).toFixed(3)}); ` +
      `${sum(({ unacked }) => unacked)} of ${sum(({ attempts }) => attempts)} attempts unacknowledged, ` +
      `${((collisionRatio ?? 0) * 100).toFixed(1)} % of the busy time collided, ${missing} packets missing; ` +
      `hosts late by ${Math.max(...seen.map(({ hostLatencyUs }) => hostLatencyUs))} us; load average ${loadBefore.toFixed(1)}`,
  );
  const name = `${stations} real bridges, ${RATE_BPS} bit/s, MTU ${MTU_BYTES}, a minute`;
  const cell = { ...LIVE, stations, a: (seen[0]?.slotUs ?? 0) / FRAME_US, utilisation, jain };
  return [
    macRow({ ...cell, measure: `${name}: goodput (IP)`, ...atLeast(0.88, utilisation), unit: 'of the channel' }),
    macRow({
      ...cell,
      measure: `${name}: goodput, beside virtual time`,
      bound: predicted.mean,
      ...atLeast(0.95, utilisation / predicted.mean),
      unit: 'of the prediction',
    }),
    macRow({
      ...cell,
      measure: `${name}: the same, of hosts late by up to ${Math.min(...latenessUs)} to ${Math.max(...latenessUs)} us, as these`,
      bound: late.mean,
      value: utilisation / late.mean,
      target: null,
      met: null,
      unit: 'of the prediction',
    }),
    macRow({ ...cell, measure: `${name}: Jain`, ...atLeast(0.95, jain), unit: '' }),
    macRow({ measure: `load average at the start`, value: loadBefore, unit: '', target: null, met: null, ...LIVE }),
  ];
}

/** What the modem can carry: each frame with its answer, no slot left free, hosts never late. */
async function aloneRows(say: Say): Promise<MacRow[]> {
  const most = predict(
    { stations: 2, senders: 1, contention: () => new PPersistence(seededRandom(FIRST_SEED), 1) },
    CAPACITY_SECONDS,
  );
  const bound = mean(most.map(({ utilisation }) => utilisation));
  const { share, slotUs } = await pairShare({ rateBps: RATE_BPS, seconds: SECONDS, settleSeconds: SETTLE_SECONDS });
  for (const each of most) checkSlot(slotUs, each);
  say(`a lone sender: ${share.toFixed(3)} of the channel, its modem can carry ${bound.toFixed(3)}`);
  return [
    macRow({
      ...LIVE,
      measure: `a lone real bridge, ${RATE_BPS} bit/s, MTU ${MTU_BYTES}, a minute: goodput (IP)`,
      ...atLeast(0.98, share / bound),
      unit: 'of what the modem can carry',
      stations: 1,
      a: slotUs / FRAME_US,
      utilisation: share,
      bound,
    }),
  ];
}

async function noiseRows(say: Say): Promise<MacRow[]> {
  const rows: MacRow[] = [];
  for (const [name, settings] of [
    ['single frames', []],
    ['bursts of four', BURSTS],
  ] as const) {
    const order = { rateBps: FAST_BPS, seconds: SECONDS, settleSeconds: SETTLE_SECONDS, settings };
    const clean = await pairShare(order);
    const noisy = await pairShare({ ...order, noiseFer: NOISE });
    const value = noisy.share / clean.share;
    say(`10 % frame errors, ${name}: ${noisy.share.toFixed(3)} of the channel, without ${clean.share.toFixed(3)}`);
    rows.push(
      macRow({
        ...LIVE,
        measure: `goodput with 10 % frame errors, point to point, ${FAST_BPS} bit/s, ${name}, live`,
        ...atLeast(0.85, value),
        unit: 'of that without',
        stations: 2,
        utilisation: noisy.share,
      }),
    );
  }
  return rows;
}

async function tcpRows(say: Say): Promise<MacRow[]> {
  const clean = await iperfBps(0);
  const noisy = await iperfBps(NOISE);
  say(`TCP: ${Math.round(clean)} bit/s, with ${100 * NOISE} % of the frames spoiled ${Math.round(noisy)} bit/s`);
  return [
    macRow({
      ...LIVE,
      measure: `TCP (iperf3) over ${100 * NOISE} % frame errors, ${RATE_BPS} bit/s, live`,
      ...atLeast(0.75, noisy / clean),
      unit: 'of its goodput without',
      stations: 2,
    }),
  ];
}

async function priorityRows(say: Say): Promise<MacRow[]> {
  const before = await urgentPackets(URGENT_PACKETS);
  const value = Math.max(...before);
  say(`packets that went before an urgent one that came while they waited for the channel: ${before.join(' ')}`);
  return [
    macRow({
      ...LIVE,
      measure: `packets before an urgent one that came while they waited for the channel, most of ${before.length} times`,
      value,
      target: '<= 1',
      met: value <= 1,
      unit: 'packets',
      stations: 2,
    }),
  ];
}
