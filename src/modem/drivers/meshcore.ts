/**
 * MeshCore's KISS modem: LoRa that contends by itself, holds one frame, and says when it has left (MeshCore,
 * docs/kiss_modem_protocol.md). Signal quality comes right after each frame, so a frame waits a moment for it.
 */
import type { Cancel } from '../../base/clock.js';
import type { Decoder } from '../../framing/codec.js';
import {
  encodeKiss,
  KISS_DATA,
  KISS_PERSISTENCE,
  KISS_SET_HARDWARE,
  KISS_SLOT_TIME,
  KISS_TXDELAY,
  kissDecoder,
} from '../../framing/kiss.js';
import type { PhyCapabilities, PhyTiming } from '../../mac/phy.js';
import { type LoraModulation, loraAirtimeUs } from '../airtime.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import { maxFrameBytes } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import { type MeshcoreSettings, meshcoreDriver } from '../settings/lora-kiss.js';
import { KissDialogue, type KissStep } from './kiss-dialogue.js';
import { LineDriver } from './line-driver.js';

const SET_RADIO = 0x09;
const SET_TX_POWER = 0x0a;
const GET_RADIO = 0x0b;
const IS_BUSY = 0x0e;
const PING = 0x17;
const SIGNAL_REPORT = 0x19;
/** Answers are the request with this bit. */
const ANSWER = 0x80;
const OK = 0xf0;
const ERROR = 0xf1;
const TX_DONE = 0xf8;
const RX_META = 0xf9;
const ERROR_BUSY = 0x07;
const TX_SENT = 0x01;
const SNR_STEP_DB = 0.25;
const KISS_TIME_UNIT_MS = 10;
const MAX_LINE_FRAME_BYTES = 512;
/** A received frame waits so long for its signal report. */
const META_OCTETS = 16;
const META_SLACK_US = 10_000;
/** How sure the bound on the modem's own waiting is, and how often it is waited for. */
const ACCESS_CONFIDENCE = 0.95;
const PATIENCE = 3;
/** Times that a busy modem is given the frame again. */
const BUSY_RETRIES = 5;
const BUSY_RETRY_US = 200_000;

export class MeshcoreDriver extends LineDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  readonly #settings: MeshcoreSettings;
  readonly #decoder: Decoder;
  readonly #dialogue: KissDialogue;
  readonly #metaUs: number;
  #encoded = new Uint8Array(0);
  #retries = 0;
  #cancelRetry: Cancel | undefined;
  #cancelDeadline: Cancel | undefined;
  #cancelBusyPoll: Cancel | undefined;
  #waiting: { readonly frame: Uint8Array; readonly cancel: Cancel } | undefined;
  #busy = false;

  constructor(profile: Profile, settings: MeshcoreSettings, options: DriverOptions) {
    super(profile, options);
    this.#settings = settings;
    const modulation: LoraModulation = { ...settings, explicitHeader: true, crc: true };
    const longest = Math.min(settings.maxFrameBytes, maxFrameBytes(profile));
    this.capabilities = {
      channelAccess: profile.mac.channelAccess,
      duplex: 'half',
      carrierSense: settings.busyPollMs > 0 ? 'reported' : 'none',
      sentReport: 'on-air',
      checksIntegrity: true,
      maxFrameBytes: longest,
    };
    const airtimeUs = (bytes: number): number => loraAirtimeUs(modulation, bytes);
    const lineUs = Math.ceil((longest + 3) * this.lineOctetUs);
    const probability = (settings.persistence + 1) / 256;
    const slots = probability === 1 ? 0 : Math.ceil(Math.log(1 - ACCESS_CONFIDENCE) / Math.log(1 - probability));
    this.#metaUs = META_OCTETS * this.lineOctetUs + META_SLACK_US + this.hostLatencyUs;
    this.timing = {
      airtimeUs,
      turnaroundUs: lineUs + settings.txDelayMs * 1000 + profile.air.turnaroundUs,
      carrierDetectUs: Math.max(lineUs, settings.busyPollMs * 1000),
      propagationUs: profile.air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
      modemAccessUs: slots * settings.slotTimeMs * 1000 + airtimeUs(longest),
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

  /** Known only where the modem is asked for it. */
  senseBusy(): boolean {
    return this.#busy;
  }

  protected encode(frame: Uint8Array): Uint8Array {
    this.#encoded = new Uint8Array(encodeKiss(KISS_DATA, frame));
    return this.#encoded;
  }

  /** The modem says when: this is how long it may stay silent before it is taken for one that has restarted. */
  protected signalEndUs(frameBytes: number): number {
    this.#retries = 0;
    this.#awaitDone(frameBytes);
    return Number.MAX_SAFE_INTEGER;
  }

  protected receive(octets: Uint8Array): void {
    this.#decoder.push(octets);
  }

  protected override prepare(done: () => void): void {
    this.#dialogue.run(this.#steps(), done);
  }

  protected override started(): void {
    this.#sendParameters();
    if (this.#settings.busyPollMs > 0) this.#pollBusy();
  }

  protected override stopped(): void {
    this.#dialogue.stop();
    this.#cancelRetry?.();
    this.#cancelDeadline?.();
    this.#cancelBusyPoll?.();
    this.#waiting?.cancel();
    this.#waiting = undefined;
    if (this.#busy) {
      this.#busy = false;
      this.listener.carrier(false);
    }
    this.#decoder.reset();
  }

  #steps(): KissStep[] {
    const { frequencyHz, bandwidthHz, spreadingFactor, codingRate, txPowerDbm } = this.#settings;
    const radio = Uint8Array.of(...uint32(frequencyHz), ...uint32(bandwidthHz), spreadingFactor, codingRate);
    const isReply = (type: number, payload: Uint8Array, code: number): boolean =>
      (type & 0x0f) === KISS_SET_HARDWARE && payload[0] === code;
    const set = (...payload: number[]): KissStep => ({
      type: KISS_SET_HARDWARE,
      payload: Uint8Array.from(payload),
      answers: (type, answer) => isReply(type, answer, OK),
    });
    return [
      {
        type: KISS_SET_HARDWARE,
        payload: Uint8Array.of(PING),
        answers: (type, answer) => isReply(type, answer, PING | ANSWER),
      },
      set(SET_RADIO, ...radio),
      set(SET_TX_POWER, txPowerDbm),
      set(SIGNAL_REPORT, 1),
      {
        type: KISS_SET_HARDWARE,
        payload: Uint8Array.of(GET_RADIO),
        answers: (type, answer) =>
          isReply(type, answer, GET_RADIO | ANSWER) && radio.every((octet, i) => octet === answer[i + 1]),
      },
    ];
  }

  /** Not acknowledged, so they are told once the modem has shown that it listens. */
  #sendParameters(): void {
    const { txDelayMs, persistence, slotTimeMs } = this.#settings;
    const parameters = [
      [KISS_TXDELAY, txDelayMs / KISS_TIME_UNIT_MS],
      [KISS_PERSISTENCE, persistence],
      [KISS_SLOT_TIME, slotTimeMs / KISS_TIME_UNIT_MS],
    ] as const;
    for (const [command, value] of parameters) this.writeToLine(encodeKiss(command, Uint8Array.of(value)));
  }

  #fromModem(type: number, payload: Uint8Array): void {
    if (this.#dialogue.take(type, payload)) return;
    if (type === KISS_DATA) {
      this.#deliver({});
      const cancel = this.scheduler.at(this.scheduler.nowUs() + this.#metaUs, () => this.#deliver({}));
      this.#waiting = { frame: payload, cancel };
      return;
    }
    if ((type & 0x0f) !== KISS_SET_HARDWARE) {
      this.listener.discarded('rx-other', payload.length + 1);
      return;
    }
    const [code, first = 0, second = 0] = payload;
    switch (code) {
      case TX_DONE:
        this.#done(first === TX_SENT ? 'sent' : 'refused');
        return;
      case RX_META:
        this.#deliver({ snrDb: signed(first) * SNR_STEP_DB, rssiDbm: signed(second) });
        return;
      case ERROR:
        if (first === ERROR_BUSY) this.#tryAgain();
        else this.#done('refused');
        return;
      case IS_BUSY | ANSWER:
        this.#setBusy(first === 1);
    }
  }

  #deliver(meta: { rssiDbm?: number; snrDb?: number }): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    waiting.cancel();
    this.#waiting = undefined;
    this.listener.received(waiting.frame, meta);
  }

  #done(outcome: 'sent' | 'refused'): void {
    if (!this.transmitting) return;
    this.#cancelDeadline?.();
    this.#cancelRetry?.();
    this.finish(outcome);
  }

  /** A frame of a former session may still be in the modem. */
  #tryAgain(): void {
    if (!this.transmitting) return;
    if (this.#retries++ >= BUSY_RETRIES) {
      this.#done('refused');
      return;
    }
    const atUs =
      this.scheduler.nowUs() + Math.max(BUSY_RETRY_US, this.timing.airtimeUs(this.capabilities.maxFrameBytes));
    this.#cancelRetry?.();
    this.#cancelDeadline?.();
    this.#cancelRetry = this.scheduler.at(atUs, () => {
      this.writeToLine(this.#encoded);
      this.#awaitDone(this.#encoded.length);
    });
  }

  #awaitDone(frameBytes: number): void {
    const { turnaroundUs, modemAccessUs = 0, airtimeUs } = this.timing;
    const patienceUs = turnaroundUs + airtimeUs(Math.min(frameBytes, this.capabilities.maxFrameBytes));
    this.#cancelDeadline = this.scheduler.at(this.scheduler.nowUs() + patienceUs + PATIENCE * modemAccessUs, () =>
      this.restart(),
    );
  }

  #setBusy(busy: boolean): void {
    if (busy === this.#busy) return;
    this.#busy = busy;
    this.listener.carrier(busy);
  }

  #pollBusy(): void {
    if (!this.transmitting) this.writeToLine(encodeKiss(KISS_SET_HARDWARE, Uint8Array.of(IS_BUSY)));
    const atUs = this.scheduler.nowUs() + this.#settings.busyPollMs * 1000;
    this.#cancelBusyPoll = this.scheduler.at(atUs, () => this.#pollBusy());
  }
}

export const driver = defineDriver({
  settings: meshcoreDriver,
  create: (profile, settings, options) => new MeshcoreDriver(profile, settings, options),
});

/** Least significant octet first. */
const uint32 = (value: number): number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  (value >>> 24) & 0xff,
];
const signed = (octet: number): number => (octet << 24) >> 24;
