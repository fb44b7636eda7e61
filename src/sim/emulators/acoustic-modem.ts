/**
 * What emulated acoustic modems have in common: the host's line, packets on the medium with the modem's own durations,
 * and the ways in which such modems go wrong. Each modem adds its language.
 */
import { HostLine } from '../host-line.js';
import type { Emulator, EmulatorContext } from './emulator.js';
import { RestartingModem } from './restarting-modem.js';

/** What tests make the modem do wrong; counted down where it is a number of times. */
export interface Faults {
  /** Replies and reports that never reach the host. */
  lose: number;
  /** Only messages that this matches are lost. */
  loseOnly: RegExp;
  /** Commands to send that find the modem busy. */
  busy: number;
  /** Commands to send that it refuses for good. */
  refuse: number;
  /** Share of replies before which a report comes that nobody asked for. */
  chatter: number;
  /** Replies come so much later; reports do not. */
  lateUs: number;
  /** What comes from the host is sent back. */
  echo: boolean;
}

export const NO_FAULTS: Faults = {
  lose: 0,
  loseOnly: /^/,
  busy: 0,
  refuse: 0,
  chatter: 0,
  lateUs: 0,
  echo: false,
};

/** A packet on the air. Ahead of the payload: source, destination, kind; what arrives spoiled is known to be. */
export interface Packet {
  readonly source: number;
  readonly destination: number;
  readonly kind: number;
  readonly payload: Uint8Array;
}

const HEADER_BYTES = 3;
/** Octets that may wait for the line to the host: some whole reports. */
const OUTPUT_BYTES = 65_536;

export interface AcousticOptions {
  readonly lineBaud: number;
  /** From a command's last octet to the reply's first. */
  readonly replyUs: number;
  /** From a command to the start of the signal. */
  readonly turnaroundUs: number;
  /** From the start of a signal until the modem reports it. */
  readonly carrierDetectUs: number;
  /** After a reboot it says nothing for so long. */
  readonly bootUs: number;
}

export abstract class AcousticModem extends RestartingModem implements Emulator {
  readonly faults: Faults = { ...NO_FAULTS };
  protected readonly line: HostLine;
  protected readonly turnaroundUs: number;
  readonly #replyUs: number;
  #sending = false;
  #saidUntilUs = 0;
  readonly #counts = {
    packetsSent: 0,
    packetsHeard: 0,
    packetsSpoiled: 0,
    commandsRefused: 0,
    commandsUnknown: 0,
    messagesLost: 0,
    hostOctetsIgnored: 0,
    reboots: 0,
  };

  protected constructor(context: EmulatorContext, options: AcousticOptions) {
    super(context, options.bootUs);
    const { scheduler, medium, station, port, settings } = context;
    this.turnaroundUs = settings.turnaroundUs ?? options.turnaroundUs;
    this.#replyUs = options.replyUs;
    this.line = new HostLine({
      scheduler,
      port,
      lineBaud: settings.lineBaud ?? options.lineBaud,
      flowControl: settings.flowControl ?? 'hardware',
      outputBytes: OUTPUT_BYTES,
      take: (octet) => {
        if (this.asleep) this.#counts.hostOctetsIgnored++;
        else {
          if (this.faults.echo) this.line.send(Uint8Array.of(octet));
          this.octet(octet);
        }
        return true;
      },
    });
    medium.listen(
      station,
      {
        carrier: (busy) => {
          if (!this.asleep) this.carrier(busy);
        },
        frame: ({ octets, intact }) => {
          if (this.asleep) return;
          if (intact) this.#counts.packetsHeard++;
          else this.#counts.packetsSpoiled++;
          this.heard(
            {
              source: octets[0] ?? 0,
              destination: octets[1] ?? 0,
              kind: octets[2] ?? 0,
              payload: octets.subarray(HEADER_BYTES),
            },
            intact,
          );
        },
      },
      settings.carrierDetectUs ?? options.carrierDetectUs,
    );
  }

  counts(): Record<string, number> {
    return { ...this.line.counts, ...this.#counts };
  }

  /** Power gone and back. */
  reboot(): void {
    this.#counts.reboots++;
    this.#sending = false;
    this.startAnew();
  }

  /** One octet from the host. */
  protected abstract octet(octet: number): void;
  /** A packet arrived, spoiled perhaps. */
  protected abstract heard(packet: Packet, intact: boolean): void;
  protected carrier(_busy: boolean): void {}
  /** A report that comes without need, for `chatter`. */
  protected abstract chatter(): string;

  protected get sending(): boolean {
    return this.#sending;
  }

  protected unknown(): void {
    this.#counts.commandsUnknown++;
  }

  /** Whether a command to send is to be turned down, by a fault. */
  protected turnsDown(): 'busy' | 'refuse' | undefined {
    const { faults } = this;
    const reason = faults.busy > 0 ? 'busy' : faults.refuse > 0 ? 'refuse' : undefined;
    if (reason === undefined) return undefined;
    faults[reason]--;
    this.#counts.commandsRefused++;
    return reason;
  }

  /** A reply to a command; replies keep their order. */
  protected reply(text: string): void {
    const atUs = Math.max(this.scheduler.nowUs() + this.#replyUs + this.faults.lateUs, this.#saidUntilUs);
    this.#saidUntilUs = atUs;
    this.after(atUs - this.scheduler.nowUs(), () => {
      if (this.faults.chatter > 0 && this.random.unit() < this.faults.chatter) this.say(this.chatter());
      this.say(text);
    });
  }

  /** Something for the host, now: an octet for each character. */
  protected say(text: string): void {
    if (this.faults.lose > 0 && this.faults.loseOnly.test(text)) {
      this.faults.lose--;
      this.#counts.messagesLost++;
      return;
    }
    this.line.send(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }

  /** Puts a packet on the air for so long; calls at its start and at its end. */
  protected send(packet: Packet, durationUs: number, ended: () => void, started?: () => void): void {
    this.#sending = true;
    this.after(this.turnaroundUs, () => {
      const { source, destination, kind, payload } = packet;
      this.#counts.packetsSent++;
      const signal = this.medium.keyUp(this.station);
      started?.();
      const endUs = signal.sendFrame(Uint8Array.of(source, destination, kind, ...payload), durationUs);
      signal.keyDown();
      this.after(endUs - this.scheduler.nowUs(), () => {
        this.#sending = false;
        ended();
      });
    });
  }
}
