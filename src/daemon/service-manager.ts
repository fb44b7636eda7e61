/**
 * The service manager that started us, if one did: readiness, watchdog and descriptor store by the protocol of
 * sd_notify(3) and sd_listen_fds(3). A stored queue keeps the TAP, its carrier and what waits in it while no process of
 * ours runs.
 */
import { notifyServiceManager } from '../native/descriptors.js';

/** SD_LISTEN_FDS_START of sd-daemon.h. */
const FIRST_DESCRIPTOR = 3;
/** FDNAME of the queue in the store. */
const QUEUE_NAME = 'tap';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The descriptor of the queue that was handed to this process, if one was. */
export function storedQueue(environment: Environment, pid: number): number | null {
  if (Number(environment.LISTEN_PID) !== pid) return null;
  const count = Number(environment.LISTEN_FDS ?? 0);
  const index = (environment.LISTEN_FDNAMES ?? '').split(':').indexOf(QUEUE_NAME);
  return index >= 0 && index < count ? FIRST_DESCRIPTOR + index : null;
}

/** How often to report that we live: twice as often as the manager wants it (sd_watchdog_enabled(3)); null for never. */
export function watchdogIntervalMs(environment: Environment, pid: number): number | null {
  const us = Number(environment.WATCHDOG_USEC);
  if (!Number.isFinite(us) || us <= 0) return null;
  if (environment.WATCHDOG_PID !== undefined && Number(environment.WATCHDOG_PID) !== pid) return null;
  return Math.max(1, us / 1000 / 2);
}

export class ServiceManager {
  /** From the store, to be taken over. */
  readonly storedQueue: number | null;
  readonly #path: string | undefined;
  readonly #watchdogMs: number | null;
  readonly #storeMax: number;
  readonly #send: typeof notifyServiceManager;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(environment: Environment, pid: number, send = notifyServiceManager) {
    this.#path = environment.NOTIFY_SOCKET || undefined;
    this.#watchdogMs = watchdogIntervalMs(environment, pid);
    this.storedQueue = storedQueue(environment, pid);
    this.#storeMax = Number(environment.FDSTORE ?? Number.POSITIVE_INFINITY);
    this.#send = send;
  }

  /** Whether there is one to talk to. */
  get present(): boolean {
    return this.#path !== undefined;
  }

  /**
   * Whether it keeps descriptors: FileDescriptorStoreMax= of the unit. systemd tells since version 254; an older one is
   * taken at its best.
   */
  get stores(): boolean {
    return this.present && this.#storeMax > 0;
  }

  /** Has it keep the queue over our end. */
  store(fd: number): void {
    this.#tell(`FDSTORE=1\nFDNAME=${QUEUE_NAME}`, [fd]);
  }

  forgetQueue(): void {
    this.#tell(`FDSTOREREMOVE=1\nFDNAME=${QUEUE_NAME}`);
  }

  /** From here on the watchdog is fed by the event loop: one that hangs feeds it no more. */
  ready(text: string): void {
    this.#tell(`READY=1\nSTATUS=${text}`);
    if (this.#path === undefined || this.#watchdogMs === null) return;
    this.#watchdog = setInterval(() => this.#tell('WATCHDOG=1'), this.#watchdogMs).unref();
  }

  stopping(): void {
    this.#tell('STOPPING=1');
  }

  close(): void {
    clearInterval(this.#watchdog);
  }

  /** A manager that does not listen is no reason to stop. */
  #tell(text: string, descriptors: readonly number[] = []): void {
    if (this.#path !== undefined) this.#send(this.#path, text, descriptors);
  }
}
