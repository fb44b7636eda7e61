/** MeshCore's KISS modem: one frame at a time, p-persistence, TxDone, signal report after each frame. */
import type { Random } from '../../base/random.js';
import type { Decoder } from '../../framing/codec.js';
import { encodeKiss, kissDecoder } from '../../framing/kiss.js';
import { HostLine } from '../host-line.js';
import type { Medium } from '../medium.js';
import type { Emulator, EmulatorContext, EmulatorFactory } from './emulator.js';

const LINE_BAUD = 115_200;
const MTU = 255;
const SET_HARDWARE = 0x06;
const KISS_UNIT_US = 10_000;
const BOOT_US = 800_000;
/** RadioLib's default for LoRa. */
const PREAMBLE_SYMBOLS = 16;

export class MeshcoreEmulator implements Emulator {
  /** Switched by tests. */
  readonly hazards = { loseReplies: false, refuseNext: false, busyNext: false, noMeta: false };
  readonly #context: EmulatorContext;
  readonly #medium: Medium;
  readonly #random: Random;
  readonly #line: HostLine;
  readonly #decoder: Decoder;
  #radio = new Uint8Array(10);
  #parameters = { txDelay: 50, persistence: 63, slotTime: 10 };
  #signalReport = false;
  #pending: Uint8Array | undefined;
  #carrier = false;
  #booting = false;
  #epoch = 0;
  readonly #counts = { restarts: 0, tooLong: 0, busyReplies: 0, spoiled: 0 };

  constructor(context: EmulatorContext) {
    this.#context = context;
    this.#medium = context.medium;
    this.#random = context.random;
    this.#decoder = kissDecoder(
      { maxFrameBytes: 512 },
      { frame: (type, payload) => this.#fromHost(type, payload), discard: () => undefined },
    );
    this.#line = new HostLine({
      scheduler: context.scheduler,
      port: context.port,
      lineBaud: context.settings.lineBaud ?? LINE_BAUD,
      flowControl: 'none',
      outputBytes: 8192,
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
        },
        frame: ({ octets, intact }) => this.#fromAir(octets, intact),
      },
      context.settings.carrierDetectUs ?? 5_000,
    );
  }

  counts(): Record<string, number> {
    return { ...this.#line.counts, ...this.#counts, queued: this.#pending === undefined ? 0 : 1 };
  }

  reboot(): void {
    this.#counts.restarts++;
    this.#epoch++;
    this.#booting = true;
    this.#pending = undefined;
    this.#signalReport = false;
    this.#radio = new Uint8Array(10);
    this.#parameters = { txDelay: 50, persistence: 63, slotTime: 10 };
    this.#decoder.reset();
    this.#line.send(Uint8Array.from('\r\nMeshCore KISS\r\n', (letter) => letter.charCodeAt(0)));
    this.#after(BOOT_US, () => {
      this.#booting = false;
    });
  }

  #after(delayUs: number, run: () => void): void {
    const epoch = this.#epoch;
    const { scheduler } = this.#context;
    scheduler.at(scheduler.nowUs() + delayUs, () => {
      if (epoch === this.#epoch) run();
    });
  }

  #tell(...payload: number[]): void {
    this.#line.send(encodeKiss(SET_HARDWARE, Uint8Array.from(payload)));
  }

  #fromHost(type: number, payload: Uint8Array): void {
    const [first = 0] = payload;
    switch (type) {
      case 0x00:
        this.#transmit(payload);
        return;
      case 0x01:
        this.#parameters.txDelay = first;
        return;
      case 0x02:
        this.#parameters.persistence = first;
        return;
      case 0x03:
        this.#parameters.slotTime = first;
        return;
      case SET_HARDWARE:
        if (!this.hazards.loseReplies) this.#hardware(payload);
    }
  }

  #hardware(payload: Uint8Array): void {
    const [request = 0, first = 0] = payload;
    switch (request) {
      case 0x09:
        if (payload.length === 11) this.#radio = payload.slice(1);
        this.#tell(...(payload.length === 11 ? [0xf0] : [0xf1, 0x01]));
        return;
      case 0x0a:
        this.#tell(0xf0);
        return;
      case 0x0b:
        this.#tell(0x8b, ...this.#radio);
        return;
      case 0x0e:
        this.#tell(0x8e, this.#carrier ? 1 : 0);
        return;
      case 0x17:
        this.#tell(0x97);
        return;
      case 0x19:
        this.#signalReport = first === 1;
        this.#tell(0xf0);
        return;
      default:
        this.#tell(0xf1, 0x05);
    }
  }

  #transmit(frame: Uint8Array): void {
    if (frame.length > MTU || frame.length === 0) {
      this.#counts.tooLong++;
      return;
    }
    if (this.#pending !== undefined || this.hazards.busyNext) {
      this.hazards.busyNext = false;
      this.#counts.busyReplies++;
      this.#tell(0xf1, 0x07);
      return;
    }
    if (this.hazards.refuseNext) {
      this.hazards.refuseNext = false;
      this.#tell(0xf8, 0x00);
      return;
    }
    this.#pending = frame;
    this.#contend();
  }

  #contend(): void {
    const { persistence, slotTime, txDelay } = this.#parameters;
    if (!this.#carrier && this.#random.below(256) <= persistence) {
      this.#after(txDelay * KISS_UNIT_US, () => this.#send());
      return;
    }
    this.#after(Math.max(1, slotTime) * KISS_UNIT_US, () => this.#contend());
  }

  #send(): void {
    const frame = this.#pending;
    if (frame === undefined) return;
    const signal = this.#medium.keyUp(this.#context.station);
    signal.sendFrame(frame, this.#packetUs(frame.length));
    const endUs = signal.keyDown();
    this.#after(endUs - this.#context.scheduler.nowUs(), () => {
      this.#pending = undefined;
      if (!this.hazards.loseReplies) this.#tell(0xf8, 0x01);
    });
  }

  #packetUs(bytes: number): number {
    const view = new DataView(this.#radio.buffer, this.#radio.byteOffset);
    const bandwidth = view.getUint32(4, true) || 125_000;
    const sf = this.#radio[8] || 7;
    const cr = this.#radio[9] || 5;
    const symbolUs = (2 ** sf * 1e6) / bandwidth;
    const ldro = symbolUs > 16_000 ? 1 : 0;
    const coded = Math.max(0, Math.ceil((8 * bytes - 4 * sf + 44) / (4 * (sf - 2 * ldro))) * cr);
    return Math.round((PREAMBLE_SYMBOLS + 12.25 + coded) * symbolUs);
  }

  #fromAir(frame: Uint8Array, intact: boolean): void {
    if (this.#booting) return;
    if (!intact) {
      this.#counts.spoiled++;
      return;
    }
    this.#line.send(encodeKiss(0x00, frame));
    if (!this.#signalReport || this.hazards.noMeta) return;
    this.#tell(0xf9, 20 + this.#random.below(20), 256 - 60 - this.#random.below(40));
  }
}

export const emulator: EmulatorFactory = (context) => new MeshcoreEmulator(context);
