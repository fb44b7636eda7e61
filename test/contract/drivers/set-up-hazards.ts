/** What modems do wrong that are set up by commands, as states in which they are found: afterwards they only carry octets. */
import type { StreamFaults, StreamModem } from '../../../src/sim/emulators/stream-modem.js';
import type { Hands } from '../driver-bench.js';

export const SET_UP_HAZARDS = 'all of them are about the set-up: see init';

const fault =
  (faults: Partial<StreamFaults>) =>
  ({ emulator }: Hands<StreamModem>): void => {
    Object.assign(emulator.faults, faults);
  };

export const setUpFaults = {
  'losing replies': fault({ lose: 2 }),
  'answering after the time-out': fault({ lateUs: 700_000 }),
  'echoing commands': fault({ echo: true }),
  'talking between replies': fault({ chatter: 0.5 }),
  'garbling replies': fault({ garble: 0.02 }),
  'losing power during the set-up': fault({ restartAtCommand: 2 }),
};

export const halfAFrame = ({ type }: Hands<StreamModem>): void =>
  type(Uint8Array.from({ length: 40 }, (_, i) => (i * 37) & 0xff));

/** Restarted with these registers saved. */
export const found =
  <Saved>(saved: Saved) =>
  ({ emulator, runFor }: Hands<StreamModem & { save(saved: Saved): void; restart(): void }>): void => {
    emulator.save(saved);
    emulator.restart();
    runFor(3_000_000);
  };
