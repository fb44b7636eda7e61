/**
 * What emulated LoRa modules have in common: packets that last as long as the modulation says, heard only by those that were
 * listening on the same modulation when the preamble came, and a host who types commands in lines.
 */
import { type LoraModulation, loraAirtimeUs, loraSymbolUs } from '../../modem/airtime.js';
import { AcousticModem, type AcousticOptions, type Packet } from './acoustic-modem.js';
import type { EmulatorContext } from './emulator.js';

const CR = 0x0d;
const LF = 0x0a;
/** Of a preamble, a receiver must get so many symbols (Semtech AN1200.22: about five). */
const SYMBOLS_TO_LOCK = 5;
/** What a module remembers of a line without an end. */
const MAX_COMMAND_BYTES = 1024;
const NEAR_DBM = -60;

export interface Tuning {
  spreadingFactor: number;
  bandwidthHz: number;
  /** The denominator: 5 is 4/5. */
  codingRate: number;
  preambleSymbols: number;
  frequencyHz: number;
}

export abstract class LoraModem extends AcousticModem {
  /** Volatile; `forget` must set it back. */
  protected readonly tuning: Tuning;
  readonly #factory: Tuning;
  #command = '';
  /** Infinite while the receiver is off. */
  #listeningSinceUs = Number.POSITIVE_INFINITY;

  protected constructor(context: EmulatorContext, options: AcousticOptions, factory: Tuning) {
    super(context, options);
    this.#factory = factory;
    this.tuning = { ...factory };
  }

  /** A line that the host typed, without its end. */
  protected abstract command(text: string): void;
  protected abstract arrived(payload: Uint8Array, rssiDbm: number, snrDb: number): void;
  protected abstract arrivedBroken(): void;

  protected get listening(): boolean {
    return this.#listeningSinceUs < Number.POSITIVE_INFINITY;
  }

  protected listen(on: boolean): void {
    if (on === this.listening) return;
    this.#listeningSinceUs = on ? this.scheduler.nowUs() : Number.POSITIVE_INFINITY;
  }

  protected forget(): void {
    this.#command = '';
    this.listen(false);
    Object.assign(this.tuning, this.#factory);
  }

  /** What has been typed of a line. */
  protected get typed(): string {
    return this.#command;
  }

  protected octet(octet: number): void {
    if (octet !== CR && octet !== LF) {
      this.typeAnything(octet);
      return;
    }
    const command = this.#command;
    this.#command = '';
    if (command !== '') this.command(command);
  }

  /** An octet of a line, even if it looks like the line's end. */
  protected typeAnything(octet: number): void {
    if (this.#command.length < MAX_COMMAND_BYTES) this.#command += String.fromCharCode(octet);
  }

  protected radiate(payload: Uint8Array, ended: () => void): void {
    const { spreadingFactor, frequencyHz } = this.tuning;
    const packet = { source: this.station, destination: channelOf(frequencyHz), kind: spreadingFactor, payload };
    this.send(packet, this.#airtimeUs(payload.length), ended);
  }

  protected heard({ destination, kind, payload }: Packet, intact: boolean): void {
    const { spreadingFactor, frequencyHz, preambleSymbols } = this.tuning;
    if (this.sending || !this.listening) return;
    if (intact && (kind !== spreadingFactor || destination !== channelOf(frequencyHz))) return;
    const startUs = this.scheduler.nowUs() - this.#airtimeUs(payload.length);
    const lockUs = Math.max(0, preambleSymbols - SYMBOLS_TO_LOCK) * loraSymbolUs(this.tuning);
    if (this.#listeningSinceUs > startUs + lockUs) return;
    if (intact) this.arrived(payload, NEAR_DBM - this.random.below(20), this.random.below(12) - 2);
    else this.arrivedBroken();
  }

  #airtimeUs(bytes: number): number {
    const modulation: LoraModulation = { ...this.tuning, explicitHeader: true, crc: true };
    return loraAirtimeUs(modulation, bytes);
  }
}

/** An octet that differs between neighbouring channels. */
function channelOf(frequencyHz: number): number {
  return Math.floor(frequencyHz / 100_000) & 0xff;
}

export function hexOf(octets: Uint8Array): string {
  let text = '';
  for (const octet of octets) text += octet.toString(16).padStart(2, '0').toUpperCase();
  return text;
}

/** Undefined for what is no even number of hexadecimal digits. */
export function octetsOfHex(text: string): Uint8Array | undefined {
  if (!/^([0-9A-Fa-f]{2})+$/.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}
