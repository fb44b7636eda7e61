/**
 * What emulated transparent radios have in common: a line to the host at a rate of the radio's own (a host at another
 * rate and the radio read garbage from each other), octets that are data or commands, the time that a restart takes, and
 * replies that can go wrong.
 */
import { type HostEnd, HostLine } from '../host-line.js';
import type { Emulator, EmulatorContext } from './emulator.js';
import { RestartingModem } from './restarting-modem.js';

/** What tests make the radio do wrong. */
export interface StreamFaults {
  /** Replies that never reach the host, so many. */
  lose: number;
  /** Replies come so much later. */
  lateUs: number;
  /** What the host types in command mode comes back, whatever the radio is set to. */
  echo: boolean;
  /** Share of replies with a line in front that nobody asked for. */
  chatter: number;
  /** Share of the octets of replies that are misread. */
  garble: number;
  /** Power fails while the command of this number is carried out, counted from here; 0: it does not. */
  restartAtCommand: number;
}

export interface StreamOptions {
  readonly baudRate: number;
  /** After a restart it is deaf and dumb for so long. */
  readonly bootUs: number;
  /** From a command to its reply. */
  readonly replyUs: number;
  /** CTS: the line rests while the radio has no room. */
  readonly hardwareFlow: boolean;
  /** What it can hold for the host. */
  readonly outputBytes: number;
}

/** Rates that differ by less than this read each other: half a bit in ten. */
const RATE_TOLERANCE = 0.05;
const CHATTER = 'NO CARRIER\r\n';

export abstract class StreamModem extends RestartingModem implements Emulator {
  readonly faults: StreamFaults = { lose: 0, lateUs: 0, echo: false, chatter: 0, garble: 0, restartAtCommand: 0 };
  protected readonly line: HostLine;
  readonly #options: StreamOptions;
  #baudRate: number;
  #hostBaudRate: number | undefined;
  readonly #counts = { restarts: 0, octetsIgnored: 0, octetsMisread: 0, repliesLost: 0, commands: 0, refused: 0 };

  protected constructor(context: EmulatorContext, options: StreamOptions) {
    super(context, options.bootUs);
    const { scheduler, port, settings } = context;
    this.#options = options;
    this.#baudRate = settings.lineBaud ?? options.baudRate;
    this.line = new HostLine({
      scheduler,
      port,
      lineBaud: this.#baudRate,
      flowControl: settings.flowControl ?? (options.hardwareFlow ? 'hardware' : 'none'),
      outputBytes: options.outputBytes,
      take: (octet) => this.#take(octet),
    });
    port.onHostEnd?.((end) => {
      this.#hostBaudRate = end.baudRate;
      this.hostEnd(end);
    });
  }

  counts(): Record<string, number> {
    return { ...this.line.counts, ...this.#counts };
  }

  /** Power gone and back, or a restart by command. */
  restart(): void {
    this.#counts.restarts++;
    this.startAnew();
  }

  /** One octet from the host; false when there is no room for it. */
  protected abstract octet(octet: number): boolean;
  protected hostEnd(_end: HostEnd): void {}

  protected get baudRate(): number {
    return this.#baudRate;
  }

  protected set baudRate(baudRate: number) {
    this.#baudRate = baudRate;
    this.line.setBaudRate(baudRate);
  }

  /** Data for the host. */
  protected hear(octets: Uint8Array): void {
    if (!this.asleep) this.line.send(this.#readAs(octets));
  }

  /** A reply to a command, with its line ends. */
  protected reply(text: string): void {
    const { faults } = this;
    if (faults.restartAtCommand > 0 && --faults.restartAtCommand === 0) {
      this.restart();
      return;
    }
    this.after(this.#options.replyUs + faults.lateUs, () => {
      if (faults.lose > 0) {
        faults.lose--;
        this.#counts.repliesLost++;
        return;
      }
      const whole = this.random.unit() < faults.chatter ? CHATTER + text : text;
      const octets = Uint8Array.from(whole, (character) => character.charCodeAt(0));
      this.hear(octets.map((octet) => (this.random.unit() < faults.garble ? this.random.below(256) : octet)));
    });
  }

  protected countCommand(isKnown: boolean): void {
    this.#counts.commands++;
    if (!isKnown) this.#counts.refused++;
  }

  protected echo(octet: number): void {
    this.hear(Uint8Array.of(octet));
  }

  #take(octet: number): boolean {
    if (!this.asleep) return this.octet(this.#readAs(Uint8Array.of(octet))[0] as number);
    this.#counts.octetsIgnored++;
    return true;
  }

  /** Octets as the other end reads them, which may run at another rate. */
  #readAs(octets: Uint8Array): Uint8Array {
    const host = this.#hostBaudRate ?? this.#baudRate;
    if (Math.abs(host / this.#baudRate - 1) < RATE_TOLERANCE) return octets;
    this.#counts.octetsMisread += octets.length;
    return octets.map(() => 0x80 | this.random.below(128));
  }
}
