/**
 * Modems that carry octets and nothing else: what is written goes on the air, what is heard comes out. Frames are marked
 * by a framing of ours, and the carrier is sensed by the octets that arrive.
 */
import type { Codec, Decoder } from '../../framing/codec.js';
import type { PhyCapabilities, PhyTiming, ReceptionMeta } from '../../mac/phy.js';
import type { DriverOptions } from '../driver.js';
import { maxFrameBytes } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import type { TransparentSettings } from '../settings/transparent.js';
import { ActivityCarrier } from './activity-carrier.js';
import { framingOf } from './framings.js';
import { LineDriver } from './line-driver.js';

/** Silences after which a half-received frame is given up: longer than any gap that a modem or a USB adapter makes. */
const ABANDON_SILENCES = 4;
/** An octet that no framing escapes, to see what a framing adds. */
const PLAIN_OCTET = 0x41;

/** What framing over a transparent modem needs to know. */
export interface StreamSettings extends Pick<TransparentSettings, 'framing' | 'silenceOctets' | 'maxFrameBytes'> {
  /** Octets that HDLC escapes too, because the modem takes them for its own. */
  readonly alsoEscape?: readonly number[];
}

export class TransparentDriver extends LineDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  readonly #codec: Codec;
  readonly #decoder: Decoder;
  readonly #carrier: ActivityCarrier | undefined;
  readonly #escapeShare: number;
  readonly #preambleUs: number;
  readonly #tailUs: number;
  readonly #silenceUs: number;
  readonly #encodedBytes = new Map<number, number>();
  #framesWhole = 0;
  /** When the tail of the last signal heard is over. */
  #heardUntilUs = 0;

  constructor(profile: Profile, settings: StreamSettings, options: DriverOptions) {
    super(profile, options);
    const { air, mac } = profile;
    const contended = mac.channelAccess !== 'none';
    const xonXoff = profile.line.flowControl === 'xonxoff';
    const framing = framingOf(settings.framing, settings.maxFrameBytes, xonXoff, settings.alsoEscape);
    this.#codec = framing.codec;
    this.#escapeShare = framing.escapeShare;
    this.#preambleUs = air.preambleUs === 'auto' ? 0 : air.preambleUs;
    this.#tailUs = air.tailUs === 'auto' ? 0 : air.tailUs;
    const octetUs = Math.max(this.airOctetUs, this.lineOctetUs);
    this.#silenceUs = Math.ceil(settings.silenceOctets * octetUs + this.hostLatencyUs);
    this.capabilities = {
      channelAccess: mac.channelAccess,
      duplex: air.duplex,
      carrierSense: contended ? 'activity' : 'none',
      sentReport: 'modelled',
      checksIntegrity: framing.checksIntegrity,
      maxFrameBytes: maxFrameBytes(profile),
    };
    const detectUs = Math.ceil(this.#preambleUs + this.airOctetUs + this.lineOctetUs);
    this.timing = {
      airtimeUs: (frameBytes) => Math.ceil(this.signalUs(this.#averageEncodedBytes(frameBytes))),
      turnaroundUs: Math.ceil(this.lineOctetUs + air.turnaroundUs),
      carrierDetectUs: air.carrierDetectUs === 'auto' ? detectUs : air.carrierDetectUs,
      propagationUs: air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
      carrierHoldUs: this.#silenceUs,
    };
    this.#decoder = this.#codec.decoder({
      frame: (octets) => {
        if (this.deliver(octets)) this.#framesWhole++;
      },
      discard: (cause, octets) => this.discard(cause, octets),
    });
    if (!contended) return;
    this.#carrier = new ActivityCarrier({
      scheduler: this.scheduler,
      silenceUs: this.#silenceUs,
      pendingInput: () => this.pendingInput(),
      changed: (busy) => this.octetsHeard(busy),
    });
  }

  senseBusy(): boolean {
    return this.#carrier !== undefined && (this.#carrier.busy || this.pendingInput());
  }

  /** What is known of a frame that has just come. */
  protected meta(): ReceptionMeta {
    return {};
  }

  protected get octetsAreHeard(): boolean {
    return this.#carrier?.busy === true;
  }

  /** Octets have begun, or ceased, to arrive. */
  protected octetsHeard(busy: boolean): void {
    this.listener.carrier(busy);
  }

  /** @returns whether the frame was whole, as far as can be told */
  protected deliver(frame: Uint8Array): boolean {
    return this.listener.received(frame, this.meta());
  }

  protected encode(frame: Uint8Array): Uint8Array {
    return this.#codec.encode(frame);
  }

  protected override encodeInto(frame: Uint8Array, room: (bytes: number) => Uint8Array, at: number): number {
    const { encodeInto } = this.#codec;
    if (encodeInto === undefined) return super.encodeInto(frame, room, at);
    return encodeInto(frame, room(at + this.#codec.maxEncodedBytes(frame.length)), at);
  }

  protected signalEndUs(_frameBytes: number, encodedBytes: number): number {
    return this.scheduler.nowUs() + this.timing.turnaroundUs + this.signalUs(encodedBytes);
  }

  protected override earliestStartUs(): number {
    return this.#heardUntilUs;
  }

  /**
   * A frame is handed up while the carrier is still busy, and only then the carrier ends: so the MAC knows what the
   * frame was, and has its answer under way, when it is told that the channel is idle.
   */
  protected receive(octets: Uint8Array): void {
    const carrier = this.#carrier;
    if (carrier === undefined) {
      this.#decoder.push(octets);
      return;
    }
    const quietUs = this.scheduler.nowUs() - carrier.lastOctetUs;
    if (this.#decoder.heldOctets > 0 && quietUs > ABANDON_SILENCES * this.#silenceUs) this.#decoder.reset();
    carrier.octets();
    // The last octet by itself: if it completes a frame, nothing follows that frame.
    const last = octets.length - 1;
    if (last > 0) this.#decoder.push(octets.subarray(0, last));
    const framesBefore = this.#framesWhole;
    // The tail began when the octet's own time on the line did.
    const tailUs = Math.max(0, this.#tailUs - this.lineOctetUs);
    this.#heardUntilUs = this.scheduler.nowUs() + tailUs;
    this.#decoder.push(octets.subarray(last));
    if (this.#framesWhole > framesBefore) carrier.frameEnded(tailUs);
  }

  protected override stopped(): void {
    this.#decoder.reset();
    this.#carrier?.end();
  }

  /**
   * From the start of the signal to its end. A line slower than the air makes the modem wait for octets; and what it had
   * saved up before it began, the receivers' modems save up in turn: where an answer follows, the signal is over for
   * everybody when the receivers' lines have caught up, as if each octet had taken the line's time on the air.
   */
  protected signalUs(encodedBytes: number): number {
    const airUs = this.#preambleUs + encodedBytes * this.airOctetUs;
    const lineUs =
      this.#carrier === undefined
        ? encodedBytes * this.lineOctetUs + this.airOctetUs - this.timing.turnaroundUs
        : this.#preambleUs + this.airOctetUs + (encodedBytes - 1) * this.lineOctetUs;
    return Math.max(airUs, lineUs) + this.#tailUs;
  }

  /** Octets that the framing makes of an average frame: delimiters, and as many escapes as random octets need. */
  #averageEncodedBytes(frameBytes: number): number {
    let bytes = this.#encodedBytes.get(frameBytes);
    if (bytes === undefined) {
      bytes = this.#codec.encode(new Uint8Array(frameBytes).fill(PLAIN_OCTET)).length + frameBytes * this.#escapeShare;
      this.#encodedBytes.set(frameBytes, bytes);
    }
    return bytes;
  }
}
