/**
 * What all drivers on a line have in common: opening, settling and losing the line, one transmission at a time, and the
 * report when it is over. A driver adds its framing, its times and what it does with frames.
 *
 * A transmission: 1. `transmit` encodes. 2. The octets go to the line, at once or when the last signal heard is over.
 * 3. When by the driver's times the last octet has left the air, and the kernel has taken all octets, `sent` is reported.
 */
import type { Cancel, Scheduler } from '../../base/clock.js';
import type { DropCause } from '../../base/drops.js';
import { SluiceError } from '../../base/errors.js';
import type { DiscardCause } from '../../framing/codec.js';
import type { PhyCapabilities, PhyListener, PhyTiming } from '../../mac/phy.js';
import type { Line } from '../../serial/line.js';
import type { DriverOptions, ModemDriver } from '../driver.js';
import { airOctetUs, hostLatencyUs, lineOctetUs } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';

/** How early `sent` comes where nobody contends, so that the next frame is there before the line runs dry. */
const LEAD_US = 4_000;
/** With pacing by the line: octets that may wait for the kernel while the next frame is asked for. */
const LINE_LOW_WATER_BYTES = 4_096;
/** How often a line that is paced by itself, or that has stalled, is looked at, at the most. */
const POLL_US = 500;

const DROP_OF_DISCARD: Readonly<Record<DiscardCause, DropCause>> = {
  noise: 'rx-framing',
  malformed: 'rx-framing',
  aborted: 'rx-framing',
  'too-long': 'rx-too-long',
  check: 'rx-fcs',
};

export abstract class LineDriver implements ModemDriver {
  abstract readonly capabilities: PhyCapabilities;
  abstract readonly timing: PhyTiming;
  protected readonly scheduler: Scheduler;
  protected readonly hostLatencyUs: number;
  protected readonly lineOctetUs: number;
  protected readonly airOctetUs: number;
  readonly #paced: 'frame' | 'stream' | 'line';
  readonly #settleUs: number;
  readonly #leadUs: number;
  #listener: PhyListener | undefined;
  #line: Line | undefined;
  #ready = false;
  #transmitting = false;
  /** Where nobody contends: when the line has carried all that was written, by its rate. */
  #streamEndUs = 0;
  #cancelSettle: Cancel | undefined;
  #cancelTransmission: Cancel | undefined;

  protected constructor(profile: Profile, options: DriverOptions) {
    this.scheduler = options.scheduler;
    this.hostLatencyUs = hostLatencyUs(profile, options.hostLatencyUs);
    this.lineOctetUs = lineOctetUs(profile.line);
    this.airOctetUs = airOctetUs(profile);
    this.#settleUs = profile.line.settleMs * 1000;
    this.#leadUs = Math.max(LEAD_US, 2 * this.hostLatencyUs);
    this.#paced = profile.mac.channelAccess !== 'none' ? 'frame' : profile.air.pacing === 'line' ? 'line' : 'stream';
  }

  attach(listener: PhyListener): void {
    this.#listener = listener;
  }

  lineOpened(line: Line): void {
    if (this.#line !== undefined) throw new SluiceError('internal', 'a line was opened on a driver that has one');
    this.#line = line;
    if (this.#settleUs === 0) this.#settled();
    else this.#cancelSettle = this.scheduler.at(this.scheduler.nowUs() + this.#settleUs, () => this.#settled());
  }

  lineData(octets: Uint8Array): void {
    if (this.#line === undefined || octets.length === 0) return;
    // A modem that is still starting talks to a human, not to us.
    if (this.#ready) this.receive(octets);
    else this.listener.discarded('rx-framing', octets.length);
  }

  lineLost(): void {
    if (this.#line === undefined) return;
    this.#line = undefined;
    this.#cancelSettle?.();
    this.#cancelTransmission?.();
    this.#streamEndUs = 0;
    if (this.#ready) {
      this.#ready = false;
      // First of all, so that nothing that follows makes the MAC try to transmit.
      this.listener.ready(false);
      this.stopped();
    }
    if (this.#transmitting) this.#over('line-down');
  }

  transmit(frame: Uint8Array): void {
    if (!this.#ready) throw new SluiceError('internal', 'transmit on a modem that is not ready');
    if (this.#transmitting) throw new SluiceError('internal', 'transmit while the last transmission is not over');
    this.#transmitting = true;
    if (frame.length > this.capabilities.maxFrameBytes) {
      this.#transmissionTimer(this.scheduler.nowUs(), () => this.#over('refused'));
      return;
    }
    const encoded = this.encode(frame);
    const startUs = this.earliestStartUs();
    if (startUs <= this.scheduler.nowUs()) this.#start(frame.length, encoded);
    else this.#transmissionTimer(startUs, () => this.#start(frame.length, encoded));
  }

  abstract senseBusy(): boolean;

  /** The frame as it goes to the line. */
  protected abstract encode(frame: Uint8Array): Uint8Array;
  /** When the signal of a frame that is written to the line now will be over. */
  protected abstract signalEndUs(frameBytes: number, encodedBytes: number): number;
  /** Octets from a line that is ready. */
  protected abstract receive(octets: Uint8Array): void;
  /** The modem has settled, `ready` is about to be reported. */
  protected started(): void {}
  /** The line was lost, and `ready(false)` reported. */
  protected stopped(): void {}
  /** Before this time no transmission may start, whatever the MAC says. */
  protected earliestStartUs(): number {
    return 0;
  }

  protected get listener(): PhyListener {
    if (this.#listener === undefined) throw new SluiceError('internal', 'a modem driver was used before attach');
    return this.#listener;
  }

  /** Writes octets of the driver's own, parameters for instance; nothing without a line. */
  protected writeToLine(octets: Uint8Array): void {
    this.#line?.write(octets);
  }

  protected pendingInput(): boolean {
    return (this.#line?.pendingInputBytes() ?? 0) > 0;
  }

  protected get transmitting(): boolean {
    return this.#transmitting;
  }

  /** Moves the report of a transmission under way to another time. */
  protected reportAt(endUs: number): void {
    if (this.#transmitting) this.#transmissionTimer(endUs, () => this.#check());
  }

  protected discard(cause: DiscardCause, octets: number): void {
    this.listener.discarded(DROP_OF_DISCARD[cause], octets);
  }

  #settled(): void {
    this.#ready = true;
    this.started();
    this.listener.ready(true);
  }

  #start(frameBytes: number, encoded: Uint8Array): void {
    this.writeToLine(encoded);
    const nowUs = this.scheduler.nowUs();
    switch (this.#paced) {
      case 'frame':
        this.reportAt(this.signalEndUs(frameBytes, encoded.length));
        return;
      case 'stream': {
        const durationUs = encoded.length * Math.max(this.airOctetUs, this.lineOctetUs);
        this.#streamEndUs = Math.max(nowUs, this.#streamEndUs) + durationUs;
        this.reportAt(Math.max(nowUs, this.#streamEndUs - this.#leadUs));
        return;
      }
      case 'line':
        this.reportAt(nowUs);
    }
  }

  /** By its times the transmission is over; it is not while the kernel has not taken all octets. */
  #check(): void {
    const waitingBytes = (this.#line?.unwrittenBytes ?? 0) - this.#toleratedBytes();
    if (waitingBytes <= 0) {
      this.#over('sent');
      return;
    }
    const waitUs = this.#paced === 'line' ? POLL_US : Math.max(POLL_US, waitingBytes * this.lineOctetUs);
    this.reportAt(this.scheduler.nowUs() + waitUs);
  }

  #toleratedBytes(): number {
    switch (this.#paced) {
      case 'frame':
        return 0;
      case 'stream':
        return Math.floor(this.#leadUs / this.lineOctetUs);
      case 'line':
        return LINE_LOW_WATER_BYTES;
    }
  }

  #transmissionTimer(atUs: number, callback: () => void): void {
    this.#cancelTransmission?.();
    this.#cancelTransmission = this.scheduler.at(Math.ceil(atUs), callback);
  }

  #over(outcome: 'sent' | 'refused' | 'line-down'): void {
    this.#transmitting = false;
    this.#cancelTransmission = undefined;
    this.listener.sent(outcome);
  }
}
