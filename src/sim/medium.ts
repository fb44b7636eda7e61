/**
 * The shared channel: carries what stations send to those that hear them, after the propagation delay, under the rules in
 * antenna.ts. Signals come as whole frames or octet by octet (a stream whose octets come as the host writes them); both
 * meet under the same rules.
 */
import type { Scheduler } from '../base/clock.js';
import { SluiceError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { seededRandom } from '../base/random.js';
import { Antenna, type ReceptionRules } from './antenna.js';
import type { AirFrame, AntennaListener, Signal, StationCounts } from './signal.js';
import { holdCarrier } from './stuck-carrier.js';

/** Metres. */
export type Position = readonly [number, number, number];

export interface StationSite {
  readonly id: number;
  /** Default: the origin. */
  readonly position?: Position;
}

export interface MediumOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** On the air; an octet is 8 bits. */
  readonly rateBps: number;
  readonly stations: readonly StationSite[];
  /** Metres per second. Default: 3e8, light. */
  readonly propagationMps?: number;
  /** Whether `listener` hears `speaker`; need not be symmetric. Default: all hear all. */
  readonly hears?: (listener: number, speaker: number) => boolean;
  /** `full`: sending does not deafen, as with one channel for each direction. Default: half. */
  readonly duplex?: 'half' | 'full';
  /** Probability of each bit to turn over, at each receiver by itself. Default: 0. */
  readonly bitErrorRate?: number;
  /** Probability of a frame to be spoiled by noise (one octet of it; a streamed signal: all), at each receiver. Default: 0. */
  readonly frameErrorRate?: number;
  /** By how much a signal must exceed the sum of all others to survive. Default: none ever does. */
  readonly captureDb?: number | 'none';
  /** Received power falls with distance (at least 1 m) to this power. Default: 2, free space. */
  readonly pathLossExponent?: number;
  /** Give all listeners the same octets of an intact frame: faster, for listeners that leave them alone. Default: false. */
  readonly shareIntactFrames?: boolean;
  /**
   * A collision destroys one octet of a whole frame, the same for all listeners, and not all that it covers: faster, for
   * listeners that check integrity and leave the octets alone. Default: false.
   */
  readonly brieflySpoiled?: boolean;
}

/** How the time since the start was spent, as seen at the antennas that send (propagation does not count). */
export interface ChannelTime {
  readonly elapsedUs: number;
  /** One station or more sent. */
  readonly busyUs: number;
  /** Two stations or more sent; part of busy. */
  readonly collisionUs: number;
  readonly idleUs: number;
}

/** Those who hear one station at the same delay. */
interface Audience {
  readonly delayUs: number;
  readonly antennas: Antenna[];
  readonly powers: number[];
  /** The same antennas by carrier detection time, where that is not 0. */
  readonly detecting: Map<number, Antenna[]>;
}

const CAPTURE_EDGE_M = 1;

export class Medium {
  readonly rateBps: number;
  readonly duplex: 'half' | 'full';
  readonly #options: MediumOptions;
  readonly #scheduler: Scheduler;
  readonly #antennas = new Map<number, Antenna>();
  readonly #sites = new Map<number, Position>();
  readonly #audiences = new Map<number, Audience[]>();
  readonly #rules: ReceptionRules;
  readonly #startUs: number;
  #senders = 0;
  #sinceUs: number;
  #busyUs = 0;
  #collisionUs = 0;
  #airtimeUs = 0;

  /** @throws SluiceError `configuration` for a rate, speed or probability outside its range, or a station named twice. */
  constructor(options: MediumOptions) {
    checkOptions(options);
    this.#options = options;
    this.#scheduler = options.scheduler;
    this.rateBps = options.rateBps;
    this.duplex = options.duplex ?? 'half';
    this.#startUs = this.#scheduler.nowUs();
    this.#sinceUs = this.#startUs;
    const captureDb = options.captureDb ?? 'none';
    this.#rules = {
      nowUs: () => this.#scheduler.nowUs(),
      callAt: (atUs, callback) => {
        this.#scheduler.at(atUs, callback);
      },
      octetUs: 8e6 / options.rateBps,
      fullDuplex: this.duplex === 'full',
      bitErrorRate: options.bitErrorRate ?? 0,
      frameErrorRate: options.frameErrorRate ?? 0,
      captureRatio: captureDb === 'none' ? undefined : 10 ** (captureDb / 10),
      shareIntactFrames: options.shareIntactFrames ?? false,
      brieflySpoiled: options.brieflySpoiled ?? false,
    };
    for (const { id, position } of options.stations) {
      this.#antennas.set(id, new Antenna(id, this.#rules, seededRandom(options.random.uint32())));
      this.#sites.set(id, position ?? [0, 0, 0]);
    }
  }

  get stations(): number[] {
    return [...this.#antennas.keys()];
  }

  /** Time of so many octets on the air, to the microsecond. */
  octetsUs(octets: number): number {
    return Math.round(octets * this.#rules.octetUs);
  }

  /** One way, to the microsecond. */
  propagationUs(from: number, to: number): number {
    const [ax, ay, az] = this.#site(from);
    const [bx, by, bz] = this.#site(to);
    return Math.round((1e6 * Math.hypot(ax - bx, ay - by, az - bz)) / (this.#options.propagationMps ?? 3e8));
  }

  /** One way, to the farthest station that hears this one or is heard by it. */
  farthestUs(station: number): number {
    let farthest = 0;
    for (const other of this.#antennas.keys()) {
      if (other === station || !(this.#hears(other, station) || this.#hears(station, other))) continue;
      farthest = Math.max(farthest, this.propagationUs(station, other));
    }
    return farthest;
  }

  /** What was counted so far; the airtime of a signal that is still on is in it. */
  counts(station: number): Readonly<StationCounts> {
    const antenna = this.#antenna(station);
    return { ...antenna.counts, airtimeUs: antenna.airtimeUs };
  }

  /** Whether the station's key is down. */
  sending(station: number): boolean {
    return this.#antenna(station).sending;
  }

  /** Whether a modem at this station sees a carrier at this moment; false while it sends (half duplex). */
  carrierNow(station: number): boolean {
    return this.#antenna(station).carrierNow();
  }

  /** Connects the station's modem, which sees a carrier after it has been there for `carrierDetectUs`. */
  listen(station: number, listener: AntennaListener, carrierDetectUs = 0): void {
    this.#antenna(station).setListener(listener, carrierDetectUs);
    this.#audiences.clear();
  }

  /**
   * Puts a signal on the air, now.
   * @throws SluiceError `internal` if this station's key is down already.
   */
  keyUp(station: number, preambleUs = 0): Transmission {
    const antenna = this.#antenna(station);
    antenna.startSending();
    this.#countTime();
    this.#senders++;
    const nowUs = this.#scheduler.nowUs();
    const signal: Signal = { speaker: station, startUs: nowUs, preambleUs, speakerCounts: antenna.counts, hit: false };
    const audiences = this.#audiencesOf(station);
    for (const audience of audiences) this.#begin(signal, audience);
    return new Transmission(this.#scheduler, this.#rules.octetUs, signal, audiences, () => {
      this.#countTime();
      this.#senders--;
      antenna.stopSending();
    });
  }

  /** From now on this antenna, and no other, hears a carrier that never ends; it counts as nobody's time. */
  holdCarrier(station: number): void {
    holdCarrier(
      this.#antenna(station),
      this.#scheduler,
      this.#rules.octetUs,
      seededRandom(this.#options.random.uint32()),
    );
  }

  channelTime(): ChannelTime {
    this.#countTime();
    const elapsedUs = this.#sinceUs - this.#startUs;
    return { elapsedUs, busyUs: this.#busyUs, collisionUs: this.#collisionUs, idleUs: elapsedUs - this.#busyUs };
  }

  /** Sum of what all stations sent, current signals included. */
  get airtimeUs(): number {
    this.#countTime();
    return this.#airtimeUs;
  }

  #begin(signal: Signal, { delayUs, antennas, powers, detecting }: Audience): void {
    const atUs = signal.startUs + delayUs;
    this.#scheduler.at(atUs, () => {
      for (let i = 0; i < antennas.length; i++) antennas[i]?.arrive(signal, powers[i] as number);
    });
    for (const [detectUs, detectors] of detecting) {
      this.#scheduler.at(atUs + detectUs, () => {
        for (const antenna of detectors) antenna.detect();
      });
    }
  }

  #countTime(): void {
    const nowUs = this.#scheduler.nowUs();
    const spanUs = nowUs - this.#sinceUs;
    this.#sinceUs = nowUs;
    if (this.#senders > 0) this.#busyUs += spanUs;
    if (this.#senders > 1) this.#collisionUs += spanUs;
    this.#airtimeUs += this.#senders * spanUs;
  }

  #hears(listener: number, speaker: number): boolean {
    return this.#options.hears?.(listener, speaker) ?? true;
  }

  #audiencesOf(speaker: number): Audience[] {
    const known = this.#audiences.get(speaker);
    if (known !== undefined) return known;
    const byDelay = new Map<number, Audience>();
    const exponent = this.#options.pathLossExponent ?? 2;
    const [x, y, z] = this.#site(speaker);
    for (const [id, antenna] of this.#antennas) {
      if (id === speaker || !this.#hears(id, speaker)) continue;
      const delayUs = this.propagationUs(speaker, id);
      const empty: Audience = { delayUs, antennas: [], powers: [], detecting: new Map() };
      const audience = byDelay.get(delayUs) ?? empty;
      byDelay.set(delayUs, audience);
      audience.antennas.push(antenna);
      const [ox, oy, oz] = this.#site(id);
      audience.powers.push(Math.max(Math.hypot(x - ox, y - oy, z - oz), CAPTURE_EDGE_M) ** -exponent);
      const detectUs = antenna.carrierDetectUs;
      if (detectUs === 0) continue;
      const detectors = audience.detecting.get(detectUs);
      if (detectors === undefined) audience.detecting.set(detectUs, [antenna]);
      else detectors.push(antenna);
    }
    const audiences = [...byDelay.values()].sort((a, b) => a.delayUs - b.delayUs);
    this.#audiences.set(speaker, audiences);
    return audiences;
  }

  #antenna(station: number): Antenna {
    const antenna = this.#antennas.get(station);
    if (antenna === undefined) throw new SluiceError('internal', `the medium has no station ${station}`);
    return antenna;
  }

  #site(station: number): Position {
    return this.#sites.get(station) ?? [0, 0, 0];
  }
}

/** One key-up, in the hands of the modem that sends. All calls happen at the time at which the thing happens. */
export class Transmission {
  readonly #scheduler: Scheduler;
  readonly #octetUs: number;
  readonly #signal: Signal;
  readonly #audiences: readonly Audience[];
  readonly #over: () => void;
  /** When the next octet can begin: not rounded, so that no error adds up over a long signal. */
  #nextUs: number;
  #first = true;
  #streaming = false;
  /** Ends the signal in the same event as its last frame, where the frame's end is still to come. */
  #lastFrame: { closes: boolean } | undefined;

  constructor(scheduler: Scheduler, octetUs: number, signal: Signal, audiences: readonly Audience[], over: () => void) {
    this.#scheduler = scheduler;
    this.#octetUs = octetUs;
    this.#signal = signal;
    this.#audiences = audiences;
    this.#over = over;
    this.#nextUs = signal.startUs + signal.preambleUs;
  }

  /** When an octet that is given now would begin. */
  get nextOctetUs(): number {
    return Math.max(Math.round(this.#nextUs), this.#scheduler.nowUs());
  }

  /**
   * Sends a whole frame after what has been given so far; returns when its last bit leaves. The octets must not change.
   * @param durationUs how long the frame lasts where the modulation, not the medium's rate, says so; its octets share it evenly
   */
  sendFrame(octets: Uint8Array, durationUs = octets.length * this.#octetUs): number {
    const startUs = this.#advance(durationUs);
    const endUs = Math.round(this.#nextUs);
    const signal = this.#signal;
    signal.speakerCounts.frames++;
    signal.speakerCounts.octetsSent += octets.length;
    const octetUs = durationUs / Math.max(1, octets.length);
    const frame: AirFrame = { octets, startUs, endUs, octetUs, first: this.#first, hit: false };
    this.#first = false;
    const last = { closes: false };
    this.#lastFrame = last;
    for (const { delayUs, antennas } of this.#audiences) {
      this.#scheduler.at(endUs + delayUs, () => {
        for (const antenna of antennas) {
          antenna.frameEnds(signal, frame, delayUs);
          if (last.closes) antenna.end(signal);
        }
      });
    }
    return endUs;
  }

  /** Streams one octet after what has been given so far, or now if that is later; returns when its last bit leaves. */
  sendOctet(octet: number): number {
    const fromUs = Math.round(this.#advance(this.#octetUs));
    const toUs = Math.round(this.#nextUs);
    const signal = this.#signal;
    if (!this.#streaming) signal.speakerCounts.frames++;
    this.#streaming = true;
    this.#first = false;
    this.#lastFrame = undefined;
    signal.speakerCounts.octetsSent++;
    for (const { delayUs, antennas } of this.#audiences) {
      this.#scheduler.at(toUs + delayUs, () => {
        for (const antenna of antennas) antenna.octetEnds(signal, octet, fromUs + delayUs, toUs + delayUs);
      });
    }
    return toUs;
  }

  /** Lets the key go once everything given so far is out, and `tailUs` later; returns when. Nothing may be given after it. */
  keyDown(tailUs = 0): number {
    const nowUs = this.#scheduler.nowUs();
    const endUs = Math.max(Math.round(this.#nextUs) + tailUs, nowUs);
    const signal = this.#signal;
    if (this.#lastFrame !== undefined && tailUs === 0 && endUs > nowUs) this.#lastFrame.closes = true;
    else {
      for (const { delayUs, antennas } of this.#audiences) {
        this.#scheduler.at(endUs + delayUs, () => {
          for (const antenna of antennas) antenna.end(signal);
        });
      }
    }
    if (endUs === nowUs) this.#over();
    else this.#scheduler.at(endUs, this.#over);
    return endUs;
  }

  /** Claims so much time; returns its start, unrounded. */
  #advance(durationUs: number): number {
    const nowUs = this.#scheduler.nowUs();
    // Less than a microsecond late is only the rounding of the last end.
    const startUs = Math.round(this.#nextUs) >= nowUs ? this.#nextUs : nowUs;
    this.#nextUs = startUs + durationUs;
    return startUs;
  }
}

function checkOptions(options: MediumOptions): void {
  const refuse = (key: string, value: unknown, allowed: string): never => {
    throw new SluiceError('configuration', `medium: ${key} is ${String(value)}`, {
      subject: key,
      remedy: `Allowed: ${allowed}.`,
    });
  };
  const { rateBps, propagationMps = 3e8, bitErrorRate = 0, frameErrorRate = 0, captureDb = 'none' } = options;
  if (!(rateBps > 0 && rateBps < Number.POSITIVE_INFINITY)) refuse('rateBps', rateBps, 'a number above 0');
  if (!(propagationMps > 0)) refuse('propagationMps', propagationMps, 'a number above 0');
  if (!(bitErrorRate >= 0 && bitErrorRate < 1)) refuse('bitErrorRate', bitErrorRate, '0 to below 1');
  if (!(frameErrorRate >= 0 && frameErrorRate <= 1)) refuse('frameErrorRate', frameErrorRate, '0 to 1');
  if (captureDb !== 'none' && !(captureDb >= 0)) refuse('captureDb', captureDb, "'none' or a number from 0");
  const seen = new Set<number>();
  for (const { id } of options.stations) {
    if (seen.has(id)) refuse('stations', id, 'each id once');
    seen.add(id);
  }
}
