/**
 * An RNode: KISS with its own commands, echoes of settings, a queue of 6144 octets, carrier sense with DIFS and a
 * contention window. It talks about itself once a second, and after a restart it first talks like a boot loader.
 */
import type { Random } from '../../base/random.js';
import type { Decoder } from '../../framing/codec.js';
import { encodeKiss, kissDecoder } from '../../framing/kiss.js';
import { HostLine } from '../host-line.js';
import type { Medium } from '../medium.js';
import type { Emulator, EmulatorContext, EmulatorFactory } from './emulator.js';

const LINE_BAUD = 115_200;
const QUEUE_BYTES = 6144;
const MTU = 508;
const PACKET_BYTES = 254;
const SPLIT = 0x01;
const BOOT_US = 1_500_000;
const STATISTICS_US = 1_000_000;
const WINDOW_SLOTS = 15;

export class RnodeEmulator implements Emulator {
  /** Switched by tests. */
  readonly hazards = { queueFull: false, loseReplies: false, refuseNext: false };
  readonly #context: EmulatorContext;
  readonly #medium: Medium;
  readonly #random: Random;
  readonly #line: HostLine;
  readonly #decoder: Decoder;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #radio = { on: false, frequency: 0, bandwidth: 125_000, power: 0, sf: 7, cr: 5 };
  #carrier = false;
  #sending = false;
  #contending = false;
  #booting = false;
  #epoch = 0;
  #half: { sequence: number; octets: Uint8Array } | undefined;
  readonly #counts = { restarts: 0, silentlyDropped: 0, keyUps: 0, queueOverrun: 0, spoiled: 0 };

  constructor(context: EmulatorContext) {
    this.#context = context;
    this.#medium = context.medium;
    this.#random = context.random;
    this.#decoder = kissDecoder(
      { maxFrameBytes: 1024 },
      { frame: (type, payload) => this.#fromHost(type, payload), discard: () => undefined },
    );
    this.#line = new HostLine({
      scheduler: context.scheduler,
      port: context.port,
      lineBaud: context.settings.lineBaud ?? LINE_BAUD,
      flowControl: 'none',
      outputBytes: 16_384,
      take: (octet) => {
        if (!this.#booting) this.#decoder.push(Uint8Array.of(octet));
        return true;
      },
    });
    context.medium.listen(
      context.station,
      {
        carrier: (busy) => {
          this.#carrier = busy;
          if (!busy) this.#contend();
        },
        frame: ({ octets, intact }) => this.#fromAir(octets, intact),
      },
      context.settings.carrierDetectUs ?? 5_000,
    );
    this.#talk();
  }

  counts(): Record<string, number> {
    return { ...this.#line.counts, ...this.#counts, queued: this.#queue.length };
  }

  /** Power gone and back, or the reset that opening the port is for many boards. */
  reboot(): void {
    this.#counts.restarts++;
    this.#epoch++;
    this.#booting = true;
    this.#contending = false;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#half = undefined;
    this.#radio = { ...this.#radio, on: false };
    this.#decoder.reset();
    this.#line.send(
      Uint8Array.from('ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET)\r\n', (c) => c.charCodeAt(0)),
    );
    this.#after(BOOT_US, () => {
      this.#booting = false;
      this.#tell(0x55, 0xf8);
    });
  }

  #after(delayUs: number, run: () => void): void {
    const epoch = this.#epoch;
    const { scheduler } = this.#context;
    scheduler.at(scheduler.nowUs() + delayUs, () => {
      if (epoch === this.#epoch) run();
    });
  }

  #tell(type: number, ...payload: number[]): void {
    this.#line.send(encodeKiss(type, Uint8Array.from(payload)));
  }

  #reply(type: number, ...payload: number[]): void {
    if (!this.hazards.loseReplies) this.#tell(type, ...payload);
  }

  /** Channel and CSMA statistics, whatever else is going on. */
  #talk(): void {
    const { scheduler } = this.#context;
    scheduler.at(scheduler.nowUs() + STATISTICS_US, () => {
      if (!this.#booting && this.#radio.on) {
        this.#tell(0x25, 0, 12, 0, 3, 0, 20, 0, 5, 157 - 100, 157 - 112, 0xff);
        this.#tell(0x28, 1, 0, 14);
      }
      this.#talk();
    });
  }

  #fromHost(type: number, payload: Uint8Array): void {
    const radio = this.#radio;
    const [first = 0] = payload;
    const value = payload.length >= 4 ? new DataView(payload.buffer, payload.byteOffset).getUint32(0) : 0;
    const octets = (n: number): number[] => [n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff];
    switch (type) {
      case 0x00:
        this.#enqueue(payload);
        return;
      case 0x01:
        // The synthesiser has a grid of 61 Hz.
        if (value !== 0) radio.frequency = Math.round(value / 61.035) * 61.035;
        this.#reply(type, ...octets(Math.round(radio.frequency)));
        return;
      case 0x02:
        if (value !== 0) radio.bandwidth = value;
        this.#reply(type, ...octets(radio.bandwidth));
        return;
      case 0x03:
        if (first !== 0xff) radio.power = Math.min(first, 22);
        this.#reply(type, radio.power);
        return;
      case 0x04:
        if (first !== 0xff) radio.sf = first;
        this.#reply(type, radio.sf);
        return;
      case 0x05:
        if (first !== 0xff) radio.cr = first;
        this.#reply(type, radio.cr);
        return;
      case 0x06:
        if (first !== 0xff) radio.on = first === 1;
        this.#reply(type, radio.on ? 1 : 0);
        return;
      case 0x08:
        if (first === 0x73) this.#reply(type, 0x46);
        return;
      case 0x0b:
      case 0x0c:
        this.#reply(type, ...payload);
        return;
      case 0x0f:
        this.#reply(type, this.hazards.queueFull ? 0 : 1);
        return;
      case 0x50:
        this.#reply(type, 1, 80);
    }
  }

  #enqueue(frame: Uint8Array): void {
    if (this.hazards.refuseNext) {
      this.hazards.refuseNext = false;
      this.#tell(0x90, 0x02);
      return;
    }
    if (!this.#radio.on || frame.length === 0 || frame.length > MTU) {
      this.#counts.silentlyDropped++;
      return;
    }
    if (this.#queuedBytes + frame.length > QUEUE_BYTES) {
      this.#counts.queueOverrun++;
      return;
    }
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
    this.#contend();
  }

  #slotUs(): number {
    const symbolUs = (2 ** this.#radio.sf * 1e6) / this.#radio.bandwidth;
    const bps = (this.#radio.sf * 4e6) / this.#radio.cr / symbolUs;
    return bps > 30_000 ? 6_000 : Math.min(100_000, Math.max(24_000, 12 * symbolUs));
  }

  /** DIFS of two slots and a random wait, begun anew when the channel was busy meanwhile. */
  #contend(): void {
    if (this.#queue.length === 0 || this.#sending || this.#contending || this.#carrier) return;
    this.#contending = true;
    let slots = 2 + this.#random.below(WINDOW_SLOTS);
    const wait = (): void => {
      if (this.#carrier) {
        this.#contending = false;
        return;
      }
      if (slots-- > 0) this.#after(this.#slotUs(), wait);
      else {
        this.#contending = false;
        this.#send();
      }
    };
    wait();
  }

  #send(): void {
    const frame = this.#queue.shift();
    if (frame === undefined) return;
    this.#queuedBytes -= frame.length;
    this.#sending = true;
    this.#counts.keyUps++;
    const sequence = this.#random.below(16) << 4;
    const signal = this.#medium.keyUp(this.#context.station);
    const isSplit = frame.length > PACKET_BYTES;
    for (let at = 0; at < frame.length; at += PACKET_BYTES) {
      const part = frame.subarray(at, at + PACKET_BYTES);
      const packet = new Uint8Array(part.length + 1);
      packet[0] = sequence | (isSplit ? SPLIT : 0);
      packet.set(part, 1);
      signal.sendFrame(packet, this.#packetUs(packet.length));
    }
    const { scheduler } = this.#context;
    scheduler.at(signal.keyDown(), () => {
      this.#sending = false;
      this.#contend();
    });
  }

  /** As the firmware reckons: no rounding up of symbols. */
  #packetUs(bytes: number): number {
    const { sf, cr, bandwidth } = this.#radio;
    const symbolUs = (2 ** sf * 1e6) / bandwidth;
    const ldro = symbolUs > 16_000 ? 1 : 0;
    const preamble = Math.max(18, Math.ceil(24_000 / symbolUs));
    const symbols = ((8 * bytes + 16 - 4 * sf + 8 + 20) / (4 * (sf - 2 * ldro))) * cr + preamble + 4.25 + 8;
    return Math.round(symbols * symbolUs);
  }

  #fromAir(packet: Uint8Array, intact: boolean): void {
    if (!this.#radio.on) return;
    if (!intact || packet.length < 2) {
      this.#counts.spoiled++;
      this.#half = undefined;
      return;
    }
    const header = packet[0] as number;
    const part = packet.slice(1);
    if ((header & SPLIT) === 0) this.#toHost(part);
    else if (this.#half?.sequence === header) {
      const whole = new Uint8Array(this.#half.octets.length + part.length);
      whole.set(this.#half.octets);
      whole.set(part, this.#half.octets.length);
      this.#half = undefined;
      this.#toHost(whole);
    } else this.#half = { sequence: header, octets: part };
  }

  #toHost(frame: Uint8Array): void {
    this.#tell(0x23, 157 - 60 - this.#random.below(50));
    this.#tell(0x24, 20 + this.#random.below(20));
    this.#line.send(encodeKiss(0x00, frame));
  }
}

export const emulator: EmulatorFactory = (context) => new RnodeEmulator(context);
