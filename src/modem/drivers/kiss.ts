/**
 * Modems behind KISS ("The KISS TNC", Chepponis and Karn, 1987). The TNC senses the carrier and contends by itself,
 * checks integrity by itself, and tells nobody what it does: when a frame has left is worked out from what we told it.
 */
import type { Cancel } from '../../base/clock.js';
import type { Decoder } from '../../framing/codec.js';
import {
  encodeKiss,
  KISS_DATA,
  KISS_FULL_DUPLEX,
  KISS_PERSISTENCE,
  KISS_SLOT_TIME,
  KISS_TXDELAY,
  KISS_TXTAIL,
  kissDecoder,
  kissType,
} from '../../framing/kiss.js';
import type { PhyCapabilities, PhyTiming } from '../../mac/phy.js';
import type { DriverOptions } from '../driver.js';
import { maxFrameBytes } from '../link-timing.js';
import type { KissSettings, Profile } from '../profile-schema.js';
import { LineDriver } from './line-driver.js';

/** FEND, type octet, FEND. */
const KISS_OVERHEAD_BYTES = 3;
/** KISS counts times in units of 10 ms. */
const KISS_TIME_UNIT_MS = 10;
/** HDLC puts a 0 behind five 1s: one bit in 62 of random data. */
const BIT_STUFFING = 63 / 62;
/** How sure the bound on the TNC's own waiting is. */
const ACCESS_CONFIDENCE = 0.95;

export class KissDriver extends LineDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  readonly #settings: KissSettings;
  readonly #dataType: number;
  readonly #fullDuplex: boolean;
  readonly #meanAccessUs: number;
  readonly #decoder: Decoder;
  #cancelResend: Cancel | undefined;
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
      sentReport: 'modelled',
      checksIntegrity: true,
      maxFrameBytes: maxFrameBytes(profile),
    };
    const preambleUs = air.preambleUs === 'auto' ? settings.txDelayMs * 1000 : air.preambleUs;
    const tailUs = air.tailUs === 'auto' ? settings.txTailMs * 1000 : air.tailUs;
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
    // Draws until the first success are geometric; each failure costs a slot.
    this.#meanAccessUs = contended ? (1 / probability - 1) * slotUs : 0;
    const surelyUs =
      probability === 1 ? 0 : Math.ceil(Math.log(1 - ACCESS_CONFIDENCE) / Math.log(1 - probability)) * slotUs;
    this.timing = {
      airtimeUs,
      turnaroundUs: Math.ceil((contended ? lineUs : this.lineOctetUs) + air.turnaroundUs),
      carrierDetectUs: air.carrierDetectUs === 'auto' ? lineUs : air.carrierDetectUs,
      propagationUs: air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
      // One other station's frame may come first.
      ...(contended ? { modemAccessUs: surelyUs + airtimeUs(this.capabilities.maxFrameBytes) } : {}),
    };
    this.#decoder = kissDecoder(
      { maxFrameBytes: settings.maxFrameBytes },
      {
        frame: (type, payload) => this.#frame(type, payload),
        discard: (cause, octets) => this.discard(cause, octets),
      },
    );
  }

  /** The TNC's own affair. */
  senseBusy(): boolean {
    return false;
  }

  protected encode(frame: Uint8Array): Uint8Array {
    return encodeKiss(this.#dataType, frame);
  }

  /** On the line, then the TNC's wait for its turn, then the signal. The wait is only known on average. */
  protected signalEndUs(frameBytes: number, encodedBytes: number): number {
    const lineUs = encodedBytes * this.lineOctetUs;
    const earliestEndUs = this.scheduler.nowUs() + lineUs + this.timing.airtimeUs(frameBytes);
    this.#held = { frameBytes, earliestEndUs };
    return earliestEndUs + this.#meanAccessUs;
  }

  protected receive(octets: Uint8Array): void {
    this.#decoder.push(octets);
  }

  protected override started(): void {
    if (this.#settings.sendParameters) this.#sendParameters();
  }

  protected override stopped(): void {
    this.#cancelResend?.();
    this.#cancelResend = undefined;
    this.#decoder.reset();
  }

  #frame(type: number, payload: Uint8Array): void {
    if (type !== this.#dataType) {
      this.listener.discarded('rx-other', payload.length + 1);
      return;
    }
    this.#heardWhileHolding(payload.length);
    this.listener.received(payload, {});
  }

  /**
   * A half-duplex TNC that received a frame has not sent at that time. If ours could not have been over when that
   * reception began, ours is still waiting: it can start only now, so its end is reckoned anew. Without this the TNC's
   * queue would grow on a channel that others use.
   */
  #heardWhileHolding(heardBytes: number): void {
    const held = this.#held;
    if (held === undefined || !this.transmitting || this.#fullDuplex || this.#meanAccessUs === 0) return;
    const nowUs = this.scheduler.nowUs();
    const heardEndUs = nowUs - (heardBytes + KISS_OVERHEAD_BYTES) * this.lineOctetUs;
    const heardStartUs = heardEndUs - this.timing.airtimeUs(heardBytes);
    if (heardStartUs >= held.earliestEndUs) return;
    held.earliestEndUs = heardEndUs + this.timing.airtimeUs(held.frameBytes);
    this.reportAt(Math.max(nowUs, held.earliestEndUs + this.#meanAccessUs));
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
    for (const [command, value] of parameters)
      this.writeToLine(encodeKiss(kissType(port, command), Uint8Array.of(value)));
    if (resendMs === 0) return;
    this.#cancelResend = this.scheduler.at(this.scheduler.nowUs() + resendMs * 1000, () => this.#sendParameters());
  }
}
