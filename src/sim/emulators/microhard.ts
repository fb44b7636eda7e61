/**
 * A Microhard MHX (MHX-900 manual): commands as of a telephone modem behind `+++`, registers S101 to S104, a master that
 * speaks at every hop and a slave that answers it, DCD while they hear each other, CTS while there is room. How long a hop
 * is, and what fits one, is not documented: own choice, so that the line and not the air is the limit.
 */
import { OctetQueue } from '../octet-queue.js';
import type { HeardFrame } from '../signal.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';
import { EscapeSequence } from './escape-sequence.js';
import { StreamModem } from './stream-modem.js';

export interface MicrohardRegisters {
  /** 1 and 3: master; 2 and 4: slave. */
  101: number;
  102: number;
  103: number;
  104: number;
}

export const MICROHARD_FACTORY: Readonly<MicrohardRegisters> = { 101: 2, 102: 7, 103: 3, 104: 1 };

const BAUD_RATES = new Map([
  [1, 115_200],
  [2, 57_600],
  [3, 38_400],
  [5, 19_200],
  [7, 9600],
  [9, 4800],
  [11, 2400],
]);
/** Result codes as digits, with V0. */
const CODES: Readonly<Record<string, string>> = { OK: '0', 'NO CARRIER': '3', ERROR: '4' };
const BUFFER_BYTES = 1024;
const REPLY_US = 20_000;
const BOOT_US = 1_500_000;
const GUARD_US = 1_000_000;
const MAX_COMMAND = 40;
const HOP_US = 20_000;
/** Of a hop, for each side. */
const SLOT_US = 8_000;
const ANSWER_US = 500;
/** Hops without a word until DCD goes off. */
const LOST_HOPS = 20;
const HEADER_BYTES = 3;

export class MicrohardEmulator extends StreamModem {
  readonly #port: EmulatorContext['port'];
  readonly #escape: EscapeSequence;
  readonly #buffer = new OctetQueue();
  #saved: MicrohardRegisters;
  #registers: MicrohardRegisters;
  #running: MicrohardRegisters;
  #echoes = true;
  #speaksWords = true;
  #commands = false;
  #command = '';
  #dcd: boolean | undefined;
  #heardUs = Number.NEGATIVE_INFINITY;

  constructor(context: EmulatorContext, saved: Partial<MicrohardRegisters> = {}) {
    const registers = { ...MICROHARD_FACTORY, ...saved };
    const baudRate = BAUD_RATES.get(registers[102]) ?? 9600;
    super(context, { baudRate, bootUs: BOOT_US, replyUs: REPLY_US, hardwareFlow: true, outputBytes: BUFFER_BYTES });
    this.#port = context.port;
    this.#saved = registers;
    this.#registers = { ...registers };
    this.#running = { ...registers };
    this.#escape = new EscapeSequence(this.scheduler, GUARD_US, () => this.#escaped());
    context.medium.listen(context.station, { frame: (frame) => this.#fromAir(frame) });
    this.#setDcd(false);
    this.after(0, () => this.#hop());
  }

  /** Settings as if saved before; they hold from the next start. */
  save(registers: Partial<MicrohardRegisters>): void {
    this.#saved = { ...this.#saved, ...registers };
  }

  /** As a former user left it. */
  leave({
    commands = false,
    words = true,
    echo = true,
  }: {
    commands?: boolean;
    words?: boolean;
    echo?: boolean;
  }): void {
    this.#commands = commands;
    this.#speaksWords = words;
    this.#echoes = echo;
  }

  protected forget(): void {
    this.#buffer.takeAll();
    this.#escape.reset();
    this.#commands = false;
    this.#command = '';
    this.#echoes = true;
    this.#speaksWords = true;
    this.#heardUs = Number.NEGATIVE_INFINITY;
    this.#setDcd(false);
  }

  protected override booted(): void {
    this.#registers = { ...this.#saved };
    this.#goOnline();
    this.line.roomAgain();
    this.#hop();
  }

  #goOnline(): void {
    this.#commands = false;
    this.#escape.reset();
    this.#running = { ...this.#registers };
    this.baudRate = BAUD_RATES.get(this.#running[102]) ?? 9600;
  }

  // ---- from the host ----------------------------------------------------------------------------------------------

  protected octet(octet: number): boolean {
    if (this.#commands) {
      this.#type(octet);
      return true;
    }
    if (this.#buffer.length >= BUFFER_BYTES) {
      this.#port.setInputs?.({ cts: false });
      return false;
    }
    this.#escape.take(octet, this.line.octetUs);
    this.#buffer.push(Uint8Array.of(octet));
    return true;
  }

  #escaped(): void {
    if (this.asleep) return;
    this.#commands = true;
    this.#command = '';
    this.#say('OK');
  }

  #type(octet: number): void {
    if (this.#echoes || this.faults.echo) this.echo(octet);
    if (octet !== 0x0d) {
      if (this.#command.length < MAX_COMMAND) this.#command += String.fromCharCode(octet);
      return;
    }
    const command = this.#command.toUpperCase();
    this.#command = '';
    // What was typed before the last AT is not looked at.
    const at = command.lastIndexOf('AT');
    if (at >= 0) this.#execute(command.slice(at + 2));
  }

  #execute(command: string): void {
    const isKnown = this.#carryOut(command);
    this.countCommand(isKnown);
    if (!isKnown) this.#say('ERROR');
  }

  #carryOut(command: string): boolean {
    const [, name, operator, text] = /^S(\d+)([?=])(\d*)$/.exec(command) ?? [];
    if (name !== undefined) return this.#register(Number(name), operator === '?' ? undefined : Number(text));
    switch (command) {
      case 'V0':
      case 'V1':
        this.#speaksWords = command === 'V1';
        break;
      case 'E0':
      case 'E1':
        this.#echoes = command === 'E1';
        break;
      case '&W':
        this.#saved = { ...this.#registers };
        break;
      case 'A':
        this.#say(`CONNECT ${BAUD_RATES.get(this.#running[102])}`);
        // That was the last word at the old rate.
        this.after(REPLY_US, () => this.#goOnline());
        return true;
      case '':
      case '&C1':
      case '&K3':
        break;
      default:
        return false;
    }
    this.#say('OK');
    return true;
  }

  #register(number: number, value: number | undefined): boolean {
    if (number !== 101 && number !== 102 && number !== 103 && number !== 104) return false;
    if (value === undefined) {
      this.reply(`\r\n${this.#registers[number]}\r\n`);
      this.#say('OK');
      return true;
    }
    if (number === 102 ? !BAUD_RATES.has(value) : number === 101 ? value < 1 || value > 4 : value > 65_535)
      return false;
    this.#registers[number] = value;
    this.#say('OK');
    return true;
  }

  #say(result: string): void {
    this.reply(this.#speaksWords ? `\r\n${result}\r\n` : `${CODES[result] ?? '1'}\r`);
  }

  // ---- the air ----------------------------------------------------------------------------------------------------

  get #isMaster(): boolean {
    return this.#running[101] % 2 === 1;
  }

  #hop(): void {
    const nowUs = this.scheduler.nowUs();
    this.#setDcd(nowUs - this.#heardUs < LOST_HOPS * HOP_US);
    if (this.#isMaster) this.#speak();
    this.after(HOP_US - (nowUs % HOP_US), () => this.#hop());
  }

  #speak(): void {
    if (this.asleep || this.medium.sending(this.station)) return;
    const room = Math.max(1, Math.floor(SLOT_US / this.medium.octetsUs(1)) - HEADER_BYTES);
    const data: number[] = [];
    while (data.length < room) {
      const octet = this.#buffer.shift();
      if (octet === undefined) break;
      data.push(octet);
    }
    if (this.#buffer.length < BUFFER_BYTES / 2) this.#port.setInputs?.({ cts: true });
    this.line.roomAgain();
    const { 101: mode, 103: rate, 104: address } = this.#running;
    const signal = this.medium.keyUp(this.station);
    const endUs = signal.sendFrame(Uint8Array.from([(mode - 1) * 16 + rate, address >> 8, address & 0xff, ...data]));
    this.scheduler.at(endUs, () => signal.keyDown());
  }

  #fromAir({ octets, intact }: HeardFrame): void {
    if (this.asleep || !intact) return;
    const { 101: mode, 103: rate, 104: address } = this.#running;
    // The other half of a pair: 1 and 2, 3 and 4.
    const partner = mode % 2 === 1 ? mode + 1 : mode - 1;
    if (octets[0] !== (partner - 1) * 16 + rate || (((octets[1] ?? 0) << 8) | (octets[2] ?? 0)) !== address) return;
    this.#heardUs = this.scheduler.nowUs();
    this.#setDcd(true);
    if (octets.length > HEADER_BYTES && !this.#commands) this.hear(octets.subarray(HEADER_BYTES));
    if (!this.#isMaster) this.after(ANSWER_US, () => this.#speak());
  }

  #setDcd(on: boolean): void {
    if (on === this.#dcd) return;
    this.#dcd = on;
    this.#port.setInputs?.({ dcd: on });
  }
}

export const emulator: EmulatorFactory = (context) =>
  new MicrohardEmulator(context, { 101: context.station % 2 === 1 ? 1 : 2 });
