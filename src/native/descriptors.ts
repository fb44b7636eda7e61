/** What can be asked and set by file descriptor or name alone, without a handle of our own: ttys, sockets, namespaces. */
import { addon } from './addon.js';
import type { RawDescriptorWatch } from './binding.js';
import { translated } from './errors.js';

/** Octets that a tty has received and nobody has read (FIONREAD), or a negative errno. */
export function inputBytes(fd: number): number {
  return addon().inputBytes(fd);
}

/**
 * Calls back with 1 (readable), 2 (writable) or 3 as long as the descriptor is ready as `watch` said last; with 0 when that
 * failed, and it goes on only after another `watch`. Keeps the process alive. `close` must be called before the descriptor is
 * closed.
 */
export function watchDescriptor(fd: number, ready: (events: number) => void): RawDescriptorWatch {
  const raw = translated(() => new (addon().DescriptorWatch)(fd, ready));
  return { watch: (events) => translated(() => raw.watch(events)), close: () => raw.close() };
}

/**
 * read(2), repeated as long as it gives a tty's full piece and the buffer has room for another.
 * @returns octets, 0 at the end, or a negative errno
 */
export function readOctets(fd: number, buffer: Uint8Array): number {
  return addon().readOctets(fd, buffer);
}

/** write(2). @returns octets taken, or a negative errno */
export function writeOctets(fd: number, octets: Uint8Array): number {
  return addon().writeOctets(fd, octets);
}

/** Octets written to a tty that have not left it (TIOCOUTQ), or a negative errno. */
export function outputBytes(fd: number): number {
  return addon().outputBytes(fd);
}

/** Keeps others but root from opening the tty (TIOCEXCL), or lets them again. @returns 0 or a negative errno */
export function setExclusive(fd: number, exclusive: boolean): number {
  return addon().setExclusive(fd, exclusive);
}

/** Takes the exclusive lock of the open file without waiting (flock). @returns 0, or a negative errno: -EAGAIN if taken */
export function lockExclusive(fd: number): number {
  return addon().lockExclusive(fd);
}

/** The modem lines of a tty (TIOCMGET; bits of serial/modem-lines.ts), or a negative errno: -ENOTTY where there are none. */
export function modemLines(fd: number): number {
  return addon().modemLines(fd);
}

/** Raises and drops modem lines (TIOCMBIS, TIOCMBIC). @returns 0 or a negative errno */
export function setModemLines(fd: number, raise: number, drop: number): number {
  return addon().setModemLines(fd, raise, drop);
}

/**
 * Waits in a thread of its own until one of the lines of `mask` changes (TIOCMIWAIT). `done` gets 0 or a negative errno;
 * the function returned ends the wait (-ECANCELED), and must be called in any case, before the descriptor is closed.
 */
export function awaitModemLines(fd: number, mask: number, done: (result: number) => void): () => void {
  return translated(() => addon().awaitModemLines(fd, mask, done));
}

/** Waits in a thread of its own until what was written has left (tcdrain). As `awaitModemLines`. */
export function drain(fd: number, done: (result: number) => void): () => void {
  return translated(() => addon().drain(fd, done));
}

/** ASYNC_LOW_LATENCY. @returns 0 or a negative errno */
export function setLowLatency(fd: number, on: boolean): number {
  return addon().setLowLatency(fd, on);
}

/** @param settings struct serial_rs485; afterwards what the driver accepted. @returns 0 or a negative errno */
export function setRs485(fd: number, settings: Uint8Array): number {
  return addon().setRs485(fd, settings);
}

/** TCP_USER_TIMEOUT: sent data that nobody acknowledges for so long end the connection. @returns 0 or a negative errno */
export function setTcpUserTimeout(fd: number, ms: number): number {
  return addon().setTcpUserTimeout(fd, ms);
}

/**
 * Moves the calling thread into a fresh network namespace with nothing but `lo`. What it opens from now on, and the
 * children it spawns, belong there; other threads stay. @throws SluiceError `privilege` without CAP_SYS_ADMIN
 */
export function unshareNetwork(): void {
  translated(() => addon().unshareNetwork());
}

/** Moves the calling thread into an existing namespace, e.g. `/run/netns/NAME` or `/proc/PID/ns/net`. */
export function enterNetworkNamespace(path: string): void {
  translated(() => addon().enterNetworkNamespace(path));
}

/** The index of an interface of the calling thread's network namespace; 0 when there is none of that name. */
export function interfaceIndex(name: string): number {
  return translated(() => addon().interfaceIndex(name));
}

/** One datagram to a service manager's socket (sd_notify(3)), with descriptors to keep. @returns octets, or -errno */
export function notifyServiceManager(path: string, text: string, descriptors: readonly number[] = []): number {
  return addon().notifyServiceManager(path, text, descriptors);
}

/** How the kernel schedules the calling thread (sched(7)): 0 is SCHED_OTHER, the ordinary one; or -errno. */
export function schedulingPolicy(): number {
  return addon().schedulingPolicy();
}

/**
 * The calling thread in real time (SCHED_RR) from now on, priority 1 to 99; threads and children that it makes are ordinary.
 * @returns 0, or -errno: EPERM without CAP_SYS_NICE
 */
export function setRoundRobin(priority: number): number {
  return addon().setRoundRobin(priority);
}
