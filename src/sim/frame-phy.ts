/**
 * A modem that sends whole frames, for MAC tests in virtual time: few events for each frame however many stations hear it.
 * What it declares (capabilities, timing) and how late the host really is are set apart, so that a MAC can be tested
 * against hosts that keep their word and hosts that do not.
 */
import type { Scheduler } from '../base/clock.js';
import { SluiceError } from '../base/errors.js';
import type { Phy, PhyCapabilities, PhyListener, PhyTiming } from '../mac/phy.js';
import type { Medium } from './medium.js';

export interface FramePhyOptions {
  readonly scheduler: Scheduler;
  readonly medium: Medium;
  readonly station: number;
  /** Differences from: host contends, the medium's duplex, carrier reported, sent means on air, no integrity check. */
  readonly capabilities?: Partial<PhyCapabilities>;
  /** Default 0. */
  readonly preambleUs?: number;
  /** The key stays down so long after a frame. Default 0. */
  readonly tailUs?: number;
  /** From `transmit` to the signal. Default 0. */
  readonly turnaroundUs?: number;
  /** Default 0. */
  readonly carrierDetectUs?: number;
  /** Declared, not applied; see `toHostUs` and `fromHostUs`. Default 0. */
  readonly hostLatencyUs?: number;
  /** Declared. Default: to the farthest station in hearing. */
  readonly propagationUs?: number;
  /** Drawn for each report to the host: how much later it comes. Reports keep their order. Default: at once. */
  readonly toHostUs?: () => number;
  /** Drawn for each `transmit`: how much later it begins. Default: at once. */
  readonly fromHostUs?: () => number;
  /** A frame whose preamble was hit: still delivered (spoiled), or lost as by a modem that never found its start. Default: deliver. */
  readonly onPreambleHit?: 'deliver' | 'lose';
}

/** Longer than any frame of ours. */
const DEFAULT_MAX_FRAME_BYTES = 65_535;

export class FramePhy implements Phy {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  readonly #options: FramePhyOptions;
  readonly #scheduler: Scheduler;
  readonly #medium: Medium;
  readonly #station: number;
  #listener: PhyListener | undefined;
  #up = false;
  #transmitting = false;
  /** Counts line losses, so that a transmission begun before one is not reported twice. */
  #epoch = 0;
  #lastReportUs = 0;

  constructor(options: FramePhyOptions) {
    this.#options = options;
    this.#scheduler = options.scheduler;
    this.#medium = options.medium;
    this.#station = options.station;
    this.capabilities = {
      channelAccess: 'host',
      duplex: options.medium.duplex,
      carrierSense: 'reported',
      sentReport: 'on-air',
      checksIntegrity: false,
      maxFrameBytes: DEFAULT_MAX_FRAME_BYTES,
      ...options.capabilities,
    };
    const overheadUs = (options.preambleUs ?? 0) + (options.tailUs ?? 0);
    const medium = options.medium;
    this.timing = {
      airtimeUs: (frameBytes) => overheadUs + medium.octetsUs(frameBytes),
      turnaroundUs: options.turnaroundUs ?? 0,
      carrierDetectUs: options.carrierDetectUs ?? 0,
      propagationUs: options.propagationUs ?? medium.farthestUs(options.station),
      hostLatencyUs: options.hostLatencyUs ?? 0,
    };
  }

  attach(listener: PhyListener): void {
    this.#listener = listener;
    const { carrierSense, checksIntegrity } = this.capabilities;
    const losesOnPreamble = this.#options.onPreambleHit === 'lose';
    this.#medium.listen(
      this.#station,
      {
        carrier: (busy) => {
          if (carrierSense !== 'none' && this.#up) this.#report(() => listener.carrier(busy));
        },
        frame: ({ octets, intact, preambleHit }) => {
          if (!this.#up || (checksIntegrity && !intact) || (losesOnPreamble && preambleHit)) return;
          this.#report(() => listener.received(octets, {}));
        },
      },
      this.timing.carrierDetectUs,
    );
    this.#scheduler.at(this.#scheduler.nowUs(), () => this.setUp(true));
  }

  transmit(frame: Uint8Array): void {
    if (!this.#up || this.#transmitting) {
      throw new SluiceError('internal', `transmit while the modem is ${this.#up ? 'transmitting' : 'down'}`);
    }
    this.#transmitting = true;
    const epoch = this.#epoch;
    if (frame.length > this.capabilities.maxFrameBytes) {
      this.#scheduler.at(this.#scheduler.nowUs(), () => this.#finish('refused', epoch));
      return;
    }
    const delayUs = (this.#options.fromHostUs?.() ?? 0) + this.timing.turnaroundUs;
    this.#scheduler.at(this.#scheduler.nowUs() + delayUs, () => {
      if (epoch !== this.#epoch) return;
      if (this.#medium.sending(this.#station)) {
        // What an earlier line loss left behind is still on the air.
        this.#finish('refused', epoch);
        return;
      }
      const signal = this.#medium.keyUp(this.#station, this.#options.preambleUs ?? 0);
      signal.sendFrame(frame);
      const endUs = signal.keyDown(this.#options.tailUs ?? 0);
      this.#scheduler.at(endUs, () => this.#finish('sent', epoch));
    });
  }

  senseBusy(): boolean {
    return this.capabilities.carrierSense !== 'none' && this.#medium.carrierNow(this.#station);
  }

  /** Loses or restores the modem. What it has begun to send goes out all the same. */
  setUp(up: boolean): void {
    if (up === this.#up) return;
    this.#up = up;
    if (!up && this.#transmitting) this.#finish('line-down', this.#epoch++);
    this.#report(() => this.#listener?.ready(up));
    if (up && this.senseBusy()) this.#report(() => this.#listener?.carrier(true));
  }

  #finish(outcome: 'sent' | 'refused' | 'line-down', epoch: number): void {
    if (epoch !== this.#epoch && outcome !== 'line-down') return;
    this.#report(() => {
      this.#transmitting = false;
      this.#listener?.sent(outcome);
    });
  }

  /** Tells the host, as late as this host is, in order. */
  #report(tell: () => void): void {
    const latenessUs = this.#options.toHostUs;
    if (latenessUs === undefined) {
      tell();
      return;
    }
    this.#lastReportUs = Math.max(this.#lastReportUs, this.#scheduler.nowUs() + latenessUs());
    this.#scheduler.at(this.#lastReportUs, tell);
  }
}
