/**
 * Saturated stations that do not listen: pure ALOHA at its best (Abramson 1970), and no MAC at all, which is what a bridge
 * does that hands each packet to the modem as it comes.
 */
import { type Random, seededRandom } from '../../base/random.js';
import { Medium } from '../medium.js';
import { jainIndex } from '../saturation.js';
import { VirtualTime } from '../virtual-time.js';

export interface UncoordinatedOptions {
  readonly stations: number;
  readonly seed: number;
  readonly durationFrames: number;
  readonly discipline: 'aloha' | 'none';
}

const FRAME_BYTES = 500;
const RATE_BPS = 9600;
/** Two frames that begin within one frame time of each other are lost: all together had best offer half a frame for each. */
const BEST_OFFER = 0.5;

/** Each sends frames to the next one; nothing is acknowledged or repeated, which favours them. */
export function simulateUncoordinated(options: UncoordinatedOptions): { utilisation: number; jain: number } {
  const { stations, seed, durationFrames, discipline } = options;
  const time = new VirtualTime();
  const random = seededRandom(seed);
  const ids = Array.from({ length: Math.max(2, stations) }, (_, index) => index + 1);
  const medium = new Medium({
    scheduler: time,
    random,
    rateBps: RATE_BPS,
    stations: ids.map((id) => ({ id })),
    shareIntactFrames: true,
    brieflySpoiled: true,
  });
  const frame = new Uint8Array(FRAME_BYTES);
  const frameUs = medium.octetsUs(FRAME_BYTES);
  const arrived = new Array<number>(stations).fill(0);
  const pauseUs = (): number => (discipline === 'none' ? 0 : alohaPauseUs(random, stations, frameUs));
  for (const id of ids) {
    const from = ((id + ids.length - 2) % ids.length) + 1;
    medium.listen(id, {
      frame: ({ speaker, intact }) => {
        if (speaker === from && intact) arrived[speaker - 1] = (arrived[speaker - 1] ?? 0) + 1;
      },
    });
  }
  for (let id = 1; id <= stations; id++) {
    const send = (): void => {
      const signal = medium.keyUp(id);
      signal.sendFrame(frame);
      const endUs = signal.keyDown();
      time.at(endUs, () => time.at(endUs + pauseUs(), send));
    };
    // Nobody begins in step with another.
    time.at(random.below(frameUs), send);
  }
  time.runUntil(durationFrames * frameUs);
  return { utilisation: arrived.reduce((sum, count) => sum + count, 0) / durationFrames, jain: jainIndex(arrived) };
}

/** Exponential, so long that all stations together offer the best there is; a lone station needs none. */
function alohaPauseUs(random: Random, stations: number, frameUs: number): number {
  if (stations === 1) return 0;
  const meanUs = (stations / BEST_OFFER - 1) * frameUs;
  return -Math.log(1 - random.unit()) * meanUs;
}
