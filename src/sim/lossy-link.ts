/** Two stations and a channel that spoils frames, in virtual time: what the ARQ of the production MAC makes of it. */
import { DropCounters } from '../base/drops.js';
import { seededRandom } from '../base/random.js';
import { Mac } from '../mac/mac.js';
import type { MacConfig, MacSnapshot } from '../mac/ports.js';
import { FramePhy } from './frame-phy.js';
import { Medium } from './medium.js';
import { VirtualTime } from './virtual-time.js';

export interface LossyLinkOptions {
  readonly packets: number;
  /** At least 8. */
  readonly packetBytes: (index: number) => number;
  /** Of each frame at each receiver, acknowledgements too. */
  readonly frameErrorRate: number;
  readonly maxFrameBytes: number;
  readonly config?: Partial<MacConfig>;
  /** Default 1. */
  readonly seed?: number;
  /** Station 2 sends as many, to station 1. */
  readonly bothWays?: boolean;
  /** Default 0. */
  readonly turnaroundUs?: number;
  /** Default: the other station. */
  readonly destination?: number;
}

export interface LossyLinkResult {
  /** The numbers of the packets that arrived, as they came. */
  readonly received: number[];
  /** The same for the way back. */
  readonly receivedBack: number[];
  /** Of both stations; wrong check sequences are not in it. */
  readonly drops: DropCounters;
  readonly sender: MacSnapshot;
  /** Payload, until the last packet arrived. */
  readonly goodputBps: number;
}

export const LOSSY_LINK_RATE_BPS = 9600;
const CARRIER_DETECT_US = 2000;
const HOUR_US = 3600e6;

/** Station 1 sends numbered packets to station 2, and back if so told; the run ends when all are settled. */
export function simulateLink(options: LossyLinkOptions): LossyLinkResult {
  const seed = options.seed ?? 1;
  const time = new VirtualTime();
  const medium = new Medium({
    scheduler: time,
    random: seededRandom(seed),
    rateBps: LOSSY_LINK_RATE_BPS,
    stations: [{ id: 1 }, { id: 2 }],
    frameErrorRate: options.frameErrorRate,
  });
  const drops = new DropCounters();
  const [received, receivedBack]: [number[], number[]] = [[], []];
  let octets = 0;
  const idle = new Set<number>();
  let lastUs = 0;
  const source = (id: number) => {
    const packets = id === 1 || options.bothWays === true ? options.packets : 0;
    let pulled = 0;
    const pull = () => {
      if (pulled === packets) return null;
      const payload = new Uint8Array(options.packetBytes(pulled)).fill(0x45);
      new DataView(payload.buffer).setUint32(4, pulled++);
      return { destination: options.destination ?? 3 - id, kind: 'ip' as const, payload, priority: 0 };
    };
    return { pull, idle: () => void (pulled === packets && idle.add(id)) };
  };
  const station = (id: number): Mac =>
    new Mac({
      station: id,
      phy: new FramePhy({
        scheduler: time,
        medium,
        station: id,
        carrierDetectUs: CARRIER_DETECT_US,
        turnaroundUs: options.turnaroundUs ?? 0,
        capabilities: { carrierSense: 'activity', maxFrameBytes: options.maxFrameBytes },
      }),
      scheduler: time,
      random: seededRandom(seed * 1000 + id),
      config: { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 7, deadlineUs: 1e12, ...options.config },
      source: source(id),
      observer: {
        drop: (cause) => {
          if (cause !== 'rx-fcs') drops.count(cause);
        },
        deliver: ({ payload }) => {
          (id === 2 ? received : receivedBack).push(new DataView(payload.buffer, payload.byteOffset).getUint32(4));
          octets += payload.length;
          lastUs = time.nowUs();
        },
      },
    });
  const sender = station(1);
  station(2);
  while (idle.size < 2 && time.step());
  time.runFor(HOUR_US);
  return { received, receivedBack, drops, sender: sender.snapshot(), goodputBps: (octets * 8e6) / lastUs };
}
