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
import { FramePhy } from './frame-phy.js';
import { Medium, type MediumOptions } from './medium.js';
import { VirtualTime } from './virtual-time.js';

export interface SaturationOptions {
  readonly stations: number;
  /** Slot length / frame length. The slot is carrier detection alone: no propagation, no host latency. */
  readonly a: number;
  readonly seed: number;
  readonly durationFrames: number;
  /** Not measured, at the start. */
  readonly warmUpFrames?: number;
  readonly frameBytes?: number;
  readonly rateBps?: number;
  readonly config?: Partial<MacConfig>;
  readonly medium?: Partial<MediumOptions>;
  readonly contention?: (timing: MacTiming, station: number) => Contention;
}

export interface SaturationResult {
  /** Airtime of data frames that arrived / elapsed time. */
  readonly utilisation: number;
  /** Jain's index over the stations' deliveries, in the mean over windows of 20 n frames. */
  readonly jain: number;
  readonly deliveries: readonly number[];
  readonly drops: DropCounters;
  readonly snapshots: readonly MacSnapshot[];
}

const DEFAULTS: MacConfig = { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 7, deadlineUs: 1e12 };

export function jainIndex(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return squares === 0 ? 1 : (sum * sum) / (values.length * squares);
}

/** Every station sends unicast frames of one length to the next one, for ever. */
export function simulateSaturation(options: SaturationOptions): SaturationResult {
  const { stations, a, seed } = options;
  const frameBytes = options.frameBytes ?? 500;
  const rateBps = options.rateBps ?? 9600;
  const config = { ...DEFAULTS, ...options.config };
  const time = new VirtualTime();
  const ids = Array.from({ length: stations }, (_, index) => index + 1);
  const medium = new Medium({
    scheduler: time,
    random: seededRandom(seed),
    rateBps,
    stations: ids.map((id) => ({ id })),
    shareIntactFrames: true,
    ...options.medium,
  });
  const frameUs = medium.octetsUs(frameBytes);
  const payload = new Uint8Array(frameBytes - 4 - config.fcsBytes).fill(0x45);
  const drops = new DropCounters();
  const deliveries = new Map(ids.map((id) => [id, 0]));
  let windowed = new Map(deliveries);
  let inWindow = 0;
  const fairness: number[] = [];
  const macs = ids.map((id) => {
    const phy = new FramePhy({
      scheduler: time,
      medium,
      station: id,
      carrierDetectUs: Math.round(a * frameUs),
      capabilities: { carrierSense: 'activity', maxFrameBytes: frameBytes },
    });
    return new Mac({
      station: id,
      phy,
      scheduler: time,
      random: seededRandom(seed * 1000 + id),
      config,
      source: {
        pull: () => ({ destination: (id % stations) + 1, kind: 'ip', payload, priority: 0 }),
        idle: () => {},
      },
      observer: {
        drop: (cause) => drops.count(cause),
        deliver: ({ source }) => {
          deliveries.set(source, (deliveries.get(source) ?? 0) + 1);
          windowed.set(source, (windowed.get(source) ?? 0) + 1);
          if (++inWindow < 20 * stations) return;
          fairness.push(jainIndex([...windowed.values()]));
          windowed = new Map(ids.map((station) => [station, 0]));
          inWindow = 0;
        },
      },
      ...(options.contention === undefined
        ? {}
        : { contention: (timing: MacTiming) => options.contention?.(timing, id) as Contention }),
    });
  });
  time.runFor((options.warmUpFrames ?? 0) * frameUs);
  for (const id of ids) deliveries.set(id, 0);
  fairness.length = 0;
  const durationUs = options.durationFrames * frameUs;
  time.runFor(durationUs);
  const delivered = [...deliveries.values()].reduce((total, count) => total + count, 0);
  return {
    utilisation: (delivered * frameUs) / durationUs,
    jain: fairness.reduce((total, index) => total + index, 0) / Math.max(1, fairness.length),
    deliveries: [...deliveries.values()],
    drops,
    snapshots: macs.map((mac) => mac.snapshot()),
  };
}
