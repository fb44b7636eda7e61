/**
 * An RS-485 transceiver behind a UART: what the host writes is on the wire while the driver is on. Either it switches by itself, as
 * USB adapters do, or by RTS; then octets are lost that come while it is off, and nobody is heard while it is on. With
 * `echo` the receiver hears its own station.
 */
import type { Scheduler } from '../../base/clock.js';
import { HostLine } from '../host-line.js';
import type { Medium, Transmission } from '../medium.js';
import { OctetQueue } from '../octet-queue.js';
import type { Emulator, EmulatorContext, EmulatorFactory } from './emulator.js';

export interface Rs485Traits {
  /** Who switches the driver. Default: the adapter. */
  readonly direction?: 'adapter' | 'rts';
  readonly echo?: boolean;
}

/** The wire's pace is the UART's; the host fills its FIFO much faster. */
const FIFO_BYTES = 16;
const LINE_TO_WIRE = 20;
/** An adapter holds the wire for so many octets after the last one. */
const HANG_OCTETS = 1;

export class Rs485Emulator implements Emulator {
  /** Counted down: echoed octets that come back wrong, or not at all. */
  readonly faults = { garbleEcho: 0, loseEcho: 0 };
  readonly #scheduler: Scheduler;
  readonly #medium: Medium;
  readonly #station: number;
  readonly #traits: Rs485Traits;
  readonly #line: HostLine;
  readonly #fifo = new OctetQueue();
  readonly #counts = { lostWhileOff: 0, cutOff: 0, echoed: 0 };
  #signal: Transmission | undefined;
  #shifting = false;
  #lastShifted = 0;

  constructor({ scheduler, medium, station, port }: EmulatorContext, traits: Rs485Traits = {}) {
    this.#scheduler = scheduler;
    this.#medium = medium;
    this.#station = station;
    this.#traits = traits;
    this.#line = new HostLine({
      scheduler,
      port,
      lineBaud: LINE_TO_WIRE * medium.rateBps,
      flowControl: 'hardware',
      outputBytes: 65_536,
      take: (octet) => this.#take(octet),
    });
    if (traits.direction === 'rts') port.onHostEnd?.(({ rts }) => this.#switch(rts));
    medium.listen(station, { octet: (octet) => this.#line.send(Uint8Array.of(octet)) });
  }

  counts(): Record<string, number> {
    return { ...this.#line.counts, ...this.#counts };
  }

  #switch(on: boolean): void {
    if (on === (this.#signal !== undefined)) return;
    if (on) this.#signal = this.#medium.keyUp(this.#station);
    else {
      if (this.#shifting) this.#counts.cutOff++;
      this.#signal?.keyDown();
      this.#signal = undefined;
    }
  }

  #take(octet: number): boolean {
    if (this.#fifo.length >= FIFO_BYTES) return false;
    this.#fifo.push(Uint8Array.of(octet));
    if (!this.#shifting) this.#shift();
    return true;
  }

  #shift(): void {
    const octet = this.#fifo.shift();
    const shifted = ++this.#lastShifted;
    if (octet === undefined) {
      this.#shifting = false;
      if (this.#traits.direction === 'rts') return;
      this.#scheduler.at(this.#scheduler.nowUs() + this.#medium.octetsUs(HANG_OCTETS), () => {
        if (shifted === this.#lastShifted) this.#switch(false);
      });
      return;
    }
    this.#shifting = true;
    if (this.#traits.direction !== 'rts') this.#switch(true);
    if (this.#signal === undefined) this.#counts.lostWhileOff++;
    const endUs = this.#signal?.sendOctet(octet) ?? this.#scheduler.nowUs() + this.#medium.octetsUs(1);
    this.#line.roomAgain();
    this.#scheduler.at(endUs, () => {
      if (this.#signal !== undefined) this.#echo(octet);
      this.#shift();
    });
  }

  #echo(octet: number): void {
    if (this.#traits.echo !== true) return;
    if (this.faults.loseEcho > 0) {
      this.faults.loseEcho--;
      return;
    }
    this.#counts.echoed++;
    const isWrong = this.faults.garbleEcho > 0 && this.faults.garbleEcho-- > 0;
    this.#line.send(Uint8Array.of(isWrong ? octet ^ 0x10 : octet));
  }
}

export const emulator: EmulatorFactory = (context) => new Rs485Emulator(context);
