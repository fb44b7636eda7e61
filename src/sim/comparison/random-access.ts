/**
 * Random access of an endless population, as the closed forms have it: a Poisson stream of frames, each sent or given up
 * for good when it comes. What a sender senses is the channel as it was one propagation delay ago.
 */
import { seededRandom } from '../../base/random.js';
import { Medium } from '../medium.js';
import { VirtualTime } from '../virtual-time.js';

const FRAME_BYTES = 100;
const FRAME_US = 100_000;
const SENDERS = 300;
/** Hears all and sends nothing: the channel as seen after the propagation delay. */
const LISTENER = 999;

export type AccessRule = 'slotted ALOHA' | 'non-persistent' | 'slotted non-persistent';

export interface RandomAccessOptions {
  readonly rule: AccessRule;
  /** Frames offered in a frame time. */
  readonly offered: number;
  /** Propagation delay / frame time; the slot, where there are slots. */
  readonly a: number;
  readonly seed: number;
  readonly frames: number;
}

/** Frames that arrive whole, for each frame time. */
export function simulateRandomAccess({ rule, offered, a, seed, frames }: RandomAccessOptions): number {
  const time = new VirtualTime();
  const random = seededRandom(seed);
  const medium = new Medium({
    scheduler: time,
    random,
    rateBps: (FRAME_BYTES * 8 * 1e6) / FRAME_US,
    stations: [...Array.from({ length: SENDERS }, (_, i) => ({ id: i + 1 })), { id: LISTENER }],
    hears: (listener) => listener === LISTENER,
    shareIntactFrames: true,
  });
  const delayUs = Math.round(a * FRAME_US);
  const frame = new Uint8Array(FRAME_BYTES);
  const slotUs = rule === 'slotted ALOHA' ? FRAME_US : rule === 'non-persistent' ? 1 : delayUs;
  let busyFromUs = Number.POSITIVE_INFINITY;
  let busyUntilUs = Number.NEGATIVE_INFINITY;
  let station = 0;
  let arrivalUs = 0;
  const offer = (): void => {
    arrivalUs += (-Math.log(1 - random.unit()) * FRAME_US) / offered;
    time.at(Math.ceil(arrivalUs / slotUs) * slotUs, () => {
      const nowUs = time.nowUs();
      if (nowUs >= busyUntilUs) busyFromUs = Number.POSITIVE_INFINITY;
      if (rule === 'slotted ALOHA' || nowUs < busyFromUs) {
        station = (station % SENDERS) + 1;
        const signal = medium.keyUp(station);
        signal.sendFrame(frame);
        signal.keyDown();
        busyFromUs = Math.min(busyFromUs, nowUs + delayUs);
        busyUntilUs = nowUs + FRAME_US + delayUs;
      }
      offer();
    });
  };
  offer();
  time.runUntil((frames / offered) * FRAME_US);
  return (medium.counts(LISTENER).deliveries * FRAME_US) / time.nowUs();
}
