/** Saturated stations whose traffic goes both ways: what acknowledgements that come along with it are measured by. */
import type { SaturationOptions } from './saturation.js';

export type TwoWayScene = 'one pair' | 'three pairs' | 'five, all to all' | 'hub and four leaves';

/** Of the slot. What it takes to turn to sending, and to sense that another has. */
const TURNAROUND_SHARE = 0.8;
const DETECT_SHARE = 1 - TURNAROUND_SHARE;
const FRAME_BYTES = 500;
const RATE_BPS = 9600;
/** An Ethernet header could be in a frame, too: room that real profiles have. */
const ROOM_BYTES = 22;

/**
 * @param a slot length / frame length
 * @param frameErrorRate of each frame at each receiver
 */
export function twoWay(
  scene: TwoWayScene,
  a: number,
  frameErrorRate = 0,
): Omit<SaturationOptions, 'seed' | 'durationFrames'> {
  const slotUs = (a * FRAME_BYTES * 8e6) / RATE_BPS;
  return {
    ...TRAFFIC[scene](),
    a,
    frameBytes: FRAME_BYTES,
    rateBps: RATE_BPS,
    medium: { frameErrorRate },
    modem: {
      turnaroundUs: Math.round(TURNAROUND_SHARE * slotUs),
      carrierDetectUs: Math.round(DETECT_SHARE * slotUs),
      capabilities: { maxFrameBytes: FRAME_BYTES + ROOM_BYTES },
    },
  };
}

type Traffic = Required<Pick<SaturationOptions, 'stations' | 'destination'>>;

const TRAFFIC: Readonly<Record<TwoWayScene, () => Traffic>> = {
  'one pair': () => ({ stations: 2, destination: (station) => 3 - station }),
  'three pairs': () => ({ stations: 6, destination: (station) => (station % 2 === 0 ? station - 1 : station + 1) }),
  'five, all to all': () => {
    const next = inTurn(4);
    return { stations: 5, destination: (station) => ((station + next(station)) % 5) + 1 };
  },
  'hub and four leaves': () => {
    const next = inTurn(4);
    return { stations: 5, destination: (station) => (station === 1 ? 2 + next(station) : 1) };
  },
};

/** For each station by itself 0, 1 ... count - 1, and again. */
function inTurn(count: number): (station: number) => number {
  const sent = new Map<number, number>();
  return (station) => {
    const turn = sent.get(station) ?? 0;
    sent.set(station, turn + 1);
    return turn % count;
  };
}
