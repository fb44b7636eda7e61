/**
 * The yardstick of the MAC: stations that always have something to send, in virtual time, with the production MAC.
 * Measures how much of the channel carries data that arrived, and how evenly it is shared.
 */
import { DropCounters } from '../base/drops.js';
import { seededRandom } from '../base/random.js';
import type { Contention } from '../mac/contention.js';
import { Mac } from '../mac/mac.js';
import type { MacConfig, MacSnapshot } from '../mac/ports.js';
import type { MacTiming } from '../mac/timing.js';
import { LINK_HEADER_BYTES } from '../wire/link-frame.js';
import { BROADCAST } from '../wire/packet.js';
import { FramePhy, type FramePhyOptions } from './frame-phy.js';
import { Medium, type MediumOptions } from './medium.js';
import { VirtualTime } from './virtual-time.js';

/** From and until, in frame times. */
export type Span = readonly [from: number, until: number];

export interface SaturationOptions {
  readonly stations: number;
  /** Slot length / frame length. The slot is carrier detection alone: no propagation, no host latency. */
  readonly a: number;
  readonly seed: number;
  readonly durationFrames: number;
  /** Besides the senders: stations that never send of themselves. Default: 1 for a lone sender or without link frames, else none. */
  readonly listeners?: number;
  /** Whom a station sends its next packet to. Default: the next one, the last one to the first. */
  readonly destination?: (station: number) => number;
  /** When a station has something to send, in frame times from the start of the measurement. Default: always. */
  readonly active?: (station: number) => Span;
  /** Not measured, at the start. */
  readonly warmUpFrames?: number;
  readonly frameBytes?: number;
  readonly rateBps?: number;
  readonly config?: Partial<MacConfig>;
  readonly medium?: Partial<MediumOptions>;
  readonly modem?: Partial<Omit<FramePhyOptions, 'scheduler' | 'medium' | 'station'>>;
  readonly contention?: (timing: MacTiming, station: number) => Contention;
}

export interface SaturationResult {
  /** Airtime of data frames that arrived / elapsed time. */
  readonly utilisation: number;
  /** Jain's index over the stations' deliveries, in the mean over windows of 20 n frames. */
  readonly jain: number;
  readonly deliveries: readonly number[];
  /** When each frame arrived, in frame times from the start of the measurement, and its source; in order. */
  readonly arrivals: readonly Arrival[];
  /** Frames that reached an antenna, intact or spoiled, all stations together, warm-up included. */
  readonly receptions: number;
  readonly drops: DropCounters;
  readonly snapshots: readonly MacSnapshot[];
}

export interface Arrival {
  readonly atFrames: number;
  readonly source: number;
}

const ALWAYS: Span = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const NEVER: Span = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
/** Jain's index is taken over so many frames of each station. */
const JAIN_WINDOW_FRAMES = 20;

const DEFAULTS: MacConfig = { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 7, deadlineUs: 1e12 };

export function jainIndex(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return squares === 0 ? 1 : (sum * sum) / (values.length * squares);
}

/** Every station sends unicast frames of one length, to the next station if not told otherwise, for as long as it is active. */
export function simulateSaturation(options: SaturationOptions): SaturationResult {
  const { stations, a, seed } = options;
  const frameBytes = options.frameBytes ?? 500;
  const config = { ...DEFAULTS, ...options.config };
  const time = new VirtualTime();
  const senders = numbers(stations);
  const everybody = numbers(stations + (options.listeners ?? (stations === 1 || !config.linkFrames ? 1 : 0)));
  const medium = new Medium({
    scheduler: time,
    random: seededRandom(seed),
    rateBps: options.rateBps ?? 9600,
    stations: everybody.map((id) => ({ id })),
    shareIntactFrames: true,
    brieflySpoiled: true,
    ...options.medium,
  });
  const frameUs = medium.octetsUs(frameBytes);
  const startUs = Math.round((options.warmUpFrames ?? 0) * frameUs);
  const overheadBytes = config.linkFrames ? LINK_HEADER_BYTES + config.fcsBytes : 0;
  const payload = new Uint8Array(frameBytes - overheadBytes).fill(0x45);
  const drops = new DropCounters();
  const arrivals: Arrival[] = [];
  const spans = senders.map((id) => options.active?.(id) ?? ALWAYS);
  const destinationOf = options.destination ?? ((id: number) => (id % everybody.length) + 1);
  const { contention } = options;
  const macs = everybody.map((id) => {
    const [from, until] = spans[id - 1] ?? NEVER;
    const packet = { kind: config.linkFrames ? 'ip' : 'raw', payload, priority: 0 } as const;
    const active = (): boolean => {
      const atFrames = (time.nowUs() - startUs) / frameUs;
      return atFrames >= from && atFrames < until;
    };
    return new Mac({
      station: id,
      phy: new FramePhy({
        scheduler: time,
        medium,
        station: id,
        carrierDetectUs: Math.round(a * frameUs),
        ...options.modem,
        capabilities: { carrierSense: 'activity', maxFrameBytes: frameBytes, ...options.modem?.capabilities },
      }),
      scheduler: time,
      random: seededRandom(seed * 1000 + id),
      config,
      source: { pull: () => (active() ? { ...packet, destination: destinationOf(id) } : null), idle: () => {} },
      observer: {
        drop: (cause) => drops.count(cause),
        deliver: ({ source, destination: to }) => {
          // A broadcast counts once, as heard by the next station; where nobody knows the source, by the last one.
          const witness = source === 0 ? everybody.length : (source % everybody.length) + 1;
          if (to === BROADCAST && id !== witness) return;
          arrivals.push({ atFrames: (time.nowUs() - startUs) / frameUs, source });
        },
      },
      ...(contention === undefined ? {} : { contention: (timing: MacTiming) => contention(timing, id) }),
    });
  });
  senders.forEach((id, index) => {
    const [from] = spans[index] ?? NEVER;
    if (from > Number.NEGATIVE_INFINITY) time.at(startUs + from * frameUs, () => macs[id - 1]?.demand());
  });
  time.runUntil(startUs + options.durationFrames * frameUs);
  const measured = arrivals.filter(({ atFrames }) => atFrames >= 0);
  return {
    utilisation: measured.length / options.durationFrames,
    jain: windowedJain(measured, stations),
    deliveries: countBySource(measured, stations),
    arrivals: measured,
    receptions: everybody.reduce((sum, id) => sum + receptionsAt(medium, id), 0),
    drops,
    snapshots: macs.map((mac) => mac.snapshot()),
  };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function receptionsAt(medium: Medium, station: number): number {
  const { deliveries, collisionsHeard, noiseErrors } = medium.counts(station);
  return deliveries + collisionsHeard + noiseErrors;
}

function countBySource(arrivals: readonly Arrival[], stations: number): number[] {
  const counts = new Array<number>(stations).fill(0);
  for (const { source } of arrivals) counts[source - 1] = (counts[source - 1] ?? 0) + 1;
  return counts;
}

/** The mean of Jain's index over windows of 20 n arrivals; over all of them where there are fewer. */
function windowedJain(arrivals: readonly Arrival[], stations: number): number {
  const window = JAIN_WINDOW_FRAMES * stations;
  const windows = Math.max(1, Math.floor(arrivals.length / window));
  let sum = 0;
  for (let i = 0; i < windows; i++) {
    sum += jainIndex(countBySource(arrivals.slice(i * window, (i + 1) * window), stations));
  }
  return sum / windows;
}
