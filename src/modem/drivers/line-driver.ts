/**
 * What all drivers on a line have in common: opening, settling and losing the line, one transmission at a time, and the
 * report when it is over. A driver adds its framing, its times and what it does with frames.
 *
 * A transmission: 1. `transmit` encodes. 2. The octets go to the line, at once or when the last signal heard is over.
 * 3. When by the driver's times the last octet has left the air, and the kernel has taken all octets, `sent` is reported.
 * Where the line itself sets the pace, several frames are asked for in one turn and written together.
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
import { LineInit } from './line-init.js';

/** How early `sent` comes where nobody contends, so that the next frame is there before the line runs dry. */
const LEAD_US = 4_000;
/**
 * With pacing by the line: octets that are kept waiting for the kernel, a pty's buffer full (14.8 kB, measured), so that it
 * can be filled at once when it has room, and the next frames be made while it empties.
 */
const LINE_WAITING_BYTES = 16_384;
/** How often a line that has not taken all octets is looked at, at the most. */
const POLL_US = 500;
/** The same with pacing by the line, which says by itself when it has taken them. */
const LINE_POLL_US = 10_000;
/** How often CTS is looked at while it holds the last octets back. */
const CTS_POLL_US = 5_000;
/** A modem that takes nothing for longer than this, and longer than its frames last, is told of: own estimate. */
const HELD_LONG_US = 10_000_000;
const HELD_LONG_FRAMES = 4;

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
  readonly #hardwareFlow: boolean;
  readonly #remark: DriverOptions['remark'];
  /** Since when the modem has held CTS back; infinity once that was told. */
  #heldSinceUs: number | undefined;
  readonly #settleUs: number;
  readonly #leadUs: number;
  readonly #init: LineInit;
  #listener: PhyListener | undefined;
  #line: Line | undefined;
  #ready = false;
  /** Between `prepare` and what it waits for. */
  #preparing = false;
  #transmitting = false;
  /** Where nobody contends: when the line has carried all that was written, by its rate. */
  #streamEndUs = 0;
  #cancelSettle: Cancel | undefined;
  #cancelTransmission: Cancel | undefined;
  /** Octets of this turn, not written yet; only where the line sets the pace. */
  #batch = new Uint8Array(0);
  #batchBytes = 0;
  /** The transmission in progress is in there. */
  #batched = false;
  #pumping = false;

  protected constructor(profile: Profile, options: DriverOptions) {
    this.scheduler = options.scheduler;
    this.hostLatencyUs = hostLatencyUs(profile, options.hostLatencyUs);
    this.lineOctetUs = lineOctetUs(profile.line);
    this.airOctetUs = airOctetUs(profile);
    this.#hardwareFlow = profile.line.flowControl === 'rtscts';
    this.#remark = options.remark;
    this.#settleUs = profile.line.settleMs * 1000;
    this.#leadUs = Math.max(LEAD_US, 2 * this.hostLatencyUs);
    this.#init = new LineInit(
      profile.line.init,
      {
        scheduler: this.scheduler,
        lineOctetUs: this.lineOctetUs,
        write: (octets) => this.writeToLine(octets),
        discard: (octets) => this.discard('noise', octets),
      },
      ({ send, expect = '' }) =>
        options.remark?.(
          `line.init: no answer with ${JSON.stringify(expect)} to ${JSON.stringify(send)}; it is said again`,
          'Is the modem on, at line.baudRate, and does it answer so? The interface carries nothing until it does.',
        ),
    );
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

  lineDrained(): void {
    if (!this.#batched || this.#pumping) return;
    this.#cancelTransmission?.();
    this.#pump();
  }

  lineData(octets: Uint8Array): void {
    if (this.#line === undefined || octets.length === 0) return;
    // A modem that is still starting talks to a human, not to us.
    if (this.#init.running) this.#init.take(octets);
    else if (this.#ready || this.#preparing) this.receive(octets);
    else this.listener.discarded('rx-framing', octets.length);
  }

  lineLost(): void {
    if (this.#line === undefined) return;
    this.#line = undefined;
    this.#cancelSettle?.();
    this.#cancelTransmission?.();
    this.#streamEndUs = 0;
    this.#batchBytes = 0;
    this.#down();
  }

  transmit(frame: Uint8Array): void {
    if (!this.#ready) throw new SluiceError('internal', 'transmit on a modem that is not ready');
    if (this.#transmitting) throw new SluiceError('internal', 'transmit while the last transmission is not over');
    this.#transmitting = true;
    if (frame.length > this.capabilities.maxFrameBytes) {
      this.#transmissionTimer(this.scheduler.nowUs(), () => this.#over('refused'));
      return;
    }
    const startUs = this.earliestStartUs();
    const isTime = startUs <= this.scheduler.nowUs();
    if (this.#paced === 'line') {
      if (isTime) this.#addToBatch(frame);
      else this.#transmissionTimer(startUs, () => this.#addToBatch(frame));
      return;
    }
    const encoded = this.encode(frame);
    if (isTime) this.#start(frame.length, encoded);
    else this.#transmissionTimer(startUs, () => this.#start(frame.length, encoded));
  }

  abstract senseBusy(): boolean;

  /** The frame as it goes to the line. */
  protected abstract encode(frame: Uint8Array): Uint8Array;
  /** The same, written from `at` on to what `room` gives for so many octets; gives the position after. */
  protected encodeInto(frame: Uint8Array, room: (bytes: number) => Uint8Array, at: number): number {
    const encoded = this.encode(frame);
    const end = at + encoded.length;
    room(end).set(encoded, at);
    return end;
  }

  /** When the signal of a frame that is written to the line now will be over. */
  protected abstract signalEndUs(frameBytes: number, encodedBytes: number): number;
  /** Octets from a line that is ready. */
  protected abstract receive(octets: Uint8Array): void;
  /** The modem has settled, `ready` is about to be reported. */
  protected started(): void {}
  /** The line was lost, or the modem lost its state, and `ready(false)` reported. */
  protected stopped(): void {}
  /** The modem has settled; what it answers is `receive`d already. It becomes ready once `done` is called. */
  protected prepare(done: () => void): void {
    done();
  }
  /** Before this time no transmission may start, whatever the MAC says. */
  protected earliestStartUs(): number {
    return 0;
  }

  /** Of a transmission that has come to its end. */
  protected outcome(): 'sent' | 'refused' {
    return 'sent';
  }

  protected get ready(): boolean {
    return this.#ready;
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

  /** Ends the transmission under way, where the modem says so. */
  protected finish(outcome: 'sent' | 'refused'): void {
    if (!this.#transmitting) return;
    this.#cancelTransmission?.();
    this.#over(outcome);
  }

  /** The modem has lost its state, on a line that holds: it is prepared anew. */
  protected restart(): void {
    if (this.#line === undefined || this.#preparing) return;
    this.#cancelTransmission?.();
    this.#down();
    this.#settled();
  }

  protected discard(cause: DiscardCause, octets: number): void {
    this.listener.discarded(DROP_OF_DISCARD[cause], octets);
  }

  #settled(): void {
    this.#preparing = true;
    this.#init.run((rest) => {
      this.prepare(() => this.#prepared());
      if (rest.length > 0) this.receive(rest);
    });
  }

  #prepared(): void {
    if (!this.#preparing) return;
    this.#preparing = false;
    this.#ready = true;
    this.started();
    this.listener.ready(true);
  }

  #down(): void {
    const wasReady = this.#ready;
    const wasStarted = wasReady || this.#preparing;
    this.#ready = false;
    this.#preparing = false;
    this.#init.stop();
    // First of all, so that nothing that follows makes the MAC try to transmit.
    if (wasReady) this.listener.ready(false);
    if (wasStarted) this.stopped();
    if (this.#transmitting) this.#over('line-down');
  }

  #start(frameBytes: number, encoded: Uint8Array): void {
    this.writeToLine(encoded);
    const nowUs = this.scheduler.nowUs();
    if (this.#paced === 'frame') {
      this.reportAt(this.signalEndUs(frameBytes, encoded.length));
      return;
    }
    const durationUs = encoded.length * Math.max(this.airOctetUs, this.lineOctetUs);
    this.#streamEndUs = Math.max(nowUs, this.#streamEndUs) + durationUs;
    this.reportAt(Math.max(nowUs, this.#streamEndUs - this.#leadUs));
  }

  /**
   * One turn where the line sets the pace: as long as it has room, each frame is reported as sent, upon which the MAC
   * gives the next one; then all of them are written at once.
   */
  #pump(): void {
    this.#cancelTransmission = undefined;
    const roomBytes = LINE_WAITING_BYTES - (this.#line?.unwrittenBytes ?? 0);
    this.#pumping = true;
    try {
      while (this.#batched && this.#batchBytes < roomBytes) this.#over('sent');
    } finally {
      this.#pumping = false;
      this.#writeBatch();
    }
    if (!this.#batched) return;
    const isFull = (this.#line?.unwrittenBytes ?? 0) >= LINE_WAITING_BYTES;
    this.#transmissionTimer(isFull ? this.scheduler.nowUs() + LINE_POLL_US : 0, () => this.#pump());
  }

  #addToBatch(frame: Uint8Array): void {
    this.#batched = true;
    this.#batchBytes = this.encodeInto(frame, this.#batchOf, this.#batchBytes);
    // Within a turn `#pump` goes on by itself.
    if (!this.#pumping) this.#transmissionTimer(0, () => this.#pump());
  }

  /** The batch, with room for so many octets. */
  readonly #batchOf = (bytes: number): Uint8Array => {
    if (bytes > this.#batch.length) {
      const grown = new Uint8Array(Math.max(bytes, 2 * this.#batch.length, LINE_WAITING_BYTES));
      grown.set(this.#batch.subarray(0, this.#batchBytes));
      this.#batch = grown;
    }
    return this.#batch;
  };

  #writeBatch(): void {
    const bytes = this.#batchBytes;
    this.#batchBytes = 0;
    if (bytes > 0) this.writeToLine(this.#batch.subarray(0, bytes));
  }

  /** By its times the transmission is over; it is not while the kernel has not taken all octets. */
  #check(): void {
    const waitingBytes = (this.#line?.unwrittenBytes ?? 0) - this.#toleratedBytes();
    const isHeld = this.isHeld();
    this.#watchCts();
    if (waitingBytes <= 0 && !isHeld) {
      this.#over(this.outcome());
      return;
    }
    const pollUs = isHeld ? CTS_POLL_US : POLL_US;
    this.reportAt(this.scheduler.nowUs() + Math.max(pollUs, waitingBytes * this.lineOctetUs));
  }

  /** The modem takes nothing at the moment: what the kernel has taken for it waits there, and the next frame would too. */
  protected isHeld(): boolean {
    return this.#ctsHolds();
  }

  /** It may hold for ever, and must not do so unseen. */
  #watchCts(): void {
    const nowUs = this.scheduler.nowUs();
    if (!this.#ctsHolds()) {
      this.#heldSinceUs = undefined;
      return;
    }
    this.#heldSinceUs ??= nowUs;
    const frameUs = this.timing.airtimeUs(this.capabilities.maxFrameBytes);
    if (nowUs - this.#heldSinceUs < Math.max(HELD_LONG_US, HELD_LONG_FRAMES * frameUs)) return;
    this.#heldSinceUs = Number.POSITIVE_INFINITY;
    this.#remark?.(
      'CTS has been released for long: the modem takes nothing, and what is to be sent waits',
      'Is the modem on, and CTS wired? If it is not, set line.flowControl to none.',
    );
  }

  #ctsHolds(): boolean {
    return this.#hardwareFlow && this.#line?.inputs?.()?.cts === false;
  }

  #toleratedBytes(): number {
    return this.#paced === 'stream' ? Math.floor(this.#leadUs / this.lineOctetUs) : 0;
  }

  #transmissionTimer(atUs: number, callback: () => void): void {
    this.#cancelTransmission?.();
    this.#cancelTransmission = this.scheduler.at(Math.ceil(atUs), callback);
  }

  #over(outcome: 'sent' | 'refused' | 'line-down'): void {
    this.#transmitting = false;
    this.#batched = false;
    this.#cancelTransmission = undefined;
    this.listener.sent(outcome);
  }
}
