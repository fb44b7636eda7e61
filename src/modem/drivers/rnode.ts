/**
 * RNode: LoRa behind KISS with commands of its own (RNode_Firmware, Framing.h; Reticulum, RNodeInterface.py). The
 * firmware contends by itself. It echoes every setting with the value that it took, and says whether its queue has room,
 * but not when a frame has left: that is worked out, and then the modem is asked whether it is still there and on.
 */
import type { Cancel } from '../../base/clock.js';
import { sameOctets } from '../../base/octets.js';
import type { Decoder } from '../../framing/codec.js';
import { encodeKiss, kissDecoder } from '../../framing/kiss.js';
import type { PhyCapabilities, PhyTiming, ReceptionMeta } from '../../mac/phy.js';
import { type LoraModulation, loraAirtimeUs, loraSymbolUs } from '../airtime.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import { maxFrameBytes } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import { type RnodeSettings, rnodeDriver } from '../settings/lora-kiss.js';
import { KissDialogue, type KissStep } from './kiss-dialogue.js';
import { LineDriver } from './line-driver.js';

// Framing.h.
const DATA = 0x00;
const FREQUENCY = 0x01;
const BANDWIDTH = 0x02;
const TX_POWER = 0x03;
const SPREADING_FACTOR = 0x04;
const CODING_RATE = 0x05;
const RADIO_STATE = 0x06;
const DETECT = 0x08;
const SHORT_LOCK = 0x0b;
const LONG_LOCK = 0x0c;
const READY = 0x0f;
const STAT_RSSI = 0x23;
const STAT_SNR = 0x24;
const STAT_CHANNEL = 0x25;
const STAT_CSMA = 0x28;
const FIRMWARE = 0x50;
const RESET = 0x55;
const ERROR = 0x90;

const DETECT_REQUEST = 0x73;
const DETECT_ANSWER = 0x46;
const RESET_DONE = 0xf8;
const ASK = 0xff;
const ERROR_INIT = 0x01;
const ERROR_TX_FAILED = 0x02;
const ERROR_TIMEOUT = 0x06;
/** RSSI in octets counts from here (RNode_Firmware). */
const RSSI_OFFSET = 157;
const SNR_STEP_DB = 0.25;
/** The synthesiser's grid: what is echoed may differ by so much (RNodeInterface.py). */
const FREQUENCY_TOLERANCE_HZ = 100;
/** Octets of a frame in one LoRa packet; longer ones are two, each with a header of one octet. */
const PACKET_BYTES = 254;
const PACKET_HEADER_BYTES = 1;
/** The firmware's channel access: DIFS of two slots, then up to 14 of the first band's window. */
const SLOT_SYMBOLS = 12;
const SLOT_MIN_US = 24_000;
const SLOT_MAX_US = 100_000;
const FAST_SLOT_US = 6_000;
const FAST_BPS = 30_000;
const DIFS_SLOTS = 2;
const WINDOW_SLOTS = 15;
const PREAMBLE_MIN_SYMBOLS = 18;
const PREAMBLE_MIN_US = 24_000;
/** Longest frame of the other direction: statistics and version are short. */
const MAX_LINE_FRAME_BYTES = 512;
/** Silent polls before the modem is taken for one that has restarted or gone. */
const SILENT_POLLS = 4;

export class RnodeDriver extends LineDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  /** What the modem last said of itself and the channel. */
  readonly #reported: Record<string, number> = {};
  readonly #settings: RnodeSettings;
  readonly #decoder: Decoder;
  readonly #dialogue: KissDialogue;
  readonly #meanAccessUs: number;
  #meta: ReceptionMeta = {};
  #cancelPoll: Cancel | undefined;
  #polls = 0;
  #isOn = false;
  #hasRoom = false;

  constructor(profile: Profile, settings: RnodeSettings, options: DriverOptions) {
    super(profile, options);
    this.#settings = settings;
    const symbolUs = loraSymbolUs(settings);
    const preambleSymbols =
      settings.preambleSymbols === 'auto'
        ? Math.max(PREAMBLE_MIN_SYMBOLS, Math.ceil(PREAMBLE_MIN_US / symbolUs))
        : settings.preambleSymbols;
    const modulation: LoraModulation = { ...settings, preambleSymbols, explicitHeader: true, crc: true };
    const packetUs = (bytes: number): number => loraAirtimeUs(modulation, bytes + PACKET_HEADER_BYTES);
    const airtimeUs = (bytes: number): number =>
      bytes <= PACKET_BYTES ? packetUs(bytes) : packetUs(PACKET_BYTES) + packetUs(bytes - PACKET_BYTES);
    const bitsPerSecond = (settings.spreadingFactor * 4e6) / settings.codingRate / symbolUs;
    const slotUs =
      bitsPerSecond > FAST_BPS ? FAST_SLOT_US : Math.min(SLOT_MAX_US, Math.max(SLOT_MIN_US, SLOT_SYMBOLS * symbolUs));
    const longest = Math.min(settings.maxFrameBytes, maxFrameBytes(profile));
    this.capabilities = {
      channelAccess: profile.mac.channelAccess,
      duplex: 'half',
      carrierSense: 'none',
      sentReport: 'modelled',
      checksIntegrity: true,
      maxFrameBytes: longest,
    };
    this.#meanAccessUs = (DIFS_SLOTS + (WINDOW_SLOTS - 1) / 2) * slotUs;
    const lineUs = Math.ceil((longest + 3) * this.lineOctetUs);
    this.timing = {
      airtimeUs,
      turnaroundUs: lineUs + profile.air.turnaroundUs,
      carrierDetectUs: lineUs,
      propagationUs: profile.air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
      modemAccessUs: (DIFS_SLOTS + WINDOW_SLOTS) * slotUs + airtimeUs(longest),
    };
    this.#dialogue = new KissDialogue({
      scheduler: this.scheduler,
      replyUs: settings.replyMs * 1000,
      retryUs: settings.retryMs * 1000,
      write: (octets) => this.writeToLine(octets),
    });
    this.#decoder = kissDecoder(
      { maxFrameBytes: MAX_LINE_FRAME_BYTES },
      {
        frame: (type, payload) => this.#fromModem(type, payload),
        discard: (cause, octets) => this.discard(cause, octets),
      },
    );
  }

  figures(): Record<string, number> {
    return { ...this.#reported };
  }

  senseBusy(): boolean {
    return false;
  }

  protected encode(frame: Uint8Array): Uint8Array {
    return encodeKiss(DATA, frame);
  }

  /** When the frame should have left the modem is asked; the answer, not this time, ends the transmission. */
  protected signalEndUs(frameBytes: number, encodedBytes: number): number {
    const lineUs = encodedBytes * this.lineOctetUs;
    const endUs = this.scheduler.nowUs() + lineUs + this.#meanAccessUs + this.timing.airtimeUs(frameBytes);
    this.#polls = 0;
    // A round trip of its own length before the end, so that the answer is there when the frame is over.
    const askUs = endUs - 10 * this.lineOctetUs;
    this.#cancelPoll = this.scheduler.at(askUs, () => this.#poll());
    return Number.MAX_SAFE_INTEGER;
  }

  protected receive(octets: Uint8Array): void {
    this.#decoder.push(octets);
  }

  protected override prepare(done: () => void): void {
    this.#dialogue.run(this.#steps(), done);
  }

  protected override stopped(): void {
    this.#dialogue.stop();
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
    this.#meta = {};
    this.#decoder.reset();
  }

  #steps(): KissStep[] {
    const { frequencyHz, bandwidthHz, txPowerDbm, spreadingFactor, codingRate, shortAirtimeLock, longAirtimeLock } =
      this.#settings;
    const echoed = (type: number, ...payload: number[]): KissStep => {
      const octets = Uint8Array.from(payload);
      return { type, payload: octets, answers: (other, answer) => other === type && sameOctets(answer, octets) };
    };
    return [
      {
        type: DETECT,
        payload: Uint8Array.of(DETECT_REQUEST),
        answers: (type, payload) => type === DETECT && payload[0] === DETECT_ANSWER,
      },
      {
        type: FIRMWARE,
        payload: Uint8Array.of(0),
        answers: (type, payload) => type === FIRMWARE && payload.length === 2,
      },
      echoed(RADIO_STATE, 0),
      {
        type: FREQUENCY,
        payload: uint32(frequencyHz),
        answers: (type, payload) =>
          type === FREQUENCY && Math.abs((readUint32(payload) ?? 0) - frequencyHz) <= FREQUENCY_TOLERANCE_HZ,
      },
      echoed(BANDWIDTH, ...uint32(bandwidthHz)),
      echoed(TX_POWER, txPowerDbm),
      echoed(SPREADING_FACTOR, spreadingFactor),
      echoed(CODING_RATE, codingRate),
      ...(shortAirtimeLock === 0 ? [] : [echoed(SHORT_LOCK, shortAirtimeLock >> 8, shortAirtimeLock & 0xff)]),
      ...(longAirtimeLock === 0 ? [] : [echoed(LONG_LOCK, longAirtimeLock >> 8, longAirtimeLock & 0xff)]),
      echoed(RADIO_STATE, 1),
    ];
  }

  #fromModem(type: number, payload: Uint8Array): void {
    if (type === RESET && payload[0] === RESET_DONE) {
      this.restart();
      return;
    }
    if (this.#dialogue.take(type, payload)) {
      if (type === FIRMWARE) this.#reported.firmware = (payload[0] ?? 0) * 100 + (payload[1] ?? 0);
      return;
    }
    const [first = 0] = payload;
    switch (type) {
      case DATA:
        this.listener.received(payload, this.#meta);
        this.#meta = {};
        return;
      case STAT_RSSI:
        this.#meta = { ...this.#meta, rssiDbm: first - RSSI_OFFSET };
        return;
      case STAT_SNR:
        this.#meta = { ...this.#meta, snrDb: ((first << 24) >> 24) * SNR_STEP_DB };
        return;
      case READY:
        this.#hasRoom = first === 1;
        this.#answered();
        return;
      case RADIO_STATE:
        this.#isOn = first === 1;
        if (this.#isOn) this.#answered();
        else this.restart();
        return;
      case STAT_CHANNEL:
        this.#channelStatistics(payload);
        return;
      case STAT_CSMA:
        Object.assign(this.#reported, { csmaBand: first, csmaMin: payload[1] ?? 0, csmaMax: payload[2] ?? 0 });
        return;
      case ERROR:
        this.#failed(first);
        return;
      default:
        // Settings echoed twice, battery, temperature, counters: nothing that we need.
        this.#reported.otherFrames = (this.#reported.otherFrames ?? 0) + 1;
    }
  }

  #channelStatistics(payload: Uint8Array): void {
    if (payload.length < 10) return;
    const share = (at: number): number => (((payload[at] as number) << 8) | (payload[at + 1] as number)) / 10_000;
    Object.assign(this.#reported, {
      airtimeShort: share(0),
      airtimeLong: share(2),
      loadShort: share(4),
      loadLong: share(6),
      rssiDbm: (payload[8] as number) - RSSI_OFFSET,
      noiseFloorDbm: (payload[9] as number) - RSSI_OFFSET,
    });
  }

  #failed(error: number): void {
    this.#reported.errors = (this.#reported.errors ?? 0) + 1;
    if (error === ERROR_TX_FAILED) {
      this.#cancelPoll?.();
      this.finish('refused');
    } else if (error === ERROR_INIT || error === ERROR_TIMEOUT) this.restart();
  }

  #poll(): void {
    if (!this.transmitting) return;
    if (this.#polls++ >= SILENT_POLLS) {
      this.restart();
      return;
    }
    this.#isOn = false;
    this.#hasRoom = false;
    this.writeToLine(encodeKiss(RADIO_STATE, Uint8Array.of(ASK)));
    this.writeToLine(encodeKiss(READY, Uint8Array.of(0)));
    this.#cancelPoll = this.scheduler.at(this.scheduler.nowUs() + this.#settings.replyMs * 1000, () => this.#poll());
  }

  /** A full queue is asked again later, and that is no silence. */
  #answered(): void {
    if (!this.transmitting || this.#polls === 0) return;
    this.#polls = 1;
    if (!this.#isOn || !this.#hasRoom) return;
    this.#cancelPoll?.();
    this.finish('sent');
  }
}

export const driver = defineDriver({
  settings: rnodeDriver,
  create: (profile, settings, options) => new RnodeDriver(profile, settings, options),
});

const uint32 = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);

function readUint32(octets: Uint8Array): number | undefined {
  return octets.length < 4 ? undefined : new DataView(octets.buffer, octets.byteOffset).getUint32(0);
}
