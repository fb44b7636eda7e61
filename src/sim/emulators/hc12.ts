/**
 * An HC-12 (manual 2.4): octets in, octets out; no carrier sense, no flow control, a small buffer; commands while SET is
 * low, which turns the receiver off; settings that hold over a restart. Modules with another mode, channel or rate hear
 * each other as nothing.
 */
import type { HostEnd } from '../host-line.js';
import type { Transmission } from '../medium.js';
import { OctetQueue } from '../octet-queue.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';
import { StreamModem } from './stream-modem.js';

export interface Hc12State {
  mode: number;
  channel: number;
  power: number;
  baudRate: number;
}

/** Not documented, each way; some 60 octets in a burst are advised for FU4. */
const BUFFER_BYTES = 256;
const REPLY_US = 20_000;
const BOOT_US = 200_000;
/** From SET low until commands are heard, from SET high until it is on the air. */
const ENTER_US = 40_000;
const LEAVE_US = 80_000;
/** A command ends with a line end, or with such a pause. */
const COMMAND_GAP_US = 10_000;
const MAX_COMMAND = 32;
/** On a line slower than the air the key is held for so many octets of the line, so that there are no gaps. */
const HANG_LINE_OCTETS = 2;
const BAUD_RATES = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];
const POWERS_DBM = ['-01', '+02', '+05', '+08', '+11', '+14', '+17', '+20'];
/** Ahead of the data: that it is an HC-12, and how it is set. What does not begin so is noise, and goes to the host. */
const SYNC = 0xd4;

export class Hc12Emulator extends StreamModem {
  readonly state: Hc12State;
  readonly #setLine: 'rts' | 'dtr' | undefined;
  readonly #buffer = new OctetQueue();
  readonly #bufferBytes: number;
  readonly #turnaroundUs: number | undefined;
  #operation: 'data' | 'entering' | 'commands' | 'leaving' = 'data';
  #setLow = false;
  #command = '';
  #typed = 0;
  #keying = false;
  #signal: Transmission | undefined;
  #hanging: number | undefined;
  #hangs = 0;
  #heard: 'nothing' | 'sync' | 'ours' | 'foreign' | 'noise' = 'nothing';

  /** @param setLine the host's line that is wired to SET; the module is low when it is asserted */
  constructor(context: EmulatorContext, setLine?: 'rts' | 'dtr', state: Partial<Hc12State> = {}) {
    const baudRate = state.baudRate ?? context.settings.lineBaud ?? 9600;
    super(
      { ...context, settings: { ...context.settings, lineBaud: baudRate } },
      { baudRate, bootUs: BOOT_US, replyUs: REPLY_US, hardwareFlow: false, outputBytes: BUFFER_BYTES },
    );
    this.state = { mode: 3, channel: 1, power: 8, ...state, baudRate };
    this.#setLine = setLine;
    this.#bufferBytes = context.settings.bufferBytes ?? BUFFER_BYTES;
    this.#turnaroundUs = context.settings.turnaroundUs;
    context.medium.listen(context.station, {
      carrier: (busy) => {
        if (busy) this.#heard = 'nothing';
      },
      octet: (octet) => this.#fromAir(octet),
    });
  }

  /** Octets that wait for the air. */
  get buffered(): number {
    return this.#buffer.length;
  }

  protected forget(): void {
    this.#buffer.takeAll();
    this.#command = '';
    this.#operation = 'data';
    this.#keying = false;
    this.#hanging = undefined;
    this.#signal?.keyDown();
    this.#signal = undefined;
  }

  /** With SET low at power-on it takes commands at 9600, whatever it is set to (manual). */
  protected override booted(): void {
    this.baudRate = this.#setLow ? 9600 : this.state.baudRate;
    this.#operation = this.#setLow ? 'commands' : 'data';
  }

  protected override hostEnd(end: HostEnd): void {
    if (this.#setLine === undefined) return;
    const low = end[this.#setLine];
    if (low === this.#setLow) return;
    this.#setLow = low;
    if (this.asleep) return;
    this.#operation = low ? 'entering' : 'leaving';
    this.after(low ? ENTER_US : LEAVE_US, () => {
      if (this.#setLow !== low) return;
      this.#operation = low ? 'commands' : 'data';
      // Leaving restarts the module with what it was set to.
      if (!low) this.baudRate = this.state.baudRate;
    });
  }

  protected octet(octet: number): boolean {
    switch (this.#operation) {
      case 'data':
        return this.#toAir(octet);
      case 'commands':
        this.#type(octet);
        return true;
      default:
        return true;
    }
  }

  // ---- commands ---------------------------------------------------------------------------------------------------

  #type(octet: number): void {
    if (this.faults.echo) this.echo(octet);
    const typed = ++this.#typed;
    if (octet === 0x0d || octet === 0x0a) {
      this.#execute();
      return;
    }
    if (this.#command.length < MAX_COMMAND) this.#command += String.fromCharCode(octet);
    this.after(COMMAND_GAP_US + this.line.octetUs, () => {
      if (typed === this.#typed) this.#execute();
    });
  }

  #execute(): void {
    const command = this.#command;
    this.#command = '';
    if (command === '') return;
    const answer = this.#answer(command);
    this.countCommand(answer !== undefined);
    this.reply(answer === undefined ? 'ERROR\r\n' : `${answer}\r\n`);
  }

  #answer(command: string): string | undefined {
    const { state } = this;
    const [, name = '', text = ''] = /^AT\+?([A-Z]{0,2})(\d*)/.exec(command) ?? [];
    const value = Number(text);
    const channel = String(state.channel).padStart(3, '0');
    switch (name + (text === '' ? '' : '=')) {
      case '':
        return command === 'AT' ? 'OK' : undefined;
      case 'RB':
        return `OK+B${state.baudRate}`;
      case 'RC':
        return `OK+RC${channel}`;
      case 'RF':
        return `OK+FU${state.mode}`;
      case 'RP':
        return `OK+RP:${POWERS_DBM[state.power - 1]}dBm`;
      case 'RX':
        return `OK+B${state.baudRate}\r\nOK+RC${channel}\r\nOK+RP:${POWERS_DBM[state.power - 1]}dBm\r\nOK+FU${state.mode}`;
      case 'B=':
        if (!BAUD_RATES.includes(value) || value > this.#fastest(state.mode)) return undefined;
        state.baudRate = value;
        return `OK+B${value}`;
      case 'C=':
        if (value < 1 || value > 127) return undefined;
        state.channel = value;
        return `OK+C${text}`;
      case 'P=':
        if (value < 1 || value > 8) return undefined;
        state.power = value;
        return `OK+P${value}`;
      case 'FU=':
        if (value < 1 || value > 4) return undefined;
        state.mode = value;
        state.baudRate = Math.min(state.baudRate, this.#fastest(value));
        return `OK+FU${value}`;
      default:
        return undefined;
    }
  }

  #fastest(mode: number): number {
    return mode === 4 ? 1200 : mode === 2 ? 4800 : 115_200;
  }

  // ---- the air ----------------------------------------------------------------------------------------------------

  /** Octets that find no room are lost: nothing can stop the host. */
  #toAir(octet: number): boolean {
    if (this.#buffer.length >= this.#bufferBytes) return false;
    this.#buffer.push(Uint8Array.of(octet));
    if (this.#hanging !== undefined) {
      this.#hanging = undefined;
      this.#sendNext();
    } else if (!this.#keying && this.#signal === undefined) {
      this.#keying = true;
      this.after(this.#turnaroundUs ?? this.#usualTurnaroundUs(), () => this.#keyUp());
    }
    return true;
  }

  /** From measured delays one way (smithnet.org.uk); in FU2 the receiver must be woken first. */
  #usualTurnaroundUs(): number {
    const { mode, baudRate } = this.state;
    if (mode === 2) return 500_000;
    if (mode === 4) return 60_000;
    if (mode === 1) return 15_000;
    return baudRate <= 2400 ? 24_000 : baudRate <= 9600 ? 8_000 : 4_000;
  }

  #keyUp(): void {
    this.#keying = false;
    const signal = this.medium.keyUp(this.station);
    this.#signal = signal;
    signal.sendOctet(SYNC);
    this.after(signal.sendOctet(this.#identity()) - this.scheduler.nowUs(), () => this.#sendNext());
  }

  #sendNext(): void {
    const octet = this.#buffer.shift();
    if (octet !== undefined) {
      const endUs = this.#signal?.sendOctet(octet) ?? 0;
      this.after(endUs - this.scheduler.nowUs(), () => this.#sendNext());
      this.line.roomAgain();
      return;
    }
    const hang = ++this.#hangs;
    this.#hanging = hang;
    this.after(HANG_LINE_OCTETS * this.line.octetUs, () => {
      if (this.#hanging !== hang) return;
      this.#hanging = undefined;
      this.#signal?.keyDown();
      this.#signal = undefined;
    });
  }

  #fromAir(octet: number): void {
    switch (this.#heard) {
      case 'nothing':
        this.#heard = octet === SYNC ? 'sync' : 'noise';
        if (octet === SYNC) return;
        break;
      case 'sync':
        this.#heard = octet === this.#identity() ? 'ours' : 'foreign';
        return;
      default:
    }
    if (this.#operation === 'data' && this.#heard !== 'foreign') this.hear(Uint8Array.of(octet));
  }

  /** Mode, channel and, for its rate on the air, the rate of the line; as an octet. */
  #identity(): number {
    const { mode, channel, baudRate } = this.state;
    const rate = mode === 3 ? BAUD_RATES.indexOf(baudRate) >> 1 : 0;
    return (mode * 61 + channel * 7 + rate * 131) & 0xff;
  }
}

export const emulator: EmulatorFactory = (context) => new Hc12Emulator(context);
