/**
 * The serial line between a host and an emulated modem. It carries 10 bits an octet (start, 8 data, stop) each way at its
 * own pace, which a pty or a function call does not have; what the host has written ahead waits on the host's side.
 */
import type { Scheduler } from '../base/clock.js';
import type { LineInputs } from '../serial/line.js';
import { OctetQueue } from './octet-queue.js';

/** What a host sees of an emulated modem, seen from the modem. */
export interface HostPort {
  /** Names who takes the octets that the host writes, as they are written; called once. */
  onData(take: (octets: Uint8Array) => void): void;
  /** Octets to the host; returns how many it took, void for all. */
  send(octets: Uint8Array): number | undefined;
  /** Names who hears how the host sets its end, at each change; called once. A pty has no such things. */
  onHostEnd?(changed: (end: HostEnd) => void): void;
  /** Sets the lines that the modem drives, where the line has any. */
  setInputs?(levels: Partial<LineInputs>): void;
  /** Stop (and go on) taking octets from the host: what the host writes meanwhile stays with it. */
  pause?(): void;
  resume?(): void;
}

/** How the host has set its end of the line; true is asserted. */
export interface HostEnd {
  readonly dtr: boolean;
  readonly rts: boolean;
  /** Bit/s, once the host has set it by itself. */
  readonly baudRate?: number;
}

export type FlowControl =
  /** CTS: the line rests while the modem's buffer is full. */
  | 'hardware'
  /** Octets that find the buffer full are lost, and counted. */
  | 'none';

export interface HostLineOptions {
  readonly scheduler: Scheduler;
  readonly port: HostPort;
  /** Bit/s, 10 bits an octet. */
  readonly lineBaud: number;
  readonly flowControl: FlowControl;
  /** The modem takes one octet, or says that it has no room. */
  take(octet: number): boolean;
  /** Octets that may wait for the line to the host. Default 4096. */
  readonly outputBytes?: number;
}

export interface HostLineCounts {
  /** Octets that the modem took from the host. */
  fromHost: number;
  /** Octets that the host took. */
  toHost: number;
  /** Octets from the host that found the modem's buffer full, without flow control. */
  inputOverrun: number;
  /** Octets to the host lost because the line is slower than the air, or because the host does not read. */
  outputOverrun: number;
}

/** Start bit, eight data bits, stop bit. */
const LINE_BITS_PER_OCTET = 10;
/** What may wait on the host's side before it is told to keep the rest, and until it may give more. */
const PAUSE_AT_OCTETS = 256;
const RESUME_AT_OCTETS = 128;
const DEFAULT_OUTPUT_BYTES = 4096;

export class HostLine {
  readonly counts: HostLineCounts = { fromHost: 0, toHost: 0, inputOverrun: 0, outputOverrun: 0 };
  readonly #options: HostLineOptions;
  #octetUs = 0;
  readonly #scheduler: Scheduler;
  readonly #input = new OctetQueue();
  readonly #output = new OctetQueue();
  readonly #outputBytes: number;
  /** When the octet on the line (each way) is across; unrounded, so that no error adds up. */
  #inputDoneUs = 0;
  #outputDoneUs = 0;
  #inputRuns = false;
  #outputRuns = false;
  /** An octet is across and the modem has no room for it: CTS is off. */
  #stalled = false;
  #paused = false;

  constructor(options: HostLineOptions) {
    this.#options = options;
    this.#scheduler = options.scheduler;
    this.setBaudRate(options.lineBaud);
    this.#outputBytes = options.outputBytes ?? DEFAULT_OUTPUT_BYTES;
    options.port.onData((octets) => this.#fromHost(octets));
  }

  /** Time of one octet on the line; not always a whole microsecond. */
  get octetUs(): number {
    return this.#octetUs;
  }

  /** The modem's rate from now on. */
  setBaudRate(baudRate: number): void {
    this.#octetUs = (LINE_BITS_PER_OCTET * 1e6) / baudRate;
  }

  /** Octets that may be given to `send` without loss. */
  get outputRoom(): number {
    return this.#outputBytes - this.#output.length;
  }

  /** The modem has room again. */
  roomAgain(): void {
    if (!this.#stalled) return;
    this.#stalled = false;
    this.#arrived();
  }

  /** Octets to the host, at the line's pace. What finds no room is lost and counted. */
  send(octets: Uint8Array): void {
    const taken = octets.length <= this.outputRoom ? octets : octets.subarray(0, Math.max(0, this.outputRoom));
    this.counts.outputOverrun += octets.length - taken.length;
    this.#output.push(taken);
    if (!this.#outputRuns) this.#startOutput();
  }

  #fromHost(octets: Uint8Array): void {
    this.#input.push(octets);
    if (!this.#paused && this.#input.length >= PAUSE_AT_OCTETS) {
      this.#paused = true;
      this.#options.port.pause?.();
    }
    if (!this.#inputRuns && !this.#stalled) this.#startInput();
  }

  #startInput(): void {
    if (this.#input.length === 0) return;
    this.#inputRuns = true;
    this.#inputDoneUs = this.#startUs(this.#inputDoneUs) + this.octetUs;
    this.#scheduler.at(Math.round(this.#inputDoneUs), () => {
      this.#inputRuns = false;
      this.#arrived();
    });
  }

  #arrived(): void {
    const octet = this.#input.peek();
    if (octet === undefined) return;
    if (this.#options.take(octet)) this.counts.fromHost++;
    else if (this.#options.flowControl === 'hardware') {
      this.#stalled = true;
      return;
    } else this.counts.inputOverrun++;
    this.#input.shift();
    if (this.#paused && this.#input.length <= RESUME_AT_OCTETS) {
      this.#paused = false;
      this.#options.port.resume?.();
    }
    if (!this.#inputRuns) this.#startInput();
  }

  #startOutput(): void {
    if (this.#output.length === 0) return;
    this.#outputRuns = true;
    this.#outputDoneUs = this.#startUs(this.#outputDoneUs) + this.octetUs;
    this.#scheduler.at(Math.round(this.#outputDoneUs), () => {
      this.#outputRuns = false;
      const octet = this.#output.shift();
      if (octet === undefined) return;
      const taken = this.#options.port.send(Uint8Array.of(octet)) ?? 1;
      this.counts.toHost += taken;
      this.counts.outputOverrun += 1 - taken;
      this.#startOutput();
    });
  }

  /** When the next octet begins; less than a microsecond late is only the rounding of the last end. */
  #startUs(lastDoneUs: number): number {
    const nowUs = this.#scheduler.nowUs();
    return Math.round(lastDoneUs) >= nowUs ? lastDoneUs : nowUs;
  }
}
