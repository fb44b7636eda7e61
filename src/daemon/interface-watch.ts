/**
 * Watches the TAP for other hands: the kernel tells of each change, and a look at fixed intervals verifies that nothing
 * was missed. What can be repaired is repaired, what can be followed is followed, and the rest is said aloud.
 *
 * - Renamed: followed. Set down: pulling stops until it is up again. MTU: the gate's burst follows.
 * - Root qdisc or queue length changed: hung again, up to a limit (flow/repair.ts).
 * - Moved to another network namespace: followed where we may enter it; otherwise frames go on, but without back pressure.
 * - Deleted: the daemon ends with an error. To make the interface anew would undo what the operator did; under a service
 *   manager that restarts us, it comes back all the same.
 */
import { isSluiceError, SluiceError } from '../base/errors.js';
import type { RepairingBackPressure } from '../flow/repair.js';
import type { NotificationListener } from '../native/addon.js';
import type { Link } from '../netlink/link.js';
import { type LinkEvent, LinkTracker } from '../netlink/link-tracker.js';
import { parseNotification } from '../netlink/notification.js';
import type { Log } from '../observe/log.js';

/** A netlink socket that listens to WATCH_GROUPS. */
export interface NotificationSource {
  onNotification(listener: NotificationListener): void;
  close(): void;
}

export interface WatchedInterface {
  readonly name: string;
  readonly backPressure: RepairingBackPressure;
  /** As the kernel has it now. Throws SluiceError with errno ENODEV where it is not. */
  link(): Link;
  /** Whether our queue still belongs to a device, wherever that is. */
  alive(): boolean;
  /** A source that hears of this interface, but not of what we do to it. */
  listen(): NotificationSource;
  /** It has another name. */
  renamed(name: string): void;
  /** It has another MAC address. */
  readdressed(mac: Uint8Array): void;
  /**
   * Goes after it into its new network namespace, and hangs the back pressure there.
   * @throws SluiceError where that is not permitted or not possible
   */
  follow(ifindex: number): void;
}

export interface WatchHandlers {
  renamed(name: string): void;
  up(): void;
  down(): void;
  /** The end: there is no device any more. Called once. */
  lost(error: SluiceError): void;
}

export class InterfaceWatch {
  readonly #interface: WatchedInterface;
  readonly #handlers: WatchHandlers;
  readonly #log: Log;
  #tracker: LinkTracker;
  #source: NotificationSource | null = null;
  #checkDue = false;
  #ended = false;
  #outOfReach = false;

  /** Throws SluiceError when the interface cannot be looked at. */
  constructor(watched: WatchedInterface, handlers: WatchHandlers, log: Log) {
    this.#interface = watched;
    this.#handlers = handlers;
    this.#log = log;
    this.#listen();
    this.#tracker = new LinkTracker(watched.link());
    // What was so from the start changes nothing, but must be known.
    if (!this.#tracker.link.up) handlers.down();
  }

  /** Looks at everything again. Throws nothing. */
  verify(): void {
    if (this.#ended || this.#outOfReach) return;
    this.#guarded(() => {
      const events = this.#tracker.seen(this.#interface.link());
      for (const event of events) this.#react(event);
      if (!this.#ended) this.#interface.backPressure.check();
    });
  }

  /** Idempotent. */
  close(): void {
    this.#ended = true;
    this.#source?.close();
  }

  #listen(): void {
    this.#source?.close();
    this.#source = this.#interface.listen();
    this.#source.onNotification({
      message: (octets) => this.#notified(octets),
      overrun: () => {
        this.#log.debug('interface', {
          change: 'overrun',
          meaning: 'notifications were lost; everything is looked at',
        });
        this.verify();
      },
      failed: (errno) => this.#log.warn('interface', { change: 'unwatched', errno }),
    });
  }

  #notified(octets: Uint8Array): void {
    if (this.#ended) return;
    this.#guarded(() => {
      const notification = parseNotification(octets);
      if (notification === null) return;
      for (const event of this.#tracker.notified(notification)) this.#react(event);
    });
  }

  #react(event: LinkEvent): void {
    const { backPressure } = this.#interface;
    switch (event.what) {
      case 'renamed':
        this.#interface.renamed(event.name);
        this.#handlers.renamed(event.name);
        this.#log.info('interface', { change: 'renamed', name: event.name, before: event.before });
        break;
      case 'down':
        this.#handlers.down();
        this.#log.warn('interface', { change: 'down', remedy: `ip link set dev ${this.#interface.name} up` });
        break;
      case 'up':
        this.#checkSoon();
        this.#handlers.up();
        this.#log.info('interface', { change: 'up' });
        break;
      case 'mtu':
        backPressure.followMtu(event.mtuBytes);
        this.#log.info('interface', { change: 'mtu', mtuBytes: event.mtuBytes });
        break;
      case 'mac':
        this.#interface.readdressed(event.mac);
        this.#log.info('interface', { change: 'mac', mac: Buffer.from(event.mac).toString('hex') });
        break;
      case 'queue-length':
      case 'qdisc':
        this.#checkSoon();
        break;
      case 'moved':
        this.#moved(event.ifindex);
        break;
      case 'deleted':
        this.#deleted();
        break;
    }
  }

  /** Once for all that arrives in this turn: one `tc` command makes several notifications. */
  #checkSoon(): void {
    if (this.#checkDue) return;
    this.#checkDue = true;
    setImmediate(() => {
      this.#checkDue = false;
      if (!this.#ended) this.#guarded(() => this.#interface.backPressure.check());
    });
  }

  #moved(ifindex: number): void {
    try {
      this.#interface.follow(ifindex);
      this.#listen();
      const before = this.#tracker.link;
      const link = this.#interface.link();
      this.#tracker = new LinkTracker({ ...before, ifindex: link.ifindex });
      this.#log.warn('interface', {
        change: 'moved',
        meaning:
          'it is in another network namespace; the kernel set it down and took its addresses, routes and neighbours',
        remedy: 'Give it addresses there and set it up.',
      });
      for (const event of this.#tracker.seen(link)) this.#react(event);
    } catch (failure) {
      if (!isSluiceError(failure)) throw failure;
      this.#outOfReach = true;
      this.#interface.backPressure.giveUp('the interface is in another network namespace, out of our reach');
      this.#log.error('back-pressure', {
        mode: 'none',
        cause: `the interface was moved to another network namespace: ${failure.message}`,
        remedy: 'Frames still go through, but packets may be dropped. Run the daemon in that namespace, or as root.',
      });
    }
  }

  #deleted(): void {
    if (this.#ended) return;
    this.close();
    const { name } = this.#interface;
    const error = new SluiceError('system', `the interface ${name} was deleted`, {
      subject: name,
      remedy: 'Start again to have it back; to stop for good, stop the daemon and not its interface.',
    });
    this.#log.error('interface-lost', { cause: error.message, remedy: error.details.remedy });
    this.#handlers.lost(error);
  }

  /** A device that is not found is deleted, or has gone where its queue still reaches it. */
  #guarded(look: () => void): void {
    try {
      look();
    } catch (failure) {
      if (!isSluiceError(failure)) throw failure;
      if (failure.details.errno !== 'ENODEV') {
        this.#log.error('back-pressure', { mode: this.#interface.backPressure.mode, cause: failure.message });
      } else if (this.#interface.alive()) this.#moved(this.#tracker.link.ifindex);
      else this.#deleted();
    }
  }
}
