/**
 * Modems behind KISS ("The KISS TNC", Chepponis and Karn, 1987). The TNC senses the carrier and contends by itself,
 * checks integrity by itself, and tells nobody what it does, unless it knows ACKMODE or Dire Wolf's queue query: without
 * them, when a frame has left is worked out from what we told it.
 */
import type { Cancel } from '../../base/clock.js';
import { crc16X25 } from '../../base/crc.js';
import type { Decoder } from '../../framing/codec.js';
import {
  encodeKiss,
  KISS_DATA,
  KISS_FULL_DUPLEX,
  KISS_PERSISTENCE,
  KISS_SET_HARDWARE,
  KISS_SLOT_TIME,
  KISS_TXDELAY,
  KISS_TXTAIL,
  kissDecoder,
  kissType,
} from '../../framing/kiss.js';
import { addKissChecksum, kissChecksumBytes, takeKissChecksum } from '../../framing/kiss-checksum.js';
import type { PhyCapabilities, PhyTiming } from '../../mac/phy.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import { maxFrameBytes } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import type { Contradiction } from '../schema-parts.js';
import { KISS_TIME_MAX_MS, KISS_TIME_UNIT_MS, type KissSettings, kissDriver } from '../settings/kiss.js';
import { AckModeReports, type KissReports, QueueReports } from './kiss-reports.js';
import { LineDriver } from './line-driver.js';

/** FEND, type octet, FEND. */
const KISS_OVERHEAD_BYTES = 3;
/** HDLC puts a 0 behind five 1s: one bit in 62 of random data. */
const BIT_STUFFING = 63 / 62;
/** How sure the bound on the TNC's own waiting is. */
const ACCESS_CONFIDENCE = 0.95;
/** A TNC that tells when a frame has left is waited for, for so many times that bound. */
const PATIENCE = 4;

export class KissDriver extends LineDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  readonly #settings: KissSettings;
  readonly #dataType: number;
  readonly #fullDuplex: boolean;
  readonly #meanAccessUs: number;
  readonly #tailUs: number;
  readonly #decoder: Decoder;
  readonly #reports: KissReports | undefined;
  readonly #ignorePrefix: Uint8Array;
  /** Since the line was opened a frame came with the checksum: from then on none may come without. */
  #peerChecks = false;
  #cancelResend: Cancel | undefined;
  #cancelEnter: Cancel | undefined;
  /** The frame that `encode` was given last. */
  #frame = new Uint8Array(0);
  /** The frame that the TNC holds: its length, and before when it cannot have been sent. */
  #held: { readonly frameBytes: number; earliestEndUs: number } | undefined;

  constructor(profile: Profile, settings: KissSettings, options: DriverOptions) {
    super(profile, options);
    const { air, mac } = profile;
    const contended = mac.channelAccess !== 'none';
    this.#settings = settings;
    this.#dataType = kissType(settings.port, KISS_DATA);
    this.#fullDuplex = air.duplex === 'full';
    this.capabilities = {
      channelAccess: mac.channelAccess,
      duplex: air.duplex,
      carrierSense: 'none',
      sentReport: settings.reports === 'ackmode' ? 'on-air' : 'modelled',
      checksIntegrity: true,
      maxFrameBytes: maxFrameBytes(profile),
    };
    const preambleUs = air.preambleUs === 'auto' ? settings.txDelayMs * 1000 : air.preambleUs;
    const tailUs = air.tailUs === 'auto' ? settings.txTailMs * 1000 : air.tailUs;
    this.#tailUs = tailUs;
    const airtimeUs = contended
      ? (frameBytes: number): number => {
          const octets = (frameBytes + settings.airOverheadBytes) * BIT_STUFFING;
          return Math.ceil(preambleUs + octets * this.airOctetUs + tailUs);
        }
      : (frameBytes: number): number =>
          Math.ceil((frameBytes + KISS_OVERHEAD_BYTES) * Math.max(this.airOctetUs, this.lineOctetUs));
    // The TNC tells a frame only when it has it whole, and sends only what it has whole: a full frame's line time each.
    const lineUs = Math.ceil((this.capabilities.maxFrameBytes + KISS_OVERHEAD_BYTES) * this.lineOctetUs);
    const probability = (settings.persistence + 1) / 256;
    const slotUs = settings.slotTimeMs * 1000;
    const longestSlotUs = slotUs + settings.slotTimeSpreadMs * 1000;
    // Draws until the first success are geometric; each failure costs a slot.
    this.#meanAccessUs = contended ? (1 / probability - 1) * slotUs : 0;
    const surelyUs =
      probability === 1 ? 0 : Math.ceil(Math.log(1 - ACCESS_CONFIDENCE) / Math.log(1 - probability)) * longestSlotUs;
    this.timing = {
      airtimeUs,
      turnaroundUs: Math.ceil((contended ? lineUs : this.lineOctetUs) + air.turnaroundUs),
      carrierDetectUs: air.carrierDetectUs === 'auto' ? lineUs : air.carrierDetectUs,
      propagationUs: air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
      // One other station's frame may come first.
      ...(contended ? { modemAccessUs: surelyUs + airtimeUs(this.capabilities.maxFrameBytes) } : {}),
    };
    this.#ignorePrefix = Uint8Array.from(settings.ignorePrefix, (letter) => letter.charCodeAt(0));
    this.#reports = this.#createReports();
    this.#decoder = kissDecoder(
      // ACKMODE's identification, where a TNC gives the whole frame back, and the checksum.
      { maxFrameBytes: settings.maxFrameBytes + 2 + kissChecksumBytes(settings.checksum) },
      {
        frame: (type, payload) => this.#fromTnc(type, payload),
        discard: (cause, octets) => this.discard(cause, octets),
      },
    );
  }

  /** The TNC's own affair. */
  senseBusy(): boolean {
    return false;
  }

  protected encode(frame: Uint8Array): Uint8Array {
    this.#frame = frame.slice();
    this.#spreadSlotTime(frame);
    const data = this.#reports?.wrap(frame) ?? { type: this.#dataType, payload: frame };
    const { type, payload } = addKissChecksum(this.#settings.checksum, data.type, data.payload);
    return encodeKiss(type, payload);
  }

  /** On the line, then the TNC's wait for its turn, then the signal. The wait is only known on average. */
  protected signalEndUs(frameBytes: number, encodedBytes: number): number {
    const lineUs = encodedBytes * this.lineOctetUs;
    const airtimeUs = this.timing.airtimeUs(frameBytes);
    const earliestEndUs = this.scheduler.nowUs() + lineUs + airtimeUs;
    this.#held = { frameBytes, earliestEndUs };
    const patienceEndUs = earliestEndUs + PATIENCE * ((this.timing.modemAccessUs ?? 0) + airtimeUs);
    const expectedEndUs = earliestEndUs + this.#meanAccessUs;
    const held = { frame: this.#frame, earliestEndUs, expectedEndUs, airtimeUs, tailUs: this.#tailUs, patienceEndUs };
    return this.#reports?.written(held) ?? expectedEndUs;
  }

  protected receive(octets: Uint8Array): void {
    this.#decoder.push(octets);
  }

  protected override prepare(done: () => void): void {
    // What somebody has typed before is ended first.
    const lines = this.#settings.enter.length === 0 ? [] : ['', ...this.#settings.enter];
    const next = (): void => {
      const line = lines.shift();
      if (line === undefined) {
        this.#cancelEnter = undefined;
        done();
        return;
      }
      this.writeToLine(Uint8Array.from(`${line}\r`, (letter) => letter.charCodeAt(0)));
      this.#cancelEnter = this.scheduler.at(this.scheduler.nowUs() + this.#settings.enterMs * 1000, next);
    };
    next();
  }

  protected override started(): void {
    const { port, hardware, sendParameters } = this.#settings;
    for (const argument of hardware) this.#command(kissType(port, KISS_SET_HARDWARE), octetsOfHex(argument));
    if (sendParameters) this.#sendParameters();
  }

  protected override stopped(): void {
    this.#cancelResend?.();
    this.#cancelResend = undefined;
    this.#cancelEnter?.();
    this.#cancelEnter = undefined;
    this.#reports?.stop();
    this.#held = undefined;
    this.#peerChecks = false;
    this.#decoder.reset();
  }

  #createReports(): KissReports | undefined {
    const { reports, port, pollMs } = this.#settings;
    const host = {
      scheduler: this.scheduler,
      port,
      send: (type: number, payload: Uint8Array) => this.#command(type, payload),
      reportAt: (atUs: number) => this.reportAt(Math.max(this.scheduler.nowUs(), atUs)),
      transmitting: () => this.transmitting,
    };
    switch (reports) {
      case 'none':
        return undefined;
      case 'ackmode':
        return new AckModeReports(host);
      case 'txbuf':
        return new QueueReports(host, pollMs * 1000);
    }
  }

  #fromTnc(wholeType: number, wholePayload: Uint8Array): void {
    const taken = takeKissChecksum(this.#settings.checksum, wholeType, wholePayload);
    if (taken === 'wrong') {
      this.listener.discarded('rx-fcs', wholePayload.length + 1);
      return;
    }
    const { type, payload, checked } = taken;
    if (checked) this.#peerChecks = true;
    if (this.#reports?.take(type, payload) === true) return;
    if (type !== this.#dataType || this.#isTncsOwn(payload)) {
      this.listener.discarded('rx-other', payload.length + 1);
      return;
    }
    if (this.#peerChecks && !checked) {
      this.listener.discarded('rx-fcs', payload.length + 1);
      return;
    }
    this.#heardWhileHolding(payload.length);
    this.listener.received(payload, {});
  }

  #isTncsOwn(payload: Uint8Array): boolean {
    const prefix = this.#ignorePrefix;
    return prefix.length > 0 && prefix.every((octet, i) => octet === payload[i]);
  }

  /** Parameters and SetHardware; SMACK and FlexNet check none of them, XKISS all. */
  #command(type: number, argument: Uint8Array): void {
    const checksum = this.#settings.checksum === 'xkiss' ? 'xkiss' : 'none';
    const frame = addKissChecksum(checksum, type, argument);
    this.writeToLine(encodeKiss(frame.type, frame.payload));
  }

  /**
   * A half-duplex TNC that received a frame has not sent at that time. If ours could not have been over when that
   * reception began, ours is still waiting: it can start only now, so its end is reckoned anew. Without this the TNC's
   * queue would grow on a channel that others use.
   */
  #heardWhileHolding(heardBytes: number): void {
    const held = this.#held;
    if (
      this.#reports !== undefined ||
      held === undefined ||
      !this.transmitting ||
      this.#fullDuplex ||
      this.#meanAccessUs === 0
    )
      return;
    const nowUs = this.scheduler.nowUs();
    const heardEndUs = nowUs - (heardBytes + KISS_OVERHEAD_BYTES) * this.lineOctetUs;
    const heardStartUs = heardEndUs - this.timing.airtimeUs(heardBytes);
    if (heardStartUs >= held.earliestEndUs) return;
    held.earliestEndUs = heardEndUs + this.timing.airtimeUs(held.frameBytes);
    this.reportAt(Math.max(nowUs, held.earliestEndUs + this.#meanAccessUs));
  }

  #spreadSlotTime(frame: Uint8Array): void {
    const { port, slotTimeMs, slotTimeSpreadMs, sendParameters } = this.#settings;
    if (slotTimeSpreadMs === 0 || !sendParameters) return;
    const spread = slotTimeSpreadMs / KISS_TIME_UNIT_MS;
    // Drawn from the frame itself: no two stations hold the same one.
    const offset = (crc16X25(frame) % (2 * spread + 1)) - spread;
    this.#command(kissType(port, KISS_SLOT_TIME), Uint8Array.of(slotTimeMs / KISS_TIME_UNIT_MS + offset));
  }

  #sendParameters(): void {
    const { port, txDelayMs, persistence, slotTimeMs, txTailMs, resendMs } = this.#settings;
    const parameters = [
      [KISS_TXDELAY, txDelayMs / KISS_TIME_UNIT_MS],
      [KISS_PERSISTENCE, persistence],
      [KISS_SLOT_TIME, slotTimeMs / KISS_TIME_UNIT_MS],
      [KISS_TXTAIL, txTailMs / KISS_TIME_UNIT_MS],
      [KISS_FULL_DUPLEX, this.#fullDuplex ? 1 : 0],
    ] as const;
    for (const [command, value] of parameters) this.#command(kissType(port, command), Uint8Array.of(value));
    if (resendMs === 0) return;
    this.#cancelResend = this.scheduler.at(this.scheduler.nowUs() + resendMs * 1000, () => this.#sendParameters());
  }
}

export const driver = defineDriver({
  settings: kissDriver,
  // It reports no carrier to the host.
  channelAccess: ['modem', 'none'],
  contradictions,
  create: (profile, settings, options) => new KissDriver(profile, settings, options),
});

function contradictions({ slotTimeMs, slotTimeSpreadMs, reports, checksum }: KissSettings): Contradiction[] {
  const found: Contradiction[] = [];
  // What a TNC is told stays between one unit and what its octet holds.
  const mostMs = Math.max(0, Math.min(slotTimeMs - KISS_TIME_UNIT_MS, KISS_TIME_MAX_MS - slotTimeMs));
  if (slotTimeSpreadMs > mostMs) {
    found.push({
      path: ['driver', 'slotTimeSpreadMs'],
      expected: `at most ${mostMs} (ms) with driver.slotTimeMs ${slotTimeMs}`,
    });
  }
  if (reports === 'ackmode' && (checksum === 'smack' || checksum === 'flexnet')) {
    found.push({
      path: ['driver', 'reports'],
      expected: `none or txbuf with driver.checksum ${checksum}, which covers ordinary data frames only; xkiss covers all`,
    });
  }
  return found;
}

function octetsOfHex(text: string): Uint8Array {
  return Uint8Array.from(text.replace(/\s/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
