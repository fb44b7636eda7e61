/**
 * Sound under water as the yardstick takes it: frames of 1 s, stations anywhere in a circle, two of them at its edge,
 * `a` seconds of sound apart. Bursts as the daemon chooses them on such a channel.
 */
import { seededRandom } from '../base/random.js';
import type { StationSite } from './medium.js';
import type { SaturationOptions } from './saturation.js';

const SOUND_MPS = 1500;
const FRAME_BYTES = 500;
const FRAME_US = 1_000_000;
const BURST_FRAMES = 8;
/** A frame time's share that it takes to sense a carrier. */
const DETECT_SHARE = 0.01;

/** @param a propagation time from one end to the other / frame time */
export function acousticField(
  stations: number,
  a: number,
  seed: number,
): Omit<SaturationOptions, 'durationFrames' | 'warmUpFrames'> {
  const rateBps = (FRAME_BYTES * 8e6) / FRAME_US;
  return {
    stations,
    a: DETECT_SHARE,
    seed,
    frameBytes: FRAME_BYTES,
    rateBps,
    config: { burstAirtimeUs: BURST_FRAMES * FRAME_US },
    medium: { stations: sites(stations, (a * SOUND_MPS) / 2, seed), propagationMps: SOUND_MPS },
    modem: { propagationUs: a * FRAME_US },
  };
}

function sites(stations: number, radius: number, seed: number): StationSite[] {
  const random = seededRandom(seed * 77 + stations);
  const placed: StationSite[] = [
    { id: 1, position: [-radius, 0, 0] },
    { id: 2, position: [radius, 0, 0] },
  ];
  while (placed.length < stations) {
    const [x, y] = [2 * random.unit() - 1, 2 * random.unit() - 1];
    if (x * x + y * y <= 1) placed.push({ id: placed.length + 1, position: [x * radius, y * radius, 0] });
  }
  return placed;
}
