/** How emulated acoustic modems are made difficult: by their faults, one or several at a time. */
import { type AcousticModem, type Faults, NO_FAULTS } from '../../src/sim/emulators/acoustic-modem.js';
import type { Hazard } from './driver-bench.js';

export function faulty(fault: Partial<Faults>): Hazard<AcousticModem> {
  return {
    on: ({ faults }) => void Object.assign(faults, fault),
    off: ({ faults }) => void Object.assign(faults, NO_FAULTS),
  };
}

/** Messages that match never reach the host, so often. */
export function lost(pattern: RegExp, times = 1): Hazard<AcousticModem> {
  return faulty({ lose: times, loseOnly: pattern });
}
