/**
 * A medium in real time. The medium and its modems run in a virtual time that is led along the real clock: a timer that
 * comes late finds everything due at its exact microsecond, in order, so that no error adds up. What the hosts do enters
 * at the real time at which it was seen.
 *
 * 1. A port has octets from its host, or something is due: virtual time is run up to now.
 * 2. What the modems gave their hosts on the way is written, one write for each port.
 * 3. One real timer is set for what is due next.
 */
import type { Cancel, Scheduler } from '../base/clock.js';
import { seededRandom } from '../base/random.js';
import type { Emulator } from './emulators/emulator.js';
import { emulatorFactory } from './emulators/registry.js';
import type { HostPort } from './host-line.js';
import type { Medium } from './medium.js';
import { buildMedium, type MediumPlan } from './medium-file.js';
import { OctetQueue } from './octet-queue.js';
import { type MediumSummary, summarise } from './summary.js';
import { VirtualTime } from './virtual-time.js';

/** A pty's master; the command line makes one of the native addon's. */
export interface PtyPort {
  readonly slavePath: string;
  /** Never blocks. Returns how many octets the pty took; negative for an error, which counts as none. */
  write(octets: Uint8Array): number;
  /** Names who takes the octets that come from the slave; called once. */
  onData(take: (octets: Uint8Array) => void): void;
  /** Stop and go on reading: what is not read fills the pty's own buffer, and then the writer's writes fall short. */
  pause(): void;
  /** Should read at once what is there, so that a loop that was held up does not starve the modem. */
  resume(): void;
  close(): void;
}

export interface LiveMediumOptions {
  /** Real time. */
  readonly scheduler: Scheduler;
  readonly plan: MediumPlan;
  /** The port of each station of the plan; closed by `stop`. */
  readonly ptyOf: (station: number) => PtyPort;
  readonly seed: number;
  /** The least time between two looks at what is due; what comes due in it goes out together. Default: 1050. */
  readonly tickUs?: number;
}

/** What a timer of the event loop is good for, and a little, so that it has passed when the timer comes. */
const DEFAULT_TICK_US = 1050;

interface LiveStation {
  readonly id: number;
  readonly modem: string;
  readonly pty: PtyPort;
  readonly emulator: Emulator;
  /** Octets to the host since the last write. */
  readonly outgoing: OctetQueue;
  /** Octets that the pty did not take: its host does not read. */
  unread: number;
}

export class LiveMedium {
  readonly medium: Medium;
  readonly #real: Scheduler;
  readonly #virtual: VirtualTime;
  readonly #stations: LiveStation[];
  readonly #tickUs: number;
  #timer: { readonly dueUs: number; readonly cancel: Cancel } | undefined;
  #running = false;
  #stopped = false;

  /** Starts at once. @throws SluiceError `configuration` for what the medium refuses */
  constructor({ scheduler, plan, ptyOf, seed, tickUs = DEFAULT_TICK_US }: LiveMediumOptions) {
    this.#real = scheduler;
    this.#tickUs = tickUs;
    this.#virtual = new VirtualTime(scheduler.nowUs());
    const random = seededRandom(seed);
    this.medium = buildMedium(plan, this.#virtual, random);
    this.#stations = plan.stations.map(({ id, modem }) => {
      const pty = ptyOf(id);
      const outgoing = new OctetQueue();
      const emulator = emulatorFactory(modem)({
        scheduler: this.#virtual,
        random: seededRandom(random.uint32()),
        medium: this.medium,
        station: id,
        port: this.#port(pty, outgoing),
        settings: plan.settings,
      });
      return { id, modem, pty, emulator, outgoing, unread: 0 };
    });
    this.#run();
  }

  /** The path of each station's pty, to be opened by its host. */
  get slavePaths(): ReadonlyMap<number, string> {
    return new Map(this.#stations.map(({ id, pty }) => [id, pty.slavePath]));
  }

  summary(): MediumSummary {
    if (!this.#stopped) this.#run();
    return summarise(
      this.medium,
      this.#stations.map(({ id, modem, emulator, unread }) => ({
        id,
        modem,
        counts: () => ({ ...emulator.counts(), unread }),
      })),
    );
  }

  /** Ends everything, closes the ports, and returns the last summary. Idempotent. */
  stop(): MediumSummary {
    const last = this.summary();
    if (!this.#stopped) {
      this.#stopped = true;
      this.#timer?.cancel();
      for (const { pty } of this.#stations) pty.close();
    }
    return last;
  }

  #port(pty: PtyPort, outgoing: OctetQueue): HostPort {
    return {
      onData: (take) =>
        pty.onData((octets) => {
          if (this.#stopped) return;
          this.#run(() => take(octets));
        }),
      send: (octets) => {
        outgoing.push(octets);
        return octets.length;
      },
      pause: () => pty.pause(),
      resume: () => pty.resume(),
    };
  }

  /** Leads virtual time up to now, lets `then` happen there, and sets the timer for what comes next. */
  #run(then?: () => void): void {
    if (this.#running) {
      // A port gave octets while it was resumed: they come at this very moment of virtual time.
      then?.();
      return;
    }
    this.#running = true;
    try {
      this.#virtual.runUntil(this.#real.nowUs());
      then?.();
    } finally {
      this.#running = false;
      this.#write();
      this.#arm();
    }
  }

  #write(): void {
    for (const station of this.#stations) {
      if (station.outgoing.length === 0) continue;
      const octets = station.outgoing.takeAll();
      station.unread += octets.length - Math.max(0, station.pty.write(octets));
    }
  }

  #arm(): void {
    const nextUs = this.#virtual.nextDueUs;
    if (nextUs === undefined || this.#stopped) return;
    const dueUs = Math.max(nextUs, this.#real.nowUs() + this.#tickUs);
    if (this.#timer !== undefined) {
      if (this.#timer.dueUs <= dueUs) return;
      this.#timer.cancel();
    }
    const cancel = this.#real.at(dueUs, () => {
      this.#timer = undefined;
      this.#run();
    });
    this.#timer = { dueUs, cancel };
  }
}
