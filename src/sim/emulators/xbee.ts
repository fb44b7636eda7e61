/**
 * An XBee module with 802.15.4's unslotted CSMA-CA, after Digi's manuals: transparent mode, command mode between guard times,
 * API modes 1 and 2. What is not written to flash is lost with the power. It acknowledges nothing on the air: frames to one
 * module are sent once, and reported as sent.
 */
import type { Cancel } from '../../base/clock.js';
import type { Codec, Decoder } from '../../framing/codec.js';
import { xbeeCodec } from '../../framing/xbee.js';
import { AcousticModem, type Packet } from './acoustic-modem.js';
import type { EmulatorContext, EmulatorFactory } from './emulator.js';

const LINE_BAUD = 9600;
const REPLY_US = 1000;
/** aTurnaroundTime of 802.15.4 at 2.4 GHz: 12 symbols of 16 us. */
const TURNAROUND_US = 192;
const BOOT_US = 200_000;
/** aUnitBackoffPeriod: 20 symbols. */
const BACKOFF_US = 320;
const CCA_US = 128;
/** macMinBE, macMaxBE, macMaxCSMABackoffs: 802.15.4's defaults. */
const MIN_EXPONENT = 3;
const MAX_EXPONENT = 5;
const MAX_BACKOFFS = 4;
/** Preamble, SFD, length, header with long addresses, check. */
const AIR_OVERHEAD_BYTES = 31;
/** ATCT: command mode ends by itself when no valid command came for so long (0x64, in units of 100 ms). */
const COMMAND_TIMEOUT_US = 10_000_000;
/** ATRO: character times of silence that make a packet of what was typed. */
const SILENCE_OCTETS = 3;
const MAX_API_BYTES = 2200;
const MAC_BYTES = 8;

export interface XbeeTraits {
  /** ATAP as written to flash. Default 0, transparent. */
  readonly apiMode?: 0 | 1 | 2;
  /** ATNP. */
  readonly payloadBytes?: number;
  /** What is received comes as 80 (with the RSSI) rather than 90. */
  readonly legacy?: boolean;
  readonly guardUs?: number;
}

interface Request {
  readonly id: number;
  readonly legacy: boolean;
  readonly payload: Uint8Array;
}

export class XbeeEmulator extends AcousticModem {
  readonly #traits: Required<XbeeTraits>;
  readonly #octetUs: number;
  #savedMode: 0 | 1 | 2;
  #mode: 0 | 1 | 2;
  #codec: Codec;
  #decoder: Decoder;
  #inCommands = false;
  #typed: number[] = [];
  #lastOctetUs = Number.NEGATIVE_INFINITY;
  #pluses = 0;
  #cancelSilence: Cancel | undefined;
  #cancelCommands: Cancel | undefined;
  readonly #queue: Request[] = [];
  #contending = false;
  #rssi = 40;

  constructor(context: EmulatorContext, traits: XbeeTraits = {}) {
    super(context, {
      lineBaud: LINE_BAUD,
      replyUs: REPLY_US,
      turnaroundUs: TURNAROUND_US,
      carrierDetectUs: CCA_US,
      bootUs: BOOT_US,
    });
    this.#traits = { apiMode: 0, payloadBytes: 100, legacy: false, guardUs: 1_000_000, ...traits };
    this.#octetUs = this.line.octetUs;
    this.#savedMode = this.#traits.apiMode;
    this.#mode = this.#savedMode;
    this.#codec = this.#codecOf(this.#mode);
    this.#decoder = this.#newDecoder();
  }

  /** Requests that are not on the air yet. */
  get waitingFrames(): number {
    return this.#queue.length;
  }

  protected forget(): void {
    this.#setMode(this.#savedMode);
    this.#inCommands = false;
    this.#typed = [];
    this.#pluses = 0;
    this.#cancelSilence?.();
    this.#cancelCommands?.();
    this.#queue.length = 0;
    this.#contending = false;
  }

  protected override booted(): void {
    if (this.#mode !== 0) this.#api(Uint8Array.of(0x8a, 0x00));
  }

  /** Joined, or left: nothing that concerns us. */
  protected chatter(): string {
    return this.#mode === 0 ? '' : this.#line(Uint8Array.of(0x8a, 0x02));
  }

  protected octet(octet: number): void {
    if (this.#inCommands) this.#commandOctet(octet);
    else if (this.#mode === 0) this.#dataOctet(octet);
    else this.#decoder.push(Uint8Array.of(octet));
  }

  protected heard({ payload }: Packet, intact: boolean): void {
    if (!intact || this.sending) return;
    this.#rssi = 40 + this.random.below(40);
    const from = [0x00, 0x13, 0xa2, 0x00, 0x40, 0x00, 0x00, 0x01];
    if (this.#mode === 0) this.say(String.fromCharCode(...payload));
    else if (this.#traits.legacy) this.#api(Uint8Array.of(0x80, ...from, this.#rssi, 0x02, ...payload));
    else this.#api(Uint8Array.of(0x90, ...from, 0xff, 0xfe, 0x02, ...payload));
  }

  // ---- transparent and command mode -------------------------------------------------------------------------------

  #dataOctet(octet: number): void {
    const nowUs = this.scheduler.nowUs();
    const wasQuiet = nowUs - this.#lastOctetUs >= this.#traits.guardUs;
    this.#lastOctetUs = nowUs;
    const isPlus = octet === 0x2b && (wasQuiet || this.#pluses > 0);
    this.#pluses = isPlus ? this.#pluses + 1 : 0;
    this.#typed.push(octet);
    this.#cancelSilence?.();
    const sequence = this.#pluses === 3;
    const waitUs = sequence ? this.#traits.guardUs : SILENCE_OCTETS * this.#octetUs;
    this.#cancelSilence = this.scheduler.at(Math.ceil(nowUs + waitUs), () => {
      const typed = Uint8Array.from(this.#typed);
      this.#typed = [];
      this.#pluses = 0;
      if (sequence) {
        this.#inCommands = true;
        this.#commandTime();
        this.reply('OK\r');
      } else this.#request({ id: 0, legacy: false, payload: typed.subarray(0, this.#traits.payloadBytes) });
    });
  }

  #commandOctet(octet: number): void {
    if (octet !== 0x0d) {
      this.#typed.push(octet);
      return;
    }
    const text = String.fromCharCode(...this.#typed).toUpperCase();
    this.#typed = [];
    const mode = /^ATAP ?([012])$/.exec(text);
    if (mode !== null) this.#pendingMode = Number(mode[1]) as 0 | 1 | 2;
    else if (text === 'ATWR') this.#savedMode = this.#pendingMode ?? this.#mode;
    else if (text === 'ATCN') this.#leaveCommands();
    else if (text !== 'AT') {
      this.reply('ERROR\r');
      return;
    }
    if (this.#inCommands) this.#commandTime();
    this.reply('OK\r');
  }

  #commandTime(): void {
    this.#cancelCommands?.();
    this.#cancelCommands = this.scheduler.at(this.scheduler.nowUs() + COMMAND_TIMEOUT_US, () => this.#leaveCommands());
  }

  #leaveCommands(): void {
    this.#cancelCommands?.();
    this.#inCommands = false;
    this.#typed = [];
    this.#setMode(this.#pendingMode ?? this.#mode);
    this.#pendingMode = undefined;
  }

  /** Set, and in force when command mode is left. */
  #pendingMode: 0 | 1 | 2 | undefined;

  // ---- API mode ---------------------------------------------------------------------------------------------------

  #codecOf(mode: 0 | 1 | 2): Codec {
    return xbeeCodec({ maxFrameBytes: MAX_API_BYTES, apiMode: mode === 1 ? 1 : 2 });
  }

  #newDecoder(): Decoder {
    return this.#codec.decoder({ frame: (octets) => this.#frame(octets), discard: () => this.unknown() });
  }

  #setMode(mode: 0 | 1 | 2): void {
    this.#mode = mode;
    this.#codec = this.#codecOf(mode);
    this.#decoder = this.#newDecoder();
  }

  #line(frame: Uint8Array): string {
    return String.fromCharCode(...this.#codec.encode(frame));
  }

  #api(frame: Uint8Array): void {
    this.say(this.#line(frame));
  }

  #frame(octets: Uint8Array): void {
    const [type, id = 0] = octets;
    if (type === 0x08) this.#at(id, octets);
    else if (type === 0x10) this.#request({ id, legacy: false, payload: octets.slice(6 + MAC_BYTES) });
    else if (type === 0x00) this.#request({ id, legacy: true, payload: octets.slice(3 + MAC_BYTES) });
    else this.unknown();
  }

  #at(id: number, octets: Uint8Array): void {
    const name = String.fromCharCode(...octets.subarray(2, 4));
    const value = octets.subarray(4);
    const respond = (status: number, ...answer: readonly number[]): void => {
      if (id !== 0) this.reply(this.#line(Uint8Array.of(0x88, id, ...octets.subarray(2, 4), status, ...answer)));
    };
    switch (name) {
      case 'AP':
        if (value.length === 0) respond(0, this.#mode);
        else if ((value[0] ?? 3) > 2) respond(3);
        else {
          respond(0);
          const mode = (value[0] ?? 0) as 0 | 1 | 2;
          this.after(2 * REPLY_US, () => {
            if (mode !== this.#mode) this.#setMode(mode);
          });
        }
        return;
      case 'NP':
        respond(0, this.#traits.payloadBytes >> 8, this.#traits.payloadBytes & 0xff);
        return;
      case 'DB':
        respond(0, this.#rssi);
        return;
      case 'AO':
        respond(this.#traits.legacy ? 2 : 0);
        return;
      case 'ID':
      case 'CH':
      case 'HP':
      case 'PL':
      case 'MM':
        respond(0);
        return;
      default:
        respond(2);
    }
  }

  // ---- the air ----------------------------------------------------------------------------------------------------

  #request(request: Request): void {
    const fault = this.turnsDown();
    if (request.payload.length > this.#traits.payloadBytes) this.#status(request, 0x74);
    else if (fault === 'busy') this.#status(request, 0x02);
    else if (fault === 'refuse') this.#status(request, 0x24);
    else {
      this.#queue.push(request);
      if (!this.#contending) this.#contend(0);
    }
  }

  #contend(failures: number): void {
    const [request] = this.#queue;
    this.#contending = request !== undefined;
    if (request === undefined) return;
    const slots = 2 ** Math.min(MIN_EXPONENT + failures, MAX_EXPONENT);
    this.after(this.random.below(slots) * BACKOFF_US + CCA_US, () => {
      if (!this.medium.carrierNow(this.station)) this.#transmit(request);
      else if (failures < MAX_BACKOFFS) this.#contend(failures + 1);
      else this.#over(request, 0x02);
    });
  }

  #transmit(request: Request): void {
    const durationUs = Math.round(((request.payload.length + AIR_OVERHEAD_BYTES) * 8e6) / this.medium.rateBps);
    const packet = { source: this.station, destination: 0xff, kind: 0, payload: request.payload };
    this.send(packet, durationUs, () => this.#over(request, 0x00));
  }

  #over(request: Request, status: number): void {
    this.#queue.shift();
    this.#status(request, status);
    this.#contend(0);
  }

  #status({ id, legacy }: Request, status: number): void {
    if (id === 0 || this.#mode === 0) return;
    this.reply(
      this.#line(legacy ? Uint8Array.of(0x89, id, status) : Uint8Array.of(0x8b, id, 0xff, 0xfe, 0, status, 0)),
    );
  }
}

export const emulator: EmulatorFactory = (context) => new XbeeEmulator(context);
