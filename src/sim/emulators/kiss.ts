/**
 * A KISS TNC: frames in and out, p-persistent CSMA of its own. The channel access is that of "The KISS TNC" (Chepponis
 * and Karn, 1987): on a clear channel draw 0..255, send if that is at most P, otherwise wait a slot and look again. On
 * the air it is HDLC; what arrives spoiled goes no further.
 */
import type { Scheduler } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { Decoder } from '../../framing/codec.js';
import {
  encodeKiss,
  KISS_ACK_DATA,
  KISS_DATA,
  KISS_FULL_DUPLEX,
  KISS_PERSISTENCE,
  KISS_RETURN,
  KISS_SET_HARDWARE,
  KISS_SLOT_TIME,
  KISS_TXDELAY,
  KISS_TXTAIL,
  kissCommand,
  kissDecoder,
  kissPort,
} from '../../framing/kiss.js';
import { addKissChecksum, type KissChecksum, takeKissChecksum } from '../../framing/kiss-checksum.js';
import { HostLine } from '../host-line.js';
import type { Medium, Transmission } from '../medium.js';
import type { Emulator, EmulatorContext, EmulatorFactory } from './emulator.js';
import { decodeHdlcAir, encodeHdlcAir } from './hdlc-air.js';

/** Argument units of TXDELAY, SlotTime and TXtail. */
const KISS_UNIT_US = 10_000;
/** Dire Wolf's channel defaults (conf/generic.conf): TXDELAY 30, PERSIST 63, SLOTTIME 10, TXTAIL 10, FULLDUP off. */
const DEFAULTS = { txDelay: 30, persistence: 63, slotTime: 10, txTail: 10, fullDuplex: false };
/** NinoTNC and most USB TNCs. */
const LINE_BAUD = 57_600;
/** MAX_KISS_LEN of Dire Wolf's kiss_frame.h. */
const MAX_FRAME_BYTES = 2048;
/** Frames sent in one key-up at the most, while the queue has any. */
const MAX_FRAMES_PER_KEY_UP = 256;
/** A carrier is seen once two flags could be recognised. */
const CARRIER_DETECT_OCTETS = 2;
/** Octets that may wait for the line to the host: some whole frames, escapes included. */
const OUTPUT_BYTES = 65_536;

export interface KissEmulatorOptions {
  /**
   * ACKMODE: echoed when the frame has left; at once, as programs do that are no TNC; with the frame's octets behind it;
   * sent without an echo; or not known, so that such a frame is thrown away (Dire Wolf). Default: on-air.
   */
  readonly ackMode?: 'on-air' | 'immediate' | 'whole' | 'silent' | 'unknown';
  readonly checksum?: KissChecksum;
  /** Answers SetHardware `TXBUF:` and `TNC:` as Dire Wolf does. */
  readonly direWolf?: boolean;
  /** A command mode for humans, which `RESTART` ends once `KISS ON` was typed; KISS's Return ends KISS. */
  readonly commandMode?: boolean;
}

/** The state that `RESET` and power leave. */
type Mode = 'command' | 'command, kiss on' | 'kiss';

interface QueuedFrame {
  readonly payload: Uint8Array;
  /** ACKMODE: what to return once it is sent. */
  readonly acknowledge: { readonly type: number; readonly id: Uint8Array } | undefined;
}

export class KissEmulator implements Emulator {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #medium: Medium;
  readonly #station: number;
  readonly #line: HostLine;
  readonly #decoder: Decoder;
  readonly #queueBytes: number;
  readonly #turnaroundUs: number;
  readonly #parameters = { ...DEFAULTS };
  readonly #queue: QueuedFrame[] = [];
  #queuedBytes = 0;
  /** `contending`: a draw or a slot is under way; `deferring`: the channel is busy, its end will be reported. */
  #state: 'idle' | 'deferring' | 'contending' | 'sending' = 'idle';
  #carrier = false;
  /** Switched by tests. */
  readonly hazards = { loseReplies: false, diagnostics: false };
  readonly #options: KissEmulatorOptions;
  #mode: Mode;
  #typed = '';
  /** SMACK and FlexNet: whether the host was heard to use it. */
  #hostChecks = false;
  readonly #counts = {
    framesQueued: 0,
    queueOverrun: 0,
    keyUps: 0,
    deferrals: 0,
    slotsWaited: 0,
    fcsErrors: 0,
    hostFramesIgnored: 0,
    hostOctetsDiscarded: 0,
    hostFramesLost: 0,
    badChecksums: 0,
    reboots: 0,
    hardwareCommands: 0,
  };

  constructor(
    { scheduler, random, medium, station, port, settings }: EmulatorContext,
    options: KissEmulatorOptions = {},
  ) {
    this.#options = options;
    this.#mode = options.commandMode === true ? 'command' : 'kiss';
    this.#scheduler = scheduler;
    this.#random = random;
    this.#medium = medium;
    this.#station = station;
    this.#queueBytes = settings.bufferBytes ?? Number.POSITIVE_INFINITY;
    this.#turnaroundUs = settings.turnaroundUs ?? 0;
    this.#decoder = kissDecoder(
      { maxFrameBytes: MAX_FRAME_BYTES },
      {
        frame: (type, payload) => this.#fromHost(type, payload),
        discard: (_cause, octets) => {
          this.#counts.hostOctetsDiscarded += octets;
        },
      },
    );
    this.#line = new HostLine({
      scheduler,
      port,
      lineBaud: settings.lineBaud ?? LINE_BAUD,
      flowControl: settings.flowControl ?? 'hardware',
      outputBytes: OUTPUT_BYTES,
      // KISS has no flow control: the TNC reads on, and drops whole frames if its queue is bounded.
      take: (octet) => {
        if (this.#mode === 'kiss') this.#decoder.push(Uint8Array.of(octet));
        else this.#type(octet);
        return true;
      },
    });
    medium.listen(
      station,
      {
        carrier: (busy) => {
          this.#carrier = busy;
          if (!busy && this.#state === 'deferring') this.#contend();
        },
        frame: ({ octets }) => this.#fromAir(octets),
      },
      settings.carrierDetectUs ?? medium.octetsUs(CARRIER_DETECT_OCTETS),
    );
  }

  counts(): Record<string, number> {
    return { ...this.#line.counts, ...this.#counts, queued: this.#queue.length };
  }

  /** Power gone and back. What is on the air goes out. */
  reboot(): void {
    this.#counts.reboots++;
    Object.assign(this.#parameters, DEFAULTS);
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#decoder.reset();
    this.#hostChecks = false;
    this.#mode = this.#options.commandMode === true ? 'command' : 'kiss';
  }

  #type(octet: number): void {
    if (octet !== 0x0d) {
      if (octet >= 0x20 && octet < 0x7f) this.#typed = (this.#typed + String.fromCharCode(octet)).slice(-80);
      return;
    }
    const line = this.#typed.trim().toUpperCase();
    this.#typed = '';
    if (line === 'KISS ON') this.#mode = 'command, kiss on';
    else if (line === 'RESTART' && this.#mode === 'command, kiss on') {
      this.#mode = 'kiss';
      return;
    }
    this.#line.send(Uint8Array.from('\r\ncmd:', (letter) => letter.charCodeAt(0)));
  }

  #fromHost(wholeType: number, wholePayload: Uint8Array): void {
    const taken = takeKissChecksum(this.#options.checksum ?? 'none', wholeType, wholePayload);
    if (taken === 'wrong') {
      this.#counts.badChecksums++;
      return;
    }
    const { type, payload } = taken;
    if (taken.checked) this.#hostChecks = true;
    const command = kissCommand(type);
    const argument = payload[0] ?? 0;
    if (type === KISS_RETURN && this.#options.commandMode === true) this.#mode = 'command';
    else if (type === KISS_RETURN || kissPort(type) !== 0) this.#counts.hostFramesIgnored++;
    else if (command === KISS_SET_HARDWARE) this.#hardware(type, payload);
    else if (command === KISS_DATA) this.#enqueue({ payload, acknowledge: undefined });
    else if (command === KISS_ACK_DATA && payload.length > 2) this.#ackData(type, payload);
    else if (payload.length === 0) this.#counts.hostFramesIgnored++;
    else if (command === KISS_TXDELAY) this.#parameters.txDelay = argument;
    else if (command === KISS_PERSISTENCE) this.#parameters.persistence = argument;
    else if (command === KISS_SLOT_TIME) this.#parameters.slotTime = argument;
    else if (command === KISS_TXTAIL) this.#parameters.txTail = argument;
    else if (command === KISS_FULL_DUPLEX) this.#parameters.fullDuplex = argument !== 0;
    else this.#counts.hostFramesIgnored++;
  }

  #ackData(type: number, payload: Uint8Array): void {
    const { ackMode = 'on-air' } = this.#options;
    if (ackMode === 'unknown') {
      this.#counts.hostFramesIgnored++;
      return;
    }
    const id = ackMode === 'whole' ? payload : payload.subarray(0, 2);
    const later = ackMode === 'on-air' || ackMode === 'whole';
    this.#enqueue({ payload: payload.subarray(2), acknowledge: later ? { type, id } : undefined });
    if (ackMode === 'immediate') this.#reply(type, id);
  }

  #hardware(type: number, payload: Uint8Array): void {
    this.#counts.hardwareCommands++;
    if (this.#options.direWolf !== true) return;
    const command = String.fromCharCode(...payload);
    const answer = { 'TXBUF:': `TXBUF:${this.#queuedBytes}`, 'TNC:': 'DIREWOLF 1.7' }[command];
    if (answer !== undefined)
      this.#reply(
        type,
        Uint8Array.from(answer, (letter) => letter.charCodeAt(0)),
      );
  }

  #reply(type: number, payload: Uint8Array): void {
    if (!this.hazards.loseReplies) this.#toHost(type, payload);
  }

  #enqueue(frame: QueuedFrame): void {
    if (frame.payload.length === 0) {
      this.#counts.hostFramesIgnored++;
      return;
    }
    if (this.#queuedBytes + frame.payload.length > this.#queueBytes) {
      this.#counts.queueOverrun++;
      return;
    }
    this.#counts.framesQueued++;
    this.#queue.push(frame);
    this.#queuedBytes += frame.payload.length;
    if (this.#state === 'idle') this.#contend();
  }

  #contend(): void {
    if (this.#queue.length === 0) {
      this.#state = 'idle';
      return;
    }
    const { fullDuplex, persistence, slotTime } = this.#parameters;
    if (!fullDuplex && this.#carrier) {
      this.#state = 'deferring';
      this.#counts.deferrals++;
      return;
    }
    const nowUs = this.#scheduler.nowUs();
    if (fullDuplex || this.#random.below(256) <= persistence) {
      this.#state = 'sending';
      this.#scheduler.at(nowUs + this.#turnaroundUs, () => this.#keyUp());
      return;
    }
    this.#state = 'contending';
    this.#counts.slotsWaited++;
    // A slot of 0 would draw for ever in no time.
    this.#scheduler.at(nowUs + Math.max(1, slotTime * KISS_UNIT_US), () => this.#contend());
  }

  #keyUp(): void {
    this.#counts.keyUps++;
    const signal = this.#medium.keyUp(this.#station, this.#parameters.txDelay * KISS_UNIT_US);
    this.#sendNext(signal, MAX_FRAMES_PER_KEY_UP);
  }

  #sendNext(signal: Transmission, remaining: number): void {
    const next = remaining > 0 ? this.#queue.shift() : undefined;
    if (next === undefined) {
      const endUs = signal.keyDown(this.#parameters.txTail * KISS_UNIT_US);
      this.#scheduler.at(endUs, () => this.#contend());
      return;
    }
    this.#queuedBytes -= next.payload.length;
    const endUs = signal.sendFrame(encodeHdlcAir(next.payload));
    this.#scheduler.at(endUs, () => {
      if (next.acknowledge !== undefined) this.#reply(next.acknowledge.type, next.acknowledge.id);
      this.#sendNext(signal, remaining - 1);
    });
  }

  #fromAir(air: Uint8Array): void {
    const { payloads, broken } = decodeHdlcAir(air);
    this.#counts.fcsErrors += broken;
    for (const payload of payloads) {
      // A button was pressed: a frame of the NinoTNC's own, never on the air.
      if (this.hazards.diagnostics) {
        this.#toHost(
          KISS_DATA,
          Uint8Array.from('=FirmwareVr:3.44=BrdSwchMod:040F0023', (letter) => letter.charCodeAt(0)),
        );
      }
      this.#toHost(KISS_DATA, payload);
    }
  }

  #toHost(plainType: number, plainPayload: Uint8Array): void {
    if (this.#mode !== 'kiss') return;
    const { type, payload } = addKissChecksum(this.#checksumFor(plainType), plainType, plainPayload);
    const octets = encodeKiss(type, payload);
    if (octets.length <= this.#line.outputRoom) this.#line.send(octets);
    else this.#counts.hostFramesLost++;
  }

  /** SMACK and FlexNet cover data, once the host has shown that it knows them. */
  #checksumFor(type: number): KissChecksum {
    const { checksum = 'none' } = this.#options;
    if (checksum === 'none' || checksum === 'xkiss') return checksum;
    return this.#hostChecks && kissCommand(type) === KISS_DATA ? checksum : 'none';
  }
}

export const emulator: EmulatorFactory = (context) => new KissEmulator(context);
