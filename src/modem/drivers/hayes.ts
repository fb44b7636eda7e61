/**
 * Modems that dial (Hayes commands; Iridium data calls): a call is made, or answered, and from CONNECT on the modem is a
 * wire that carries octets both ways. It is over when DCD falls, or, where there is no such line, when the modem says
 * so: a line of its own with nothing behind it, which no frame can contain, for a frame goes on. Then the next call is
 * made, after a pause that grows with each call that came to nothing.
 */
import type { Cancel } from '../../base/clock.js';
import type { Line } from '../../serial/line.js';
import type { DriverOptions } from '../driver.js';
import { defineDriver } from '../driver-definition.js';
import type { Profile } from '../profile-schema.js';
import { type HayesSettings, hayesDriver } from '../settings/hayes.js';
import { type Script, ScriptRunner, type ScriptStep } from './script.js';
import { TransparentDriver } from './transparent.js';

/** OK in words, or the digit of V0 in which a modem may be found. */
const OK = /OK\r\n|(?:^|[\r\n])0\r/;
const CONNECT = /CONNECT[^\r\n]*\r\n/;
/** How a call ends before it has begun: NO CARRIER, NO DIALTONE, BUSY, NO ANSWER, ERROR. */
const CALL_RESULT = /CONNECT[^\r\n]*\r\n|(?:NO CARRIER|NO DIAL ?TONE|NO ANSWER|BUSY|ERROR)\r\n/;
const RING_OR_CONNECT = /RING\r\n|CONNECT[^\r\n]*\r\n/;
/** Said in command mode only: there is no call any more. */
const CALL_OVER = /\r\n(?:NO CARRIER|RING|ERROR|OK)\r\n$/;
const TEXT_KEPT = 32;
/** Nothing comes behind it for so long: it was the modem that spoke. */
const CALL_OVER_SILENCE_US = 300_000;
/** DCD may rise a little after CONNECT. */
const DCD_SETTLE_US = 500_000;
/** A call that held for so long was a good one. */
const GOOD_CALL_US = 60_000_000;
/** Rings come every 6 s (2 on, 4 off); after so long without one the modem is prepared anew, for it may have restarted. */
const RING_PATIENCE_US = 60_000_000;
const GREETINGS = 2;

export class HayesDriver extends TransparentDriver {
  readonly #settings: HayesSettings;
  readonly #runner: ScriptRunner;
  #line: Line | undefined;
  #online = false;
  #connectedUs = 0;
  #pauseMs = 0;
  /** The last that came, for the modem's own words. */
  #heard = '';
  #cancelSilence: Cancel | undefined;
  #cancelDcd: Cancel | undefined;
  /** DCD followed the call. */
  #hasDcd = false;
  #isWatched = false;

  constructor(profile: Profile, settings: HayesSettings, options: DriverOptions) {
    super(profile, { ...settings, silenceOctets: 4 }, options);
    this.#settings = settings;
    this.#runner = new ScriptRunner({
      scheduler: this.scheduler,
      lineOctetUs: this.lineOctetUs,
      write: (octets) => this.writeToLine(octets),
      discard: (octets) => this.discard('noise', octets),
    });
  }

  override lineOpened(line: Line): void {
    this.#line = line;
    this.#isWatched = false;
    super.lineOpened(line);
  }

  override lineLost(): void {
    this.#line = undefined;
    this.#pauseMs = 0;
    super.lineLost();
  }

  protected override prepare(done: () => void): void {
    this.#runner.run(this.#script(), (isOnline, rest) => {
      if (!isOnline) {
        // A modem that does not answer is asked again, after a while.
        this.prepare(done);
        return;
      }
      this.#online = true;
      this.#connectedUs = this.scheduler.nowUs();
      done();
      this.#watchCall();
      if (rest.length > 0) this.receive(rest);
    });
  }

  protected override receive(octets: Uint8Array): void {
    if (!this.#online) {
      this.#runner.take(octets);
      return;
    }
    this.#listenToModem(octets);
    super.receive(octets);
  }

  protected override stopped(): void {
    this.#online = false;
    this.#hasDcd = false;
    this.#heard = '';
    this.#runner.stop();
    this.#cancelSilence?.();
    this.#cancelDcd?.();
    super.stopped();
  }

  /** @returns with true once there is a call; false when the modem does not answer */
  *#script(): Script {
    const { call, redialMs, init } = this.#settings;
    yield { quietUs: this.#pauseMs * 1000 };
    const failedBefore = this.#pauseMs;
    this.#pauseMs = redialMs;
    if (!(yield* this.#hangUp())) return false;
    for (const command of init) {
      if ((yield* this.#ask(`${command}\r`, OK)) === undefined) return false;
    }
    // Who is called must be there when the other one dials again.
    this.#pauseMs = call === 'dial' ? this.#longerThan(failedBefore) : 0;
    return call === 'dial' ? yield* this.#dial() : yield* this.#answer();
  }

  #longerThan(pauseMs: number): number {
    const { redialMs, redialMaxMs } = this.#settings;
    return pauseMs === 0 ? redialMs : Math.min(redialMaxMs, 2 * pauseMs);
  }

  *#dial(): Script {
    const { dialCommand, number, connectMs } = this.#settings;
    const call = { send: `${dialCommand}${number}\r`, until: CALL_RESULT, withinUs: connectMs * 1000 };
    const result = yield call;
    // Any octet makes a modem that still dials give up.
    if (result === undefined) yield { send: '\r', until: CALL_RESULT, withinUs: this.#settings.replyMs * 1000 };
    return result !== undefined && CONNECT.test(result);
  }

  *#answer(): Script {
    const { answerAfterRings, connectMs } = this.#settings;
    for (let rings = 0; ; ) {
      const heard = yield { send: '', until: RING_OR_CONNECT, withinUs: RING_PATIENCE_US };
      if (heard === undefined) return false;
      if (CONNECT.test(heard)) return true;
      rings++;
      if (answerAfterRings === 0 || rings < answerAfterRings) continue;
      const result = yield { send: 'ATA\r', until: CALL_RESULT, withinUs: connectMs * 1000 };
      return result !== undefined && CONNECT.test(result);
    }
  }

  /** By DTR where there is one, else by escape; ends with a modem that takes commands. */
  *#hangUp(): Script {
    const { dtrMs, guardMs } = this.#settings;
    const line = this.#line;
    if (line?.setOutputs?.({ dtr: false }) === true) {
      yield { quietUs: dtrMs * 1000 };
      line.setOutputs({ dtr: true });
      yield { quietUs: dtrMs * 1000 };
    }
    if ((yield* this.#ask('AT\r', OK)) === undefined) {
      // It may be in data mode: the silence before it is ours, the one behind it is waited for.
      yield { quietUs: 2 * guardMs * 1000 };
      yield { send: '+++', until: OK, withinUs: 2 * guardMs * 1000 };
    }
    return (yield* this.#ask('ATH\r', OK)) !== undefined;
  }

  *#ask(send: string, until: RegExp): Generator<ScriptStep, string | undefined, string | undefined> {
    for (let given = 0; given < GREETINGS; given++) {
      const reply = yield { send, until, withinUs: this.#settings.replyMs * 1000 };
      if (reply !== undefined) return reply;
    }
    return undefined;
  }

  /** A port without DCD, or one that is not wired, leaves the modem's words. */
  #watchCall(): void {
    const line = this.#line;
    this.#isWatched ||= line?.watchInputs?.(({ dcd }) => this.#dcdChanged(dcd)) ?? false;
    this.#hasDcd = this.#isWatched && line?.inputs?.()?.dcd === true;
    if (!this.#isWatched || this.#hasDcd) return;
    this.#cancelDcd = this.scheduler.at(this.scheduler.nowUs() + DCD_SETTLE_US, () => {
      this.#hasDcd = line?.inputs?.()?.dcd === true;
    });
  }

  #dcdChanged(dcd: boolean): void {
    if (!this.#online) return;
    if (dcd) this.#hasDcd = true;
    else if (this.#hasDcd) this.#callLost();
  }

  #listenToModem(octets: Uint8Array): void {
    this.#cancelSilence?.();
    for (const octet of octets.subarray(-TEXT_KEPT)) this.#heard += String.fromCharCode(octet);
    this.#heard = this.#heard.slice(-TEXT_KEPT);
    if (!CALL_OVER.test(this.#heard)) return;
    this.#cancelSilence = this.scheduler.at(this.scheduler.nowUs() + CALL_OVER_SILENCE_US, () => this.#callLost());
  }

  #callLost(): void {
    const { call, redialMs } = this.#settings;
    if (call === 'dial' && this.scheduler.nowUs() - this.#connectedUs >= GOOD_CALL_US) this.#pauseMs = redialMs;
    this.restart();
  }
}

export const driver = defineDriver({
  settings: hayesDriver,
  // Two modems and nobody else.
  channelAccess: ['none'],
  contradictions: ({ call, number }) =>
    call === 'dial' && number === undefined
      ? [{ path: ['driver', 'number'], expected: 'the number that driver.call dial dials' }]
      : [],
  create: (profile, settings, options) => new HayesDriver(profile, settings, options),
});
