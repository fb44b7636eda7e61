/**
 * What emulated Ebyte modules have in common: modes by M0 and M1 (low where they are not wired), AUX, packets that leave when the
 * host pauses or a sub-packet is full and are heard whole, and registers of which what was stored outlives the power.
 * Modules with other registers hear each other as nothing.
 */
import type { LineInputs } from '../../serial/line.js';
import type { HostEnd, HostPort } from '../host-line.js';
import { OctetQueue } from '../octet-queue.js';
import type { EmulatorContext } from './emulator.js';
import { StreamModem } from './stream-modem.js';

/** How the test's adapter is wired; low is asserted. */
export interface EbyteWiring {
  readonly m0?: 'rts' | 'dtr';
  readonly m1?: 'rts' | 'dtr';
  readonly aux?: keyof LineInputs;
}

export interface EbyteOptions {
  readonly bufferBytes: number;
  readonly registers: readonly number[];
  /** M1 and M0 for configuration, as a number. */
  readonly setUpMode: number;
  /** By the registers. */
  lineRate(registers: readonly number[]): number;
}

export type EbyteMode = 'work' | 'set-up' | 'other';

/** UART rates of both, by their code. */
const UART_RATES = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];
const SET_UP_BAUD_RATE = 9600;
const BOOT_US = 100_000;
const REPLY_US = 5_000;
const MODE_US = 5_000;
/** Not documented; three octets is what is commonly said. */
const IDLE_OCTETS = 3;
const TURNAROUND_US = 2_000;
/** AUX goes low so long before what was received comes out. */
const AUX_AHEAD_US = 2_000;
const OUTPUT_BYTES = 4096;
const LBT_POLL_US = 20_000;
const LBT_LONGEST_US = 2_000_000;

export abstract class EbyteModem extends StreamModem {
  readonly stored: number[];
  protected registers: number[];
  protected mode: EbyteMode = 'work';
  readonly #options: EbyteOptions;
  readonly #port: HostPort;
  readonly #wiring: EbyteWiring;
  readonly #buffer = new OctetQueue();
  #auxStuck = false;
  readonly #typed: number[] = [];
  #bursts = 0;
  #typings = 0;
  #sending = false;
  #changing = false;
  #outputs = 0;
  #pins = 0;

  protected constructor(context: EmulatorContext, options: EbyteOptions, wiring: EbyteWiring) {
    super(context, {
      baudRate: SET_UP_BAUD_RATE,
      bootUs: BOOT_US,
      replyUs: REPLY_US,
      hardwareFlow: false,
      outputBytes: OUTPUT_BYTES,
    });
    this.#options = options;
    this.#port = context.port;
    this.#wiring = wiring;
    this.stored = [...options.registers];
    this.registers = [...options.registers];
    context.medium.listen(context.station, {
      frame: ({ octets, intact }) => {
        if (intact) this.#heard(octets);
      },
    });
    this.baudRate = options.lineRate(this.registers);
    this.#showAux();
  }

  /** By the registers. */
  protected abstract get airRateBps(): number;
  protected abstract get subPacketBytes(): number;
  /** Two octets that must be the same at both ends. */
  protected abstract get identity(): readonly [number, number];
  /** Microseconds of a packet before its first octet. */
  protected abstract get preambleUs(): number;
  /** A command; undefined while it is not whole. */
  protected abstract execute(typed: readonly number[]): number[] | undefined;
  /** The host has written this, and paused. @returns whether the module takes it for itself */
  protected taken(_burst: Uint8Array): boolean {
    return false;
  }
  protected get listensFirst(): boolean {
    return false;
  }
  /** A packet came. */
  protected arrived(_packet: Uint8Array): void {}

  /** AUX does not rise any more, or does again. */
  stickAux(stuck: boolean): void {
    this.#auxStuck = stuck;
    this.#showAux();
  }

  protected forget(): void {
    this.#buffer.takeAll();
    this.#typed.length = 0;
    this.registers = [...this.stored];
    this.#sending = false;
    this.#outputs = 0;
    this.#showAux();
  }

  protected override booted(): void {
    this.#enter();
  }

  protected override hostEnd(end: HostEnd): void {
    const { m0, m1 } = this.#wiring;
    const high = (pin: 'rts' | 'dtr' | undefined): number => (pin !== undefined && !end[pin] ? 1 : 0);
    const pins = 2 * high(m1) + high(m0);
    if (pins === this.#pins) return;
    this.#pins = pins;
    if (this.asleep) return;
    this.#changing = true;
    this.#showAux();
    this.#changeMode();
  }

  protected octet(octet: number): boolean {
    if (this.mode === 'set-up') {
      this.#typed.push(octet);
      const reply = this.execute(this.#typed);
      if (reply !== undefined) {
        this.#typed.length = 0;
        this.reply(String.fromCharCode(...reply));
      } else {
        // Counted apart: what is typed must not keep what the radio has still to send from leaving.
        const typed = ++this.#typings;
        this.after(20 * this.line.octetUs, () => {
          if (typed === this.#typings) this.#typed.length = 0;
        });
      }
      return true;
    }
    if (this.mode !== 'work') return true;
    if (this.#buffer.length >= this.#options.bufferBytes) return false;
    this.#buffer.push(Uint8Array.of(octet));
    this.#showAux();
    const burst = ++this.#bursts;
    if (this.#buffer.length >= this.subPacketBytes) this.#send();
    this.after(IDLE_OCTETS * this.line.octetUs, () => {
      if (burst === this.#bursts) this.#paused();
    });
    return true;
  }

  #paused(): void {
    if (this.#buffer.length === 0 || this.#sending) return;
    const burst = this.#buffer.takeAll();
    if (!this.taken(burst)) {
      this.#buffer.push(burst);
      this.#send();
    }
    this.#showAux();
  }

  #changeMode(): void {
    // A mode begins when the last one's work is done.
    if (this.#sending || this.#buffer.length > 0) this.after(MODE_US, () => this.#changeMode());
    else this.after(MODE_US, () => this.#enter());
  }

  #enter(): void {
    this.#changing = false;
    this.mode = this.#pins === 0 ? 'work' : this.#pins === this.#options.setUpMode ? 'set-up' : 'other';
    this.baudRate = this.mode === 'set-up' ? SET_UP_BAUD_RATE : this.#options.lineRate(this.registers);
    this.#typed.length = 0;
    this.#showAux();
  }

  #send(heldUs = 0): void {
    if (this.#sending && heldUs === 0) return;
    this.#sending = true;
    if (this.listensFirst && heldUs < LBT_LONGEST_US && this.medium.carrierNow(this.station)) {
      this.after(LBT_POLL_US, () => this.#send(heldUs + LBT_POLL_US));
      return;
    }
    this.after(TURNAROUND_US, () => {
      const waiting = this.#buffer.takeAll();
      const packet = waiting.slice(0, this.subPacketBytes);
      this.#buffer.push(waiting.subarray(packet.length));
      this.line.roomAgain();
      this.#showAux();
      const signal = this.medium.keyUp(this.station);
      const durationUs = this.preambleUs + (packet.length * 8e6) / this.airRateBps;
      const endUs = signal.sendFrame(Uint8Array.of(...this.identity, ...packet), durationUs);
      signal.keyDown();
      this.after(endUs - this.scheduler.nowUs() + 1, () => {
        this.#sending = false;
        if (this.#buffer.length > 0) this.#send();
        this.#showAux();
      });
    });
  }

  #heard([first, second, ...packet]: Uint8Array): void {
    const [ownFirst, ownSecond] = this.identity;
    if (this.asleep || this.mode !== 'work' || first !== ownFirst || second !== ownSecond) return;
    const octets = Uint8Array.from(packet);
    this.arrived(octets);
    this.#outputs++;
    this.#showAux();
    this.after(AUX_AHEAD_US, () => {
      this.hear(octets);
      this.after(octets.length * this.line.octetUs, () => {
        this.#outputs--;
        this.#showAux();
      });
    });
  }

  #showAux(): void {
    const { aux } = this.#wiring;
    if (aux === undefined) return;
    const low = this.asleep || this.#changing || this.#buffer.length > 0 || this.#outputs > 0;
    this.#port.setInputs?.({ [aux]: low || this.#auxStuck });
  }
}

export function uartRate(code: number): number {
  return UART_RATES[code & 7] ?? SET_UP_BAUD_RATE;
}
