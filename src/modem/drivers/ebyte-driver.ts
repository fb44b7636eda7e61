/**
 * Ebyte's LoRa modules (E22 manual 1.5, E32 libraries): transparent, in packets of their own. M0 and M1, on modem outputs,
 * choose between work and configuration, which always runs at 9600 bit/s; AUX, on a modem input, is low while the module
 * has something to do. A packet goes on the air when the host pauses or a sub-packet is full, and comes out when it has been
 * received whole: of a signal that lasts, only AUX and (E22) the channel's strength tell.
 */
import type { Cancel } from '../../base/clock.js';
import { SluiceError } from '../../base/errors.js';
import type { Line, LineInputs } from '../../serial/line.js';
import type { DriverOptions } from '../driver.js';
import { maxFrameBytes } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import type { EbyteSettings } from '../settings/ebyte.js';
import type { Script, ScriptStep } from './script.js';
import { SetUpDriver } from './set-up-driver.js';
import type { StreamSettings } from './transparent.js';

/** Configuration works at this rate only (E22 manual; E32 libraries). */
const SET_UP_BAUD_RATE = 9600;
/** AUX is high again for so long before the module listens (E22 manual). */
const AUX_SETTLE_US = 2_000;
/** Octets that HDLC adds to a frame on average, beside one in a hundred. */
const FRAMING_BYTES = 4;
const ESCAPES = 1.02;

export interface EbyteMode {
  readonly m0: boolean;
  readonly m1: boolean;
}

export abstract class EbyteDriver extends SetUpDriver {
  readonly #settings: EbyteSettings;
  readonly #preambleUs: number;
  readonly #tailUs: number;
  readonly #turnaroundUs: number;
  readonly #idleUs: number;
  #auxWasLow = false;
  /** Low, and believed. */
  #aux = false;
  #cancelAux: Cancel | undefined;
  #octetsHeard = false;
  #carrier = false;

  /**
   * @param detectUs until a signal is noticed before it is over, where something tells
   * @param extraUs what a frame may have to wait for in this driver, each way
   */
  protected constructor(
    profile: Profile,
    settings: EbyteSettings,
    stream: Pick<StreamSettings, 'framing' | 'alsoEscape'>,
    options: DriverOptions,
    { detectUs, extraUs }: { readonly detectUs?: number; readonly extraUs: number },
  ) {
    const { air, line } = profile;
    const lineOctetUs = 10_000_000 / line.baudRate;
    const longestBytes = maxFrameBytes(profile) * ESCAPES + FRAMING_BYTES;
    const firstBytes = Math.min(longestBytes, settings.subPacketBytes);
    const idleUs = settings.idleOctets * lineOctetUs;
    const preambleUs = air.preambleUs === 'auto' ? 0 : air.preambleUs;
    const airOctetUs = 8_000_000 / (air.rateBps === 'auto' ? line.baudRate : air.rateBps);
    const packetUs = preambleUs + firstBytes * airOctetUs;
    // Unless something tells before, a signal is heard of when its first packet has come out.
    const heardUs = detectUs ?? packetUs + AUX_SETTLE_US + lineOctetUs;
    const adjusted = {
      ...air,
      turnaroundUs: Math.ceil(firstBytes * lineOctetUs + idleUs + air.turnaroundUs + 2 * extraUs),
      carrierDetectUs: air.carrierDetectUs === 'auto' ? Math.ceil(heardUs) : air.carrierDetectUs,
    };
    // Between the packets of one frame nothing comes out while the next one is on the air.
    const gapOctets = longestBytes > firstBytes ? settings.subPacketBytes + Math.ceil(preambleUs / airOctetUs) : 0;
    const silenceOctets = settings.silenceOctets + gapOctets;
    super({ ...profile, air: adjusted }, { ...settings, ...stream, silenceOctets, searchBaudRates: [] }, options);
    this.#settings = settings;
    this.#preambleUs = preambleUs;
    this.#tailUs = air.tailUs === 'auto' ? 0 : air.tailUs;
    this.#turnaroundUs = air.turnaroundUs;
    this.#idleUs = idleUs;
  }

  /** M1 and M0 for configuration; both are low for work. */
  protected abstract readonly setUpMode: EbyteMode;
  /** Makes the registers what the profile says; the module is in configuration. */
  protected abstract configure(): Script;
  /** Whether the channel is busy by what this module tells beside AUX. */
  protected strongSignal(): boolean {
    return false;
  }
  /** Whether AUX is low for what we have asked the module, and not for a signal. */
  protected auxIsOwn(): boolean {
    return this.transmitting;
  }

  /** @throws SluiceError `line` where a pin is said to be wired and the port has no modem lines */
  override lineOpened(line: Line): void {
    if (this.#isWired() && !this.#setPins(line, { m0: false, m1: false })) {
      throw new SluiceError('line', `cannot set M0 and M1 through ${line.path}: this line has no modem outputs`, {
        subject: line.path,
        remedy:
          'Use a port with modem lines, or set the module up by other means, and driver.m0 and driver.m1 to none.',
      });
    }
    super.lineOpened(line);
    this.#auxWasLow = this.#auxLow(line.inputs?.());
    line.watchInputs?.((inputs) => this.#auxChanged(inputs));
  }

  override senseBusy(): boolean {
    return super.senseBusy() || this.#carrier || (this.#aux && !this.auxIsOwn());
  }

  protected *script(): Script {
    const { line } = this;
    if (!this.#isWired() || line === undefined) return true;
    yield* this.#settled();
    this.#setPins(line, this.setUpMode);
    line.setBaudRate?.(SET_UP_BAUD_RATE);
    yield* this.#settled();
    const isSet = yield* this.configure();
    line.setBaudRate?.(this.baudRate);
    this.#setPins(line, { m0: false, m1: false });
    yield* this.#settled();
    return isSet;
  }

  protected override stopped(): void {
    super.stopped();
    this.#cancelAux?.();
    this.#aux = false;
    this.#octetsHeard = false;
    this.update();
  }

  /** From its first packet's start to its last packet's end. */
  protected override signalUs(encodedBytes: number): number {
    const packets = Math.max(1, Math.ceil(encodedBytes / this.#settings.subPacketBytes));
    return packets * this.#preambleUs + encodedBytes * this.airOctetUs + this.#tailUs;
  }

  protected override signalEndUs(_frameBytes: number, encodedBytes: number): number {
    const firstBytes = Math.min(encodedBytes, this.#settings.subPacketBytes);
    const startUs = this.scheduler.nowUs() + firstBytes * this.lineOctetUs + this.#idleUs + this.#turnaroundUs;
    const gaps = Math.max(0, Math.ceil(encodedBytes / this.#settings.subPacketBytes) - 1);
    return startUs + this.signalUs(encodedBytes) + gaps * this.#turnaroundUs;
  }

  /** AUX is low until the module has handed all octets to the radio. */
  protected override isHeld(): boolean {
    return super.isHeld() || this.#aux;
  }

  protected override octetsHeard(busy: boolean): void {
    this.#octetsHeard = busy;
    this.update();
  }

  /** Tells the MAC what octets, AUX and strength together say. Own transmissions are no carrier. */
  protected update(): void {
    const heard = this.#octetsHeard || (!this.auxIsOwn() && this.#aux) || (!this.transmitting && this.strongSignal());
    if (heard === this.#carrier) return;
    this.#carrier = heard;
    this.listener.carrier(heard);
  }

  #auxChanged(inputs: LineInputs): void {
    const low = this.#auxLow(inputs);
    if (low === this.#auxWasLow) return;
    this.#auxWasLow = low;
    if (!this.ready) return;
    this.#cancelAux?.();
    this.#aux = low;
    if (low) this.#cancelAux = this.scheduler.at(this.scheduler.nowUs() + this.#auxLongestUs(), () => this.#auxStuck());
    this.update();
  }

  /** One that does not rise in the time that everything takes tells nothing, until it does. */
  #auxStuck(): void {
    this.#aux = false;
    this.update();
  }

  #auxLongestUs(): number {
    const { airtimeUs, turnaroundUs } = this.timing;
    return Math.ceil(this.#settings.auxMs * 1000 + 2 * (turnaroundUs + airtimeUs(this.capabilities.maxFrameBytes)));
  }

  #auxLow(inputs: LineInputs | undefined): boolean {
    const { aux, auxLow } = this.#settings;
    return aux !== 'none' && inputs !== undefined && inputs[aux] === (auxLow === 'asserted');
  }

  /** The module has done what it was doing, and has had the time to change its mode. */
  *#settled(): Generator<ScriptStep, void, string | undefined> {
    const { aux, auxMs, modeMs } = this.#settings;
    yield { quietUs: modeMs * 1000 };
    for (let waitedUs = 0; aux !== 'none' && waitedUs < auxMs * 1000; waitedUs += AUX_SETTLE_US) {
      if (!this.#auxLow(this.line?.inputs?.())) break;
      yield { quietUs: AUX_SETTLE_US };
    }
    yield { quietUs: AUX_SETTLE_US };
  }

  #isWired(): boolean {
    return this.#settings.m0 !== 'none' || this.#settings.m1 !== 'none';
  }

  #setPins(line: Line, mode: EbyteMode): boolean {
    const { m0, m1, pinLow } = this.#settings;
    const asserted = (high: boolean): boolean => high === (pinLow === 'released');
    const outputs = [
      [m0, mode.m0],
      [m1, mode.m1],
    ] as const;
    const levels = outputs.flatMap(([output, high]) => (output === 'none' ? [] : [[output, asserted(high)]]));
    return line.setOutputs?.(Object.fromEntries(levels)) ?? false;
  }
}

/** Octets for a dialogue that is written as text. */
export function binary(...octets: readonly number[]): string {
  return String.fromCharCode(...octets);
}

/** A reply that begins so, and the octets that follow. */
export function replyOf(head: readonly number[], octets: number): RegExp {
  return new RegExp(`${binary(...head)}(.{${octets}})`, 's');
}
