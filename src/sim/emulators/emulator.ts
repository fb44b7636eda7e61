/** What every modem emulator is given and gives. They run on any scheduler: in virtual time and live. */
import type { Scheduler } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { FlowControl, HostPort } from '../host-line.js';
import type { Medium } from '../medium.js';

/** What is left out takes the emulator's default. */
export interface EmulatorSettings {
  /** From the decision to send until the signal starts. */
  readonly turnaroundUs?: number;
  /** Between host and modem, bit/s. */
  readonly lineBaud?: number;
  /** Octets from the host that the modem can hold (KISS: default without bound). */
  readonly bufferBytes?: number;
  readonly flowControl?: FlowControl;
  readonly carrierDetectUs?: number;
}

export interface EmulatorContext {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly medium: Medium;
  readonly station: number;
  readonly port: HostPort;
  readonly settings: EmulatorSettings;
}

export interface Emulator {
  /** What it counted, by name. */
  counts(): Record<string, number>;
}

export type EmulatorFactory = (context: EmulatorContext) => Emulator;
