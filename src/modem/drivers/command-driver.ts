/**
 * What LoRa modules behind commands have in common: text lines with reports anywhere in between, the profile's own set-up
 * steps after the driver's, and errands of the driver (switching the receiver on, asking for the signal's strength) that
 * may be under way when the MAC has a frame. One command at a time: a frame waits for the errand, and no errand
 * begins while a frame is sent.
 *
 * None of these modules says that a signal begins. The host hears of a frame when it is over: then the channel is called
 * busy and idle again at once, so that the MAC counts its times from there.
 */
import type { Cancel } from '../../base/clock.js';
import type { Decoder } from '../../framing/codec.js';
import { countedLineSplitter } from '../../framing/counted-lines.js';
import type { PhyCapabilities, PhyTiming, ReceptionMeta } from '../../mac/phy.js';
import { type LoraModulation, loraAirtimeUs } from '../airtime.js';
import type { DriverOptions } from '../driver.js';
import { maxFrameBytes } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';
import type { LoraSettings } from '../settings/lora.js';
import { AcousticDriver, type Exchange, octetsOf, textOf } from './acoustic-driver.js';

/** Without a report of the end for so long after it should have come, the modem is prepared anew. */
const REPORT_MARGIN_US = 2_000_000;

export interface CommandLanguage {
  /** Octets of the command for one frame, its line end included, and of the dialogue before it. */
  commandBytes(frameBytes: number): number;
  /** Octets of the report of a received frame, until the host may know it. */
  reportBytes(frameBytes: number): number;
  /** On the air, for the airtime formula. */
  airBytes(frameBytes: number): number;
  /** The most that the modem takes. */
  readonly maxFrameBytes: number;
  readonly sentReport: PhyCapabilities['sentReport'];
  /** What ends a command. */
  readonly lineEnd: string;
  /** The longest line from the modem. */
  readonly maxLineBytes: number;
  /** Where counted data of a line ends. Default: no line has any. */
  readonly dataEnd?: (beginning: Uint8Array) => number | undefined;
}

export abstract class CommandDriver extends AcousticDriver {
  readonly capabilities: PhyCapabilities;
  readonly timing: PhyTiming;
  protected readonly decoder: Decoder;
  readonly #language: CommandLanguage;
  readonly #settings: LoraSettings;
  #errand = false;
  /** Errands that came while one was under way. */
  readonly #queued: (() => void)[] = [];
  /** Waits for the errand. */
  #waiting: Uint8Array | undefined;
  #cancelCheck: Cancel | undefined;

  protected constructor(profile: Profile, settings: LoraSettings, language: CommandLanguage, options: DriverOptions) {
    super(profile, settings, options);
    this.#language = language;
    this.#settings = settings;
    const { air } = profile;
    this.capabilities = {
      channelAccess: profile.mac.channelAccess,
      duplex: air.duplex,
      carrierSense: 'none',
      sentReport: language.sentReport,
      // LoRa's payload CRC, which all of these switch on.
      checksIntegrity: true,
      maxFrameBytes: Math.min(maxFrameBytes(profile), language.maxFrameBytes),
    };
    const modulation: LoraModulation = { ...settings, explicitHeader: true, crc: true };
    const airtimeUs = (frameBytes: number): number => loraAirtimeUs(modulation, language.airBytes(frameBytes));
    const longest = this.capabilities.maxFrameBytes;
    // Others are heard when they are over, not before: a slot must hold the longest frame.
    const heardUs = Math.ceil(airtimeUs(longest) + language.reportBytes(longest) * this.lineOctetUs);
    this.timing = {
      airtimeUs,
      turnaroundUs: Math.ceil(language.commandBytes(longest) * this.lineOctetUs + air.turnaroundUs),
      carrierDetectUs: air.carrierDetectUs === 'auto' ? heardUs : air.carrierDetectUs,
      propagationUs: air.propagationUs,
      hostLatencyUs: this.hostLatencyUs,
    };
    this.decoder = countedLineSplitter(
      { maxLineBytes: language.maxLineBytes, dataEnd: language.dataEnd ?? (() => undefined) },
      {
        line: (octets) => this.message(textOf(octets)),
        discard: (cause, octets) => this.discard(cause, octets),
      },
    );
  }

  /** The driver's own steps; the profile's come after them, and before `listening`. */
  protected abstract setUp(): readonly Exchange[];
  /** Switches the receiver on. */
  protected abstract listening(): readonly Exchange[];
  /** Gives the command for one frame; no errand is under way. */
  protected abstract give(frame: Uint8Array): void;
  /** Refused or silent when the modem has forgotten its settings. */
  protected check(): Exchange | undefined {
    return undefined;
  }

  protected preparation(): readonly Exchange[] {
    const script = this.#settings.init.map(
      ({ send, expect, timeoutMs, retries }): Exchange => ({
        send: octetsOf(send + this.#language.lineEnd),
        judge: (message) => (message.startsWith(expect) ? 'ok' : undefined),
        replyUs: timeoutMs * 1000,
        tries: retries + 1,
      }),
    );
    this.#checkLater();
    return [...this.setUp(), ...script, ...this.listening()];
  }

  /** Length is judged in `begin`: the answer must not end an errand. */
  protected override fits(): boolean {
    return true;
  }

  protected begin(frame: Uint8Array): void {
    if (this.#errand) this.#waiting = frame;
    else if (frame.length > this.capabilities.maxFrameBytes)
      this.reportAt(this.scheduler.nowUs(), () => this.over('refused'));
    else this.give(frame);
  }

  protected override stopped(): void {
    this.#errand = false;
    this.#queued.length = 0;
    this.#waiting = undefined;
    this.#cancelCheck?.();
  }

  /** A command with its line end. */
  protected command(text: string, judge: Exchange['judge'], more: Partial<Exchange> = {}): Exchange {
    return { send: octetsOf(text + this.#language.lineEnd), judge, ...more };
  }

  /**
   * Runs commands while no frame is sent, after other errands; silence or refusal means that the modem must be prepared anew.
   * @returns false if a frame is being sent: then nothing happens
   */
  protected errand(steps: readonly Exchange[], done?: (replies: readonly string[]) => void): boolean {
    if (!this.ready || (this.transmitting && !this.#errand)) return false;
    if (this.#errand) {
      this.#queued.push(() => this.#run(steps, done));
      return true;
    }
    this.#run(steps, done);
    return true;
  }

  #run(steps: readonly Exchange[], done: ((replies: readonly string[]) => void) | undefined): void {
    this.#errand = true;
    const replies: string[] = [];
    const next = (): void => {
      const step = steps[replies.length];
      if (step === undefined) {
        this.#errandOver(() => done?.(replies));
        return;
      }
      this.exchange(step, (verdict, message) => {
        if (verdict !== 'ok' && step.optional !== true) {
          this.restart();
          return;
        }
        replies.push(message);
        next();
      });
    };
    next();
  }

  /** What `report` told the MAC may have brought a frame, and the driver more errands: these come first. */
  #errandOver(done: () => void): void {
    this.#errand = false;
    done();
    if (this.#errand) return;
    const frame = this.#waiting;
    const isFree = !this.transmitting || frame !== undefined;
    const next = isFree ? this.#queued.shift() : undefined;
    if (next !== undefined) {
      next();
      return;
    }
    this.#waiting = undefined;
    if (frame !== undefined) this.begin(frame);
  }

  /** A frame that has come whole: the channel was busy until now. */
  protected hear(frame: Uint8Array, meta: ReceptionMeta): void {
    if (this.transmitting) {
      this.deliver(frame, meta);
      return;
    }
    this.carrierStarts(REPORT_MARGIN_US);
    this.deliver(frame, meta);
    this.carrierEnds();
  }

  /** A packet came that nobody can read. */
  protected hearBroken(octets: number): void {
    if (!this.ready) return;
    if (!this.transmitting) this.carrierStarts(REPORT_MARGIN_US);
    this.listener.discarded('rx-fcs', octets);
    if (!this.transmitting) this.carrierEnds();
  }

  /** When the modem should have reported the end of a frame that it took now. */
  protected expectReport(frameBytes: number): void {
    const latestUs = this.scheduler.nowUs() + this.timing.turnaroundUs + this.timing.airtimeUs(frameBytes);
    this.reportAt(latestUs + REPORT_MARGIN_US, () => this.restart());
  }

  #checkLater(): void {
    this.#cancelCheck?.();
    const { checkMs } = this.#settings;
    const check = this.check();
    if (checkMs === 0 || check === undefined) return;
    this.#cancelCheck = this.scheduler.at(this.scheduler.nowUs() + checkMs * 1000, () => {
      this.#checkLater();
      this.errand([check]);
    });
  }
}

const HEX = /^(?:[0-9A-Fa-f]{2})+$/;

/** Octets of text in hexadecimal, or undefined if it is none. */
export function fromHex(text: string): Uint8Array | undefined {
  return HEX.test(text) ? Uint8Array.from(Buffer.from(text, 'hex')) : undefined;
}

export function toHex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex').toUpperCase();
}
