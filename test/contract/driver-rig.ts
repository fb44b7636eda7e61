/** Two drivers on their emulated modems on one medium in virtual time, and a diary of what each was told. */
import type { DropCause } from '../../src/base/drops.js';
import { type Random, seededRandom } from '../../src/base/random.js';
import type { PhyListener, ReceptionMeta } from '../../src/mac/phy.js';
import { mergeConfiguration, parseSetting } from '../../src/modem/configuration.js';
import type { ModemDriver } from '../../src/modem/driver.js';
import { createDriver } from '../../src/modem/drivers/registry.js';
import type { Emulator } from '../../src/sim/emulators/emulator.js';
import { Medium } from '../../src/sim/medium.js';
import { VirtualLine } from '../../src/sim/virtual-line.js';
import { VirtualTime } from '../../src/sim/virtual-time.js';
import type { DriverBench } from './driver-bench.js';

export type Outcome = 'sent' | 'refused' | 'line-down';

/** Both ends of a time are rounded by themselves. */
const ROUNDING_US = 2;
const STEP_US = 5_000;
/** Of the signals that are nobody's. */
const FOREIGN_STATION = 3;
const DEFAULT_READY_MS = 1000;

/** A line that remembers what was written, and that breaks after so many octets if it is told to. */
class BreakableLine extends VirtualLine {
  readonly written: number[] = [];
  breaksAfter: { readonly direction: 'out' | 'in'; octets: number } | undefined;
  broke: (() => void) | undefined;

  override write(octets: Uint8Array): void {
    const limit = this.breaksAfter;
    if (limit?.direction !== 'out' || octets.length < limit.octets) {
      if (limit?.direction === 'out') limit.octets -= octets.length;
      this.written.push(...octets);
      super.write(octets);
      return;
    }
    super.write(octets.subarray(0, limit.octets));
    this.break();
  }

  /** True while the line holds. */
  arrived(octets: number): boolean {
    const limit = this.breaksAfter;
    if (limit?.direction !== 'in') return true;
    limit.octets -= octets;
    if (limit.octets > 0) return true;
    this.break();
    return false;
  }

  break(): void {
    this.breaksAfter = undefined;
    this.broke?.();
  }
}

export class RigStation {
  readonly number: number;
  readonly driver: ModemDriver;
  readonly emulator: Emulator;
  readonly line: BreakableLine;
  readonly received: { readonly frame: Uint8Array; readonly meta: ReceptionMeta }[] = [];
  readonly outcomes: Outcome[] = [];
  readonly carriers: boolean[] = [];
  readonly discards: { readonly cause: DropCause; readonly octets: number }[] = [];
  /** What was told twice, or at the wrong time. */
  readonly offences: string[] = [];
  ready = false;
  transmitted = 0;
  onSent: ((outcome: Outcome) => void) | undefined;
  readonly #rig: DriverRig;

  constructor(rig: DriverRig, number: number, bench: DriverBench) {
    this.#rig = rig;
    this.number = number;
    this.line = new BreakableLine(`virtual-${number}`);
    const { time: scheduler, medium } = rig;
    const random = seededRandom(number);
    this.emulator = bench.emulator({ scheduler, random, medium, station: number, port: this.line.port });
    const base = [`interface.station=${number}`, 'interface.port=/dev/virtual', 'mac.hostLatencyUs=0'];
    const settings = [...base, ...(bench.settings?.(number) ?? [])].map(parseSetting);
    this.driver = createDriver(mergeConfiguration({ profile: bench.profile, settings }), { scheduler });
    this.driver.attach(this.#listener());
  }

  open(): void {
    this.line.written.length = 0;
    this.line.openNow({
      data: (octets) => {
        if (this.line.arrived(octets.length)) this.driver.lineData(octets);
      },
      lost: () => {},
    });
    this.driver.lineOpened(this.line);
  }

  /** The line is gone, with all that it held. */
  lose(): void {
    void this.line.close();
    this.driver.lineLost();
  }

  /** The line breaks after so many more octets. Not from within the driver's own call, as in the daemon. */
  breakAfter(direction: 'out' | 'in', octets: number): void {
    this.line.breaksAfter = { direction, octets };
    this.line.broke = () => {
      void this.line.close();
      this.#rig.time.at(this.#rig.time.nowUs(), () => this.driver.lineLost());
    };
  }

  transmit(frame: Uint8Array): void {
    this.#rig.sentFrames.add(key(frame));
    this.transmitted++;
    this.driver.transmit(frame.slice());
  }

  /** One transmission is under way. */
  get pending(): boolean {
    return this.transmitted > this.outcomes.length;
  }

  #listener(): PhyListener {
    const { time } = this.#rig;
    return {
      carrier: (busy) => {
        if (this.carriers.length > 0 && this.carriers.at(-1) === busy) this.offences.push(`carrier(${busy}) twice`);
        this.carriers.push(busy);
      },
      received: (frame, meta) => {
        this.received.push({ frame: frame.slice(), meta });
        return true;
      },
      sent: (outcome) => {
        if (!this.pending) this.offences.push(`sent(${outcome}) without a transmission`);
        if (this.ready && outcome === 'line-down') this.offences.push('sent(line-down) while ready');
        this.outcomes.push(outcome);
        time.at(time.nowUs() + ROUNDING_US, () => this.onSent?.(outcome));
      },
      discarded: (cause, octets) => {
        this.discards.push({ cause, octets });
      },
      ready: (up) => {
        if (up === this.ready) this.offences.push(`ready(${up}) twice`);
        if (!up && this.driver.senseBusy() && this.line.unwrittenBytes > 0) this.offences.push('busy after the line');
        this.ready = up;
      },
    };
  }
}

export const key = (octets: Uint8Array): string => Buffer.from(octets).toString('base64');

export class DriverRig {
  readonly time = new VirtualTime();
  readonly medium: Medium;
  readonly stations: readonly [RigStation, RigStation];
  readonly sentFrames = new Set<string>();
  readonly random: Random = seededRandom(5);
  readonly bench: DriverBench;

  constructor(bench: DriverBench) {
    this.bench = bench;
    this.medium = new Medium({
      scheduler: this.time,
      random: seededRandom(1),
      stations: [{ id: 1 }, { id: 2, position: [0, 300, 0] }, { id: FOREIGN_STATION, position: [0, 150, 0] }],
      ...bench.medium,
    });
    this.stations = [new RigStation(this, 1, bench), new RigStation(this, 2, bench)];
  }

  /** Two stations that are ready. */
  static ready(bench: DriverBench): DriverRig {
    const rig = new DriverRig(bench);
    for (const station of rig.stations) station.open();
    rig.untilReady();
    return rig;
  }

  get readyWithinUs(): number {
    return (this.bench.readyWithinMs ?? DEFAULT_READY_MS) * 1000;
  }

  /** @throws Error when a station is not ready in time */
  untilReady(): void {
    if (!this.runUntil(() => this.stations.every(({ ready }) => ready), this.readyWithinUs)) {
      const late = this.stations.filter(({ ready }) => !ready).map(({ number }) => number);
      throw new Error(`not ready after ${this.readyWithinUs / 1000} ms: station ${late.join(' and ')}`);
    }
    // What others said at start is no business of the tests.
    for (const station of this.stations) station.discards.length = 0;
  }

  /** Lets time pass until it holds. @returns whether it does */
  runUntil(holds: () => boolean, withinUs: number): boolean {
    // The clock counts whole microseconds.
    const endUs = Math.ceil(this.time.nowUs() + withinUs);
    while (!holds()) {
      if (this.time.nowUs() >= endUs) return false;
      this.time.runUntil(Math.min(endUs, this.time.nowUs() + STEP_US));
    }
    return true;
  }

  /** Random octets, no two frames alike as far as their length allows. */
  frame(bytes: number): Uint8Array {
    return Uint8Array.from({ length: bytes }, () => this.random.below(256));
  }

  /** Longest possible time from `transmit` to `sent`, generously. */
  patienceUs(station: RigStation, frameBytes: number): number {
    const { timing } = station.driver;
    const ownUs =
      timing.airtimeUs(frameBytes) + timing.turnaroundUs + timing.propagationUs + (timing.modemAccessUs ?? 0);
    return 5 * (ownUs + (this.bench.overheadUs?.(frameBytes) ?? 0)) + 30_000_000;
  }

  /**
   * Sends frames one after the other, each as soon as the last is answered for.
   * @returns the outcomes; shorter than `frames` if an answer never came
   */
  sendAll(station: RigStation, frames: readonly Uint8Array[], each?: () => void): Outcome[] {
    const before = station.outcomes.length;
    let next = 0;
    const sendNext = (): void => {
      each?.();
      const frame = frames[next];
      if (frame === undefined || !station.ready) return;
      next++;
      station.transmit(frame);
    };
    station.onSent = sendNext;
    sendNext();
    const longest = frames.reduce((most, frame) => Math.max(most, frame.length), 0);
    for (let done = -1; done !== station.outcomes.length - before; ) {
      done = station.outcomes.length - before;
      if (done >= frames.length) break;
      this.runUntil(() => station.outcomes.length - before > done, this.patienceUs(station, longest));
    }
    station.onSent = undefined;
    return station.outcomes.slice(before);
  }

  /** Time for what is on the air to arrive, and for the host to hear of it. */
  settle(): void {
    const { driver } = this.stations[0];
    const longestUs = driver.timing.airtimeUs(driver.capabilities.maxFrameBytes);
    this.time.runFor(2 * longestUs + driver.timing.propagationUs + (driver.timing.modemAccessUs ?? 0) + 2_000_000);
  }

  /** A signal of somebody else, octet by octet, for so long. */
  foreignSignal(durationUs: number): void {
    const signal = this.medium.keyUp(FOREIGN_STATION);
    const octets = Math.max(1, Math.floor(durationUs / this.medium.octetsUs(1)));
    let sent = 0;
    const next = (): void => {
      if (sent++ >= octets) {
        signal.keyDown();
        return;
      }
      this.time.at(signal.sendOctet(this.random.below(256)), next);
    };
    next();
  }
}
