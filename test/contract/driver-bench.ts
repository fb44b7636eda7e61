/**
 * What a driver shows to the contract suite: the profile it runs with, its emulated modem, and by what states and
 * hazards that modem can be made difficult. One file a driver in test/contract/drivers/, exporting `benches`.
 */
import type { Emulator, EmulatorContext } from '../../src/sim/emulators/emulator.js';
import type { MediumOptions } from '../../src/sim/medium.js';

/** The columns of the table, in this order. */
export const CASES = [
  'init',
  'lengths',
  'octets',
  'both ways',
  'busy',
  'failure',
  'hazards',
  'reboot',
  'line lost',
  'no leak',
  'one frame',
  'back pressure',
  'sent once',
  'airtime',
  'throughput',
  'signal',
] as const;

export type CaseName = (typeof CASES)[number];

/** A modem before the driver has opened its line. */
export interface Hands<E extends Emulator> {
  readonly emulator: E;
  /** Writes octets as a former user of the line did, and lets them reach the modem. */
  type(octets: Uint8Array | string): void;
  /** Lets time pass. */
  runFor(durationUs: number): void;
}

export interface Hazard<E extends Emulator> {
  /** Makes the modem misbehave from now on. Run for both stations, after `ready`. */
  on(emulator: E): void;
  /** Back to normal. */
  off(emulator: E): void;
  /** Whether every frame must arrive all the same. Default: false, but each must be answered for by `sent`. */
  readonly lossless?: boolean;
}

export interface DriverBench<E extends Emulator = Emulator> {
  /** The driver that is tested, as `driver.kind` names it. */
  readonly kind: string;
  /** Row of the table: the kind, with the variant if there are several. */
  readonly name: string;
  readonly profile: string;
  /** `KEY=VALUE` as for `--set`, over the profile; `mac.hostLatencyUs=0` is set already. */
  readonly settings?: (station: number) => readonly string[];
  readonly medium: Pick<MediumOptions, 'rateBps' | 'propagationMps' | 'duplex'>;
  /** The emulated modem of a station, without hazards. */
  emulator(context: Omit<EmulatorContext, 'settings'>): E;

  /** States in which the modem may be found, apart from fresh: `data mode`, `half a command`, `starting`, ... */
  readonly states?: Readonly<Record<string, (modem: Hands<E>) => void>>;
  readonly hazards?: Readonly<Record<string, Hazard<E>>>;
  /** Power gone and back: everything volatile is lost. */
  readonly reboot?: (emulator: E) => void;
  /** Makes the modem refuse the next frame, in its own words. */
  readonly refuseNext?: (emulator: E) => void;
  /** Frames that the modem holds and has not sent yet, the one on the air not counted. */
  readonly waitingFrames?: (emulator: E) => number;

  /** How many of them may wait at a time, where the modem tells nobody when one has left. Default: 1. */
  readonly waitingLimit?: number;

  /** Shortest link frame, and the distance between legal lengths. Default: 1 and 1. The longest is the driver's own word. */
  readonly minFrameBytes?: number;
  readonly lengthStep?: number;
  /** From the opened line to `ready`, at most. Default: 1000, and what the line's settling takes. */
  readonly readyWithinMs?: number;
  /** From a reboot until frames pass again, at most. Default: 10 000. */
  readonly recoverWithinMs?: number;
  /** From the end of a foreign signal until the driver calls the channel idle, at most. Default: 1000. */
  readonly idleWithinMs?: number;
  /** Time that the modem takes for a frame beside its airtime, by its own rules: contention, the dialogue of commands. Default: 0. */
  readonly overheadUs?: (frameBytes: number) => number;
  /** How far the model may be from the emulated air, as a share. Default: 0.05. */
  readonly airtimeTolerance?: number;
  /**
   * Why broken frames may reach the receiver although the modem checks integrity on the air: half a frame that was left
   * in it when the line went, for instance. Default: they may not.
   */
  readonly strays?: string;
  /** What comes with a received frame. Default: nothing. */
  readonly reports?: readonly ('rssi' | 'snr')[];
  /** Cases that mean nothing here, each with the reason. */
  readonly without?: Partial<Record<CaseName, string>>;
}

/** For the list of benches: an emulator's own type stays inside its file. */
export function driverBench<E extends Emulator>(bench: DriverBench<E>): DriverBench {
  // The suite hands to a bench's functions only what that bench's own `emulator` made.
  return bench as unknown as DriverBench;
}
