/** How a tty is opened, and what is asked of it beyond node-serialport. */

import type { Rs485Settings } from './rs485.js';

export interface TtySettings {
  /** Any rate; Linux knows more than the traditional ones (termios2, BOTHER). */
  readonly baudRate: number;
  readonly dataBits: 5 | 6 | 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
  readonly flowControl: 'none' | 'rtscts' | 'xonxoff';
  /** DTR and RTS after opening; left as the kernel raised them where not given. */
  readonly dtr?: boolean;
  readonly rts?: boolean;
  /** ASYNC_LOW_LATENCY, which takes an FTDI adapter's latency timer from 16 ms to 1 ms (ftdi_sio.c). */
  readonly lowLatency?: boolean;
  /** Driver-enable by RTS for two-wire lines (TIOCSRS485). */
  readonly rs485?: Rs485Settings | undefined;
  /** Pause between opening and the first octet read or written, for boards that opening resets. */
  readonly settleUs: number;
}

/** Calls that node-serialport does not offer; each takes a descriptor and returns a negative errno on failure. */
export interface TtyExtras {
  /** Octets received and not read (FIONREAD). */
  inputBytes(fd: number): number;
  /** Octets written that have not left (TIOCOUTQ). */
  outputBytes(fd: number): number;
  /** TIOCEXCL, TIOCNXCL. */
  setExclusive(fd: number, exclusive: boolean): number;
  /** flock(2) with LOCK_EX and LOCK_NB. */
  lockExclusive(fd: number): number;
  /** read(2), repeated as long as it comes full and there is room, and write(2): octets, or a negative errno. */
  read?(fd: number, buffer: Uint8Array): number;
  write?(fd: number, octets: Uint8Array): number;
  /** Calls back as long as the descriptor is ready as `watch` says (see port-watch.ts); with 0 when that fails. */
  watch?(fd: number, ready: (events: number) => void): { watch(events: number): void; close(): void };
  /** TIOCMBIS and TIOCMBIC. */
  setModemLines?(fd: number, raise: number, drop: number): number;
  /** TIOCMGET. */
  modemLines?(fd: number): number;
  /** TIOCMIWAIT in a thread; `done` gets 0 or a negative errno. @returns what ends the wait, to be called in any case */
  awaitModemLines?(fd: number, mask: number, done: (result: number) => void): () => void;
  /** tcdrain in a thread, likewise. */
  drain?(fd: number, done: (result: number) => void): () => void;
  /** TIOCSRS485; the octets then hold what the driver accepted. */
  setRs485?(fd: number, settings: Uint8Array): number;
  /** TIOCSSERIAL with ASYNC_LOW_LATENCY. */
  setLowLatency?(fd: number, on: boolean): number;
}
