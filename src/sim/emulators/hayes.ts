/**
 * A modem that dials, as the Hayes manuals and modems.md have it: commands or data, never both; result codes between CR LF, or
 * digits; DCD with the carrier, DTR to hang up, +++ between two silences. All modems of a medium are on one exchange, where
 * the last two digits of a number are the station's own. Settings are lost with the power.
 */
import type { Scheduler } from '../../base/clock.js';
import type { LineInputs } from '../../serial/line.js';
import { type HostEnd, HostLine, type HostPort } from '../host-line.js';
import type { Medium, Transmission } from '../medium.js';
import { OctetQueue } from '../octet-queue.js';
import type { Emulator, EmulatorContext, EmulatorFactory } from './emulator.js';
import { DIGITS_OF, hayesSettings, parseHayes } from './hayes-commands.js';

/** What tests make it do wrong; counted down where it is a number of times. */
export interface HayesFaults {
  /** Result codes that never reach the host. */
  lose: number;
  /** Result codes come so much later. */
  lateUs: number;
  /** Calls that find the other end busy, the line dead, or nobody who answers. */
  busyCalls: number;
  deadCalls: number;
  unansweredCalls: number;
  /** Octets of noise behind CONNECT, from the training. */
  noiseOctets: number;
  /** A report that nobody asked for in front of each result code. */
  chatter: boolean;
}

export interface HayesTraits {
  /** Whether the host sees and sets modem lines; a pty and a three-wire cable have none. Default: yes. */
  readonly lines?: boolean;
  /** The command without which a call is refused, as on satellite telephones. */
  readonly bearer?: RegExp;
  /** From dialling to the first ring, from the answer to CONNECT, and through the modem's own buffers. */
  readonly dialUs?: number;
  readonly trainUs?: number;
  readonly latencyUs?: number;
}

type Phase = 'command' | 'dialling' | 'training' | 'data' | 'paused';

const REPLY_US = 30_000;
const BOOT_US = 500_000;
/** Two seconds of ringing, four of silence. */
const RING_EVERY_US = 6_000_000;
/** S7: so long the caller waits for an answer. */
const ANSWER_US = 50_000_000;
/** S10: a carrier that is gone for so long is lost. */
const LOSS_US = 1_400_000;
const BUFFER_BYTES = 1024;
const CR = 0x0d;
const BACKSPACE = 0x08;
const PLUS = 0x2b;

const EXCHANGES = new WeakMap<Medium, Map<number, HayesEmulator>>();

export class HayesEmulator implements Emulator {
  readonly faults: HayesFaults = {
    lose: 0,
    lateUs: 0,
    busyCalls: 0,
    deadCalls: 0,
    unansweredCalls: 0,
    noiseOctets: 0,
    chatter: false,
  };
  readonly #scheduler: Scheduler;
  readonly #context: EmulatorContext;
  readonly #traits: HayesTraits;
  readonly #port: HostPort;
  readonly #line: HostLine;
  readonly #exchange: Map<number, HayesEmulator>;
  readonly #buffer = new OctetQueue();
  readonly #counts = { calls: 0, commands: 0, commandsUnknown: 0, hostOctetsIgnored: 0, octetsHeardOutside: 0 };
  /** What was planned before a call ended, or the power, does not happen. */
  #life = 0;
  #power = 0;
  #asleep = false;
  #phase: Phase = 'command';
  #settings = hayesSettings();
  #bearer = false;
  #typed = '';
  #peer: HayesEmulator | undefined;
  #caller: HayesEmulator | undefined;
  #signal: Transmission | undefined;
  #lastOctetUs = Number.NEGATIVE_INFINITY;
  #pluses = 0;

  constructor(context: EmulatorContext, traits: HayesTraits = {}) {
    const { scheduler, medium, station, port, settings } = context;
    this.#scheduler = scheduler;
    this.#context = context;
    this.#traits = traits;
    this.#port = port;
    this.#exchange = EXCHANGES.get(medium) ?? new Map();
    EXCHANGES.set(medium, this.#exchange.set(station, this));
    this.#line = new HostLine({
      scheduler,
      port,
      lineBaud: settings.lineBaud ?? 38_400,
      flowControl: settings.flowControl ?? 'hardware',
      take: (octet) => this.#take(octet),
    });
    if (traits.lines !== false) port.onHostEnd?.((end) => this.#hostEnd(end));
    this.#inputs({ dcd: false });
    medium.listen(station, { octet: (octet) => this.#fromAir(octet) });
  }

  counts(): Record<string, number> {
    return { ...this.#line.counts, ...this.#counts };
  }

  /** Power gone and back. */
  reboot(): void {
    this.#endCall();
    this.#power++;
    this.#asleep = true;
    this.#typed = '';
    this.#caller = undefined;
    this.#settings = hayesSettings();
    this.#bearer = false;
    this.#after(BOOT_US, () => {
      this.#asleep = false;
    });
  }

  /** The telephone network ends the call. */
  dropCall(): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    this.#carrierLost();
    peer.#carrierLost();
  }

  // ---- the host ---------------------------------------------------------------------------------------------------

  #take(octet: number): boolean {
    if (this.#asleep) {
      this.#counts.hostOctetsIgnored++;
      return true;
    }
    switch (this.#phase) {
      case 'data':
        return this.#toAir(octet);
      case 'dialling':
      case 'training':
        // Any key gives up, but for the line feed behind the command.
        if (octet !== 0x0a) {
          this.#endCall();
          this.#result('NO CARRIER');
        }
        return true;
      default:
        this.#type(octet);
        return true;
    }
  }

  #type(octet: number): void {
    if (this.#settings.echo) this.#line.send(Uint8Array.of(octet));
    if (octet === BACKSPACE) this.#typed = this.#typed.slice(0, -1);
    else if (octet !== CR) this.#typed = (this.#typed + String.fromCharCode(octet)).slice(-256);
    else {
      // What stood before AT is not looked at.
      const at = this.#typed.toUpperCase().lastIndexOf('AT');
      const body = this.#typed.slice(at + 2);
      this.#typed = '';
      if (at >= 0) this.#execute(body);
    }
  }

  #execute(body: string): void {
    this.#counts.commands++;
    const commands = parseHayes(body);
    if (commands === undefined) {
      this.#counts.commandsUnknown++;
      this.#result('ERROR');
      return;
    }
    for (const { name, value } of commands) {
      if (this.#traits.bearer?.test(name + value) === true) this.#bearer = true;
      switch (name) {
        case 'D':
          this.#dial(value);
          return;
        case 'A':
          this.#answer();
          return;
        case 'O':
          if (this.#peer === undefined) this.#result('NO CARRIER');
          else this.#phase = 'data';
          return;
        case 'H':
          this.#endCall();
          break;
        case 'Z':
        case '&F':
          this.#endCall();
          this.#settings = hayesSettings();
          break;
        default:
          this.#settings.set(name, value);
      }
    }
    this.#result('OK');
  }

  /** A result code, in words or as a digit. */
  #result(text: string): void {
    if (this.faults.lose > 0) {
      this.faults.lose--;
      return;
    }
    const words = `\r\n${text}\r\n`;
    const said = this.#settings.verbose ? words : `${DIGITS_OF[text.split(' ')[0] ?? ''] ?? DIGITS_OF[text] ?? 0}\r`;
    const chatter = this.faults.chatter && this.#settings.verbose ? '\r\nRING\r\n' : '';
    this.#afterPower(REPLY_US + this.faults.lateUs, () => this.#say(chatter + said));
  }

  #say(text: string): void {
    this.#line.send(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }

  #hostEnd({ dtr }: HostEnd): void {
    if (dtr || !this.#settings.dtrHangsUp || this.#phase === 'command') return;
    this.#endCall();
    this.#result('NO CARRIER');
  }

  #inputs(levels: Partial<LineInputs>): void {
    if (this.#traits.lines !== false) this.#port.setInputs?.(levels);
  }

  // ---- calls ------------------------------------------------------------------------------------------------------

  #dial(number: string): void {
    const { faults } = this;
    this.#counts.calls++;
    if (this.#traits.bearer !== undefined && !this.#bearer) {
      this.#result('NO CARRIER');
      return;
    }
    const called = this.#exchange.get(Number(number.replaceAll(/\D/g, '').slice(-2)));
    this.#phase = 'dialling';
    this.#after(this.#traits.dialUs ?? 2_000_000, () => {
      if (faults.deadCalls > 0) {
        faults.deadCalls--;
        this.#callFails('NO DIALTONE');
      } else if (faults.busyCalls > 0 || (called !== undefined && called.#phase !== 'command')) {
        faults.busyCalls = Math.max(0, faults.busyCalls - 1);
        this.#callFails('BUSY');
      } else {
        if (faults.unansweredCalls > 0) faults.unansweredCalls--;
        else if (called !== undefined && called !== this) called.#ring(this, 1);
        this.#after(ANSWER_US, () => this.#callFails('NO CARRIER'));
      }
    });
  }

  #callFails(result: string): void {
    this.#endCall();
    this.#result(result);
  }

  #ring(caller: HayesEmulator, rings: number): void {
    if (caller.#phase !== 'dialling' || this.#phase !== 'command') {
      this.#caller = undefined;
      return;
    }
    this.#caller = caller;
    if (!this.#asleep) {
      this.#result('RING');
      if (this.#settings.answerRings > 0 && rings >= this.#settings.answerRings) this.#answer();
    }
    this.#scheduler.at(this.#scheduler.nowUs() + RING_EVERY_US, () => {
      if (this.#caller === caller) this.#ring(caller, rings + 1);
    });
  }

  #answer(): void {
    const caller = this.#caller;
    this.#caller = undefined;
    if (caller === undefined || caller.#phase !== 'dialling') {
      this.#result('NO CARRIER');
      return;
    }
    for (const [end, other] of [
      [this, caller],
      [caller, this],
    ] as const) {
      end.#life++;
      end.#phase = 'training';
      end.#peer = other;
      end.#after(end.#traits.trainUs ?? 4_000_000, () => end.#connected());
    }
  }

  #connected(): void {
    const { medium, random } = this.#context;
    this.#phase = 'data';
    this.#lastOctetUs = this.#scheduler.nowUs();
    this.#result(`CONNECT ${medium.rateBps}`);
    this.#inputs({ dcd: true });
    const noise = Uint8Array.from({ length: this.faults.noiseOctets }, () => random.below(256));
    this.#after(2 * REPLY_US, () => this.#line.send(noise));
  }

  /** From this end; the other one finds out. */
  #endCall(): void {
    const peer = this.#peer;
    this.#forgetCall();
    if (peer === undefined) return;
    peer.#after(LOSS_US, () => {
      if (peer.#peer === this) peer.#carrierLost();
    });
  }

  #carrierLost(): void {
    this.#forgetCall();
    this.#result('NO CARRIER');
  }

  #forgetCall(): void {
    this.#life++;
    this.#phase = 'command';
    this.#peer = undefined;
    this.#buffer.takeAll();
    this.#signal?.keyDown();
    this.#signal = undefined;
    this.#inputs({ dcd: false });
    this.#line.roomAgain();
  }

  // ---- data -------------------------------------------------------------------------------------------------------

  #toAir(octet: number): boolean {
    if (this.#buffer.length >= BUFFER_BYTES) return false;
    this.#listenForEscape(octet);
    this.#buffer.push(Uint8Array.of(octet));
    if (this.#signal === undefined) {
      this.#signal = this.#context.medium.keyUp(this.#context.station);
      this.#sendNext();
    }
    return true;
  }

  #sendNext(): void {
    const octet = this.#buffer.shift();
    if (octet === undefined) {
      this.#signal?.keyDown();
      this.#signal = undefined;
      return;
    }
    const endUs = this.#signal?.sendOctet(octet) ?? 0;
    this.#after(endUs - this.#scheduler.nowUs(), () => this.#sendNext());
    this.#line.roomAgain();
  }

  /** Three pluses between two silences. */
  #listenForEscape(octet: number): void {
    const nowUs = this.#scheduler.nowUs();
    const isQuiet = nowUs - this.#lastOctetUs >= this.#settings.guardUs;
    this.#lastOctetUs = nowUs;
    if (octet !== PLUS) this.#pluses = 0;
    else if (isQuiet) this.#pluses = 1;
    else if (this.#pluses > 0) this.#pluses++;
    if (this.#pluses !== 3) return;
    this.#after(this.#settings.guardUs, () => {
      if (this.#lastOctetUs !== nowUs || this.#phase !== 'data') return;
      this.#phase = 'paused';
      this.#result('OK');
    });
  }

  #fromAir(octet: number): void {
    if (this.#peer === undefined) this.#counts.octetsHeardOutside++;
    else {
      this.#after(this.#traits.latencyUs ?? 0, () => {
        if (this.#phase === 'data') this.#line.send(Uint8Array.of(octet));
      });
    }
  }

  #after(waitUs: number, callback: () => void): void {
    const life = this.#life;
    this.#afterPower(waitUs, () => {
      if (life === this.#life) callback();
    });
  }

  #afterPower(waitUs: number, callback: () => void): void {
    const power = this.#power;
    this.#scheduler.at(this.#scheduler.nowUs() + waitUs, () => {
      if (power === this.#power) callback();
    });
  }
}

export const emulator: EmulatorFactory = (context) => new HayesEmulator(context);
