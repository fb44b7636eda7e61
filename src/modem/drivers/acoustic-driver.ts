/**
 * What the drivers of acoustic modems have in common: a dialogue of commands and replies with reports in between, the
 * preparation of a modem found in any state, one transmission at a time, and the carrier as the modem reports it.
 *
 * 1. The line opens, and after settling the commands of `preparation` are given, each until it is answered; if the modem
 *    stays silent, from the beginning again. Then `ready`.
 * 2. `transmit` waits for a reported carrier to end (the answer to a frame comes before the report of its end), then
 *    `begin` gives the command; the driver calls `over` when the modem, or its airtime, says so.
 * 3. A modem that stays silent in mid-transfer, or reports that it restarted, is prepared anew.
 */
import type { Cancel, Scheduler } from '../../base/clock.js';
import type { DropCause } from '../../base/drops.js';
import { SluiceError } from '../../base/errors.js';
import type { Decoder, DiscardCause } from '../../framing/codec.js';
import type { PhyCapabilities, PhyListener, PhyTiming, ReceptionMeta } from '../../mac/phy.js';
import type { Line } from '../../serial/line.js';
import type { DriverOptions, ModemDriver } from '../driver.js';
import { hostLatencyUs, lineOctetUs } from '../link-timing.js';
import type { Profile } from '../profile-schema.js';

export type Verdict = 'ok' | 'busy' | 'refused';

/** A command and its reply. */
export interface Exchange {
  readonly send: Uint8Array;
  /** What a message (an octet for each character) says about the command; undefined: nothing, it is a report. */
  judge(message: string): Verdict | undefined;
  /** How often it is given when no reply comes; default 3. */
  readonly tries?: number;
  /** Without a reply, or refused, the preparation goes on all the same. */
  readonly optional?: boolean;
  /** In a preparation: only given when the command before it went unanswered. */
  readonly afterSilence?: boolean;
  /** So long nothing is written before it: the guard time of an escape sequence. */
  readonly guardUs?: number;
  /** Instead of the driver's. */
  readonly replyUs?: number;
}

/** The part of the settings that every driver has. */
export interface Dialogue {
  readonly replyMs: number;
  readonly busyRetryMs: number;
  readonly busyRetries: number;
}

const DEFAULT_TRIES = 3;
/** After a preparation that nobody answered. */
const PREPARE_AGAIN_US = 1_000_000;
/** No modem pauses for longer inside one message: what is held then is the rest of a broken one. */
const ABANDON_US = 500_000;

const DROP_OF_DISCARD: Readonly<Record<DiscardCause, DropCause>> = {
  noise: 'rx-framing',
  malformed: 'rx-framing',
  aborted: 'rx-framing',
  'too-long': 'rx-too-long',
  check: 'rx-fcs',
};

interface OpenExchange {
  readonly exchange: Exchange;
  readonly done: (verdict: Verdict | 'silent', message: string) => void;
  silences: number;
  refusals: number;
  /** The command has been written, and a reply may come. */
  given: boolean;
}

export abstract class AcousticDriver implements ModemDriver {
  abstract readonly capabilities: PhyCapabilities;
  abstract readonly timing: PhyTiming;
  protected readonly scheduler: Scheduler;
  protected readonly hostLatencyUs: number;
  protected readonly lineOctetUs: number;
  protected abstract readonly decoder: Decoder;
  readonly #dialogue: Dialogue;
  readonly #settleUs: number;
  #listener: PhyListener | undefined;
  #line: Line | undefined;
  #phase: 'closed' | 'settling' | 'preparing' | 'ready' = 'closed';
  #exchange: OpenExchange | undefined;
  #transmitting = false;
  /** Waits for the carrier to end. */
  #held: Uint8Array | undefined;
  #carrier = false;
  #lastInputUs = 0;
  #cancelPhase: Cancel | undefined;
  #cancelExchange: Cancel | undefined;
  #cancelReport: Cancel | undefined;
  #cancelCarrier: Cancel | undefined;

  protected constructor(profile: Profile, dialogue: Dialogue, options: DriverOptions) {
    this.scheduler = options.scheduler;
    this.hostLatencyUs = hostLatencyUs(profile, options.hostLatencyUs);
    this.lineOctetUs = lineOctetUs(profile.line);
    this.#dialogue = dialogue;
    this.#settleUs = profile.line.settleMs * 1000;
  }

  attach(listener: PhyListener): void {
    this.#listener = listener;
  }

  lineOpened(line: Line): void {
    if (this.#line !== undefined) throw new SluiceError('internal', 'a line was opened on a driver that has one');
    this.#line = line;
    this.#phase = 'settling';
    this.#cancelPhase = this.#after(this.#settleUs, () => this.#prepare());
  }

  lineData(octets: Uint8Array): void {
    if (this.#line === undefined || octets.length === 0) return;
    if (this.#phase === 'settling') {
      this.listener.discarded('rx-framing', octets.length);
      return;
    }
    const nowUs = this.scheduler.nowUs();
    if (this.decoder.heldOctets > 0 && nowUs - this.#lastInputUs > ABANDON_US) this.decoder.reset();
    this.#lastInputUs = nowUs;
    this.decoder.push(octets);
  }

  lineLost(): void {
    if (this.#line === undefined) return;
    this.#line = undefined;
    this.#stop('closed');
    this.decoder.reset();
  }

  transmit(frame: Uint8Array): void {
    if (this.#phase !== 'ready') throw new SluiceError('internal', 'transmit on a modem that is not ready');
    if (this.#transmitting) throw new SluiceError('internal', 'transmit while the last transmission is not over');
    this.#transmitting = true;
    if (!this.fits(frame)) this.reportAt(this.scheduler.nowUs(), () => this.over('refused'));
    else if (this.#carrier) this.#held = frame;
    else this.begin(frame);
  }

  senseBusy(): boolean {
    return this.#carrier || (this.#line?.pendingInputBytes() ?? 0) > 0;
  }

  /** What puts the modem into its working state, from whatever state it is in. */
  protected abstract preparation(): readonly Exchange[];
  /** Gives the commands for one frame; ends in one call of `over`. */
  protected abstract begin(frame: Uint8Array): void;
  /** A message that answers no command. */
  protected abstract report(message: string): void;
  /** Volatile knowledge about the modem and the channel is void. */
  protected stopped(): void {}

  protected fits(frame: Uint8Array): boolean {
    return frame.length <= this.capabilities.maxFrameBytes;
  }

  protected get listener(): PhyListener {
    if (this.#listener === undefined) throw new SluiceError('internal', 'a modem driver was used before attach');
    return this.#listener;
  }

  protected get transmitting(): boolean {
    return this.#transmitting && this.#held === undefined;
  }

  protected get ready(): boolean {
    return this.#phase === 'ready';
  }

  /** To be called by the decoder for each message. */
  protected message(message: string): void {
    const open = this.#exchange;
    const verdict = open?.given === true ? open.exchange.judge(message) : undefined;
    if (open === undefined || verdict === undefined) this.report(message);
    else this.#answered(open, verdict, message);
  }

  protected discard(cause: DiscardCause, octets: number): void {
    this.listener.discarded(DROP_OF_DISCARD[cause], octets);
  }

  /** A received frame; one that comes before the modem is ready belongs to nobody. */
  protected deliver(frame: Uint8Array, meta: ReceptionMeta): void {
    if (this.ready) this.listener.received(frame, meta);
    else this.listener.discarded('rx-other', frame.length);
  }

  /** Gives a command; `done` hears of the reply, or of `silent` after all tries. One at a time. */
  protected exchange(exchange: Exchange, done: OpenExchange['done']): void {
    const open: OpenExchange = { exchange, done, silences: 0, refusals: 0, given: false };
    this.#exchange = open;
    this.#give(open, exchange.guardUs ?? 0);
  }

  /** Writes octets for which no reply is waited for. */
  protected write(octets: Uint8Array): void {
    this.#line?.write(octets);
  }

  /** Of a transmission under way: calls at that time unless `over` comes first. Replaces the last such call. */
  protected reportAt(atUs: number, callback: () => void): void {
    this.#cancelReport?.();
    this.#cancelReport = this.scheduler.at(Math.ceil(atUs), callback);
  }

  /** The transmission is over. Does nothing when none is under way. `goesOn`: the command under way is waited for still. */
  protected over(outcome: 'sent' | 'refused' | 'line-down', goesOn = false): void {
    if (!this.#transmitting) return;
    this.#transmitting = false;
    this.#held = undefined;
    this.#cancelReport?.();
    if (!goesOn) this.#endExchange();
    this.listener.sent(outcome);
  }

  /** The modem lost its state, or does not answer: it is prepared anew. */
  protected restart(): void {
    if (this.#line === undefined || this.#phase === 'settling') return;
    this.#stop('preparing');
    this.#prepare();
  }

  /** A signal of somebody else began; if its end is not reported, it is taken for over after so long. */
  protected carrierStarts(longestUs: number): void {
    this.#cancelCarrier?.();
    this.#cancelCarrier = this.#after(longestUs, () => this.carrierEnds());
    if (this.#carrier || !this.ready) return;
    this.#carrier = true;
    this.listener.carrier(true);
  }

  protected carrierEnds(): void {
    this.#cancelCarrier?.();
    if (!this.#carrier) return;
    this.#carrier = false;
    this.listener.carrier(false);
    const frame = this.#held;
    this.#held = undefined;
    if (frame !== undefined) this.begin(frame);
  }

  #prepare(): void {
    this.#phase = 'preparing';
    const steps = this.preparation();
    const next = (index: number, isSilent: boolean): void => {
      const step = steps[index];
      if (step?.afterSilence === true && !isSilent) {
        next(index + 1, false);
        return;
      }
      if (step === undefined) {
        this.#phase = 'ready';
        this.listener.ready(true);
        return;
      }
      this.exchange(step, (verdict) => {
        if (verdict === 'ok' || step.optional === true) next(index + 1, verdict === 'silent');
        else this.#cancelPhase = this.#after(PREPARE_AGAIN_US, () => this.#prepare());
      });
    };
    next(0, false);
  }

  #stop(phase: 'closed' | 'preparing'): void {
    const wasReady = this.ready;
    this.#phase = phase;
    this.#cancelPhase?.();
    this.#cancelReport?.();
    this.#cancelCarrier?.();
    this.#endExchange();
    // First of all, so that nothing that follows makes the MAC try to transmit.
    if (wasReady) this.listener.ready(false);
    this.stopped();
    if (this.#carrier) {
      this.#carrier = false;
      this.listener.carrier(false);
    }
    this.over('line-down');
  }

  #give(open: OpenExchange, waitUs: number): void {
    open.given = false;
    this.#cancelExchange?.();
    if (waitUs > 0) {
      this.#cancelExchange = this.#after(waitUs, () => this.#give(open, 0));
      return;
    }
    open.given = true;
    this.write(open.exchange.send);
    const replyUs = open.exchange.replyUs ?? this.#dialogue.replyMs * 1000;
    const waitForUs = replyUs + open.exchange.send.length * this.lineOctetUs;
    this.#cancelExchange = this.#after(waitForUs, () => this.#unanswered(open));
  }

  #answered(open: OpenExchange, verdict: Verdict, message: string): void {
    if (verdict === 'busy' && open.refusals++ < this.#dialogue.busyRetries) {
      this.#give(open, this.#dialogue.busyRetryMs * 1000);
      return;
    }
    this.#endExchange();
    open.done(verdict, message);
  }

  #unanswered(open: OpenExchange): void {
    open.silences++;
    if (open.silences < (open.exchange.tries ?? DEFAULT_TRIES)) {
      // What was held may be the rest of the reply that broke.
      this.decoder.reset();
      this.#give(open, open.exchange.guardUs ?? 0);
      return;
    }
    this.#endExchange();
    open.done('silent', '');
  }

  #endExchange(): void {
    this.#cancelExchange?.();
    this.#exchange = undefined;
  }

  #after(waitUs: number, callback: () => void): Cancel {
    return this.scheduler.at(Math.ceil(this.scheduler.nowUs() + waitUs), callback);
  }
}

/** A message for the eyes of patterns: one character for each octet. */
export function textOf(octets: Uint8Array): string {
  let text = '';
  for (const octet of octets) text += String.fromCharCode(octet);
  return text;
}

/** The other way round; characters must be octets. */
export function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Judges by patterns: the first that matches decides. */
export function judgeBy(...patterns: readonly (readonly [RegExp, Verdict])[]): Exchange['judge'] {
  return (message) => patterns.find(([pattern]) => pattern.test(message))?.[1];
}

/** The address for `auto`: the station's number, where a configuration gives one. */
export function addressOf(profile: Profile, address: number | 'auto'): number | undefined {
  if (address !== 'auto') return address;
  const { interface: own } = profile as Profile & { readonly interface?: { readonly station?: number } };
  return own?.station;
}
