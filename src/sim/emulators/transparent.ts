/**
 * A transparent modem: octets in, octets out. It keys up when it has something, sends as long as it has octets, and hands
 * on whatever it hears, spoiled or not, as it arrives. The host sees a carrier only as arriving octets.
 */
import type { Cancel, Scheduler } from '../../base/clock.js';
import { HostLine } from '../host-line.js';
import type { Medium, Transmission } from '../medium.js';
import { OctetQueue } from '../octet-queue.js';
import type { Emulator, EmulatorContext, EmulatorFactory } from './emulator.js';

/** As small as the buffers of real modules: two typical frames. */
const BUFFER_BYTES = 512;
/** Twice the air's rate, so that start and stop bits never starve the transmitter; 9600 is the usual least. */
const LINE_BAUD_TO_AIR = 2;
const LEAST_LINE_BAUD = 9600;
/** On a line slower than the air the key is held for so many octets of the line after the last one, so that there are no gaps. */
const HANG_LINE_OCTETS = 2;

export class TransparentEmulator implements Emulator {
  readonly #scheduler: Scheduler;
  readonly #medium: Medium;
  readonly #station: number;
  readonly #line: HostLine;
  readonly #buffer = new OctetQueue();
  readonly #bufferBytes: number;
  readonly #turnaroundUs: number;
  readonly #hangUs: number;
  #keying = false;
  #signal: Transmission | undefined;
  /** While the key is held without an octet to send. */
  #letGo: Cancel | undefined;
  #keyUps = 0;

  constructor({ scheduler, medium, station, port, settings }: EmulatorContext) {
    this.#scheduler = scheduler;
    this.#medium = medium;
    this.#station = station;
    this.#bufferBytes = settings.bufferBytes ?? BUFFER_BYTES;
    this.#turnaroundUs = settings.turnaroundUs ?? 0;
    this.#line = new HostLine({
      scheduler,
      port,
      lineBaud: settings.lineBaud ?? Math.max(LEAST_LINE_BAUD, LINE_BAUD_TO_AIR * medium.rateBps),
      flowControl: settings.flowControl ?? 'hardware',
      take: (octet) => this.#take(octet),
    });
    const starves = this.#line.octetUs >= 8e6 / medium.rateBps;
    this.#hangUs = starves ? Math.ceil(HANG_LINE_OCTETS * this.#line.octetUs) : 0;
    medium.listen(station, {
      octet: (octet) => this.#line.send(Uint8Array.of(octet)),
      carrier: (busy) => port.setInputs?.({ dcd: busy }),
    });
  }

  counts(): Record<string, number> {
    return { ...this.#line.counts, keyUps: this.#keyUps, buffered: this.#buffer.length };
  }

  #take(octet: number): boolean {
    if (this.#buffer.length >= this.#bufferBytes) return false;
    this.#buffer.push(Uint8Array.of(octet));
    if (this.#letGo !== undefined) {
      this.#letGo();
      this.#letGo = undefined;
      this.#sendNext();
    } else if (!this.#keying && this.#signal === undefined) {
      this.#keying = true;
      this.#scheduler.at(this.#scheduler.nowUs() + this.#turnaroundUs, () => this.#keyUp());
    }
    return true;
  }

  #keyUp(): void {
    this.#keying = false;
    this.#keyUps++;
    this.#signal = this.#medium.keyUp(this.#station);
    this.#sendNext();
  }

  #sendNext(): void {
    const octet = this.#buffer.shift();
    if (octet === undefined) {
      if (this.#hangUs === 0) {
        this.#keyDown();
        return;
      }
      this.#letGo = this.#scheduler.at(this.#scheduler.nowUs() + this.#hangUs, () => {
        this.#letGo = undefined;
        this.#keyDown();
      });
      return;
    }
    const endUs = this.#signal?.sendOctet(octet) ?? 0;
    this.#scheduler.at(endUs, () => this.#sendNext());
    this.#line.roomAgain();
  }

  #keyDown(): void {
    this.#signal?.keyDown();
    this.#signal = undefined;
  }
}

export const emulator: EmulatorFactory = (context) => new TransparentEmulator(context);
