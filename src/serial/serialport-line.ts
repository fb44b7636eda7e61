/**
 * The line as a tty, through node-serialport: the only file that knows it.
 *
 * serialport opens and sets up the port and watches it; reading and writing are done here, on its non-blocking descriptor:
 * 1. its poller watches for one event at a time, so a blocked write (CTS low, say) would stop reception until it goes on;
 * 2. its read loop takes end of file (a port that is gone) for "nothing yet" and spins;
 * 3. its errors are sentences; here the device is opened first with node:fs, for the errno. That descriptor stays open as long
 *    as serialport's: it carries the lock, taken before any setting of a port that somebody else may be using is touched.
 */
import fs from 'node:fs';
import { isatty } from 'node:tty';
import { SerialPort } from 'serialport';
import type { Scheduler } from '../base/clock.js';
import { SluiceError } from '../base/errors.js';
import type { Line, LineInputs, LineListener, LineOutputs, LineStatistics } from './line.js';
import { lostError, openError } from './line-errors.js';
import { PortWaits, readInputs, setOutputs } from './modem-lines.js';
import { type PortWatch, READABLE, WRITABLE, watchPort } from './port-watch.js';
import { applyRs485 } from './rs485.js';
import type { SerialPortHandle } from './serialport-handle.js';
import { readOctets, writeOctets } from './tty-octets.js';
import type { TtyExtras, TtySettings } from './tty-settings.js';
import { WriteQueue } from './write-queue.js';

export interface SerialPortLineParts {
  readonly scheduler: Scheduler;
  /** Without them only serialport's own lock (flock) guards the port, and pending input is not known. */
  readonly extras?: TtyExtras;
}

/** Sixteen times what a tty gives in one piece (4095 octets: n_tty's buffer is 4096). */
const READ_BUFFER_BYTES = 65_536;
/** UARTs bear about 2 % at each end before octets are misread; a device that deviates more does not do the rate. */
const BAUD_RATE_TOLERANCE = 0.03;
/** How long `close` waits for the kernel to send what it has, before that is thrown away. */
const LINGER_US = 500_000;
const LINGER_STEP_US = 10_000;
/** What a lost line says it has waiting until its loss is reported: more than anybody's room, or frames would be sent into it. */
const LOST_BYTES = 2 ** 31;

export class SerialPortLine implements Line {
  readonly path: string;
  readonly #settings: TtySettings;
  readonly #parts: SerialPortLineParts;
  readonly #queue = new WriteQueue();
  readonly #waits = new PortWaits();
  readonly #buffer = new Uint8Array(READ_BUFFER_BYTES);
  #listener: LineListener | undefined;
  #port: SerialPortHandle | undefined;
  #portWatch: PortWatch | undefined;
  #fd = -1;
  #lockFd = -1;
  /** The `open` that runs, and whether `close` was called during it. */
  #attempt: Promise<void> | undefined;
  #abandoned = false;
  /** Ends a pause early. */
  #wake: (() => void) | undefined;
  /** A loss whose report is on its way. */
  #unreported: SluiceError | undefined;
  #released: Promise<void> = Promise.resolve();
  #bytesIn = 0;
  #bytesOut = 0;
  #bytesDropped = 0;

  constructor(path: string, settings: TtySettings, parts: SerialPortLineParts) {
    this.path = path;
    this.#settings = settings;
    this.#parts = parts;
  }

  get unwrittenBytes(): number {
    return this.#unreported === undefined ? this.#queue.bytes : LOST_BYTES;
  }

  get statistics(): LineStatistics {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, bytesDropped: this.#bytesDropped };
  }

  async open(listener: LineListener): Promise<void> {
    if (this.#port !== undefined || this.#attempt !== undefined) {
      throw new SluiceError('internal', `${this.path} is open already`);
    }
    this.#abandoned = false;
    this.#attempt = this.#open(listener);
    try {
      await this.#attempt;
    } finally {
      this.#attempt = undefined;
    }
  }

  write(octets: Uint8Array): void {
    if (this.#listener === undefined) {
      this.#bytesDropped += octets.length;
      return;
    }
    if (this.#queue.bytes > 0) {
      this.#queue.add(octets);
      return;
    }
    // The usual case: the kernel takes it at once, without a copy or a turn of the event loop.
    const taken = this.#writeNow(octets);
    if (taken < 0) this.#bytesDropped += octets.length;
    if (taken < 0 || taken === octets.length) return;
    this.#queue.add(octets.subarray(taken));
    this.#watch();
  }

  pendingInputBytes(): number {
    if (this.#listener === undefined) return 0;
    return Math.max(0, this.#parts.extras?.inputBytes(this.#fd) ?? 0);
  }

  setOutputs(levels: LineOutputs): boolean {
    return this.#listener !== undefined && setOutputs(this.#fd, levels, this.#parts.extras);
  }

  setBaudRate(baudRate: number): boolean {
    const port = this.#port;
    if (port === undefined || this.#listener === undefined) return false;
    port.update({ baudRate }).catch((failure: unknown) => {
      if (port === this.#port) this.#lose(failure);
    });
    return true;
  }

  inputs(): LineInputs | undefined {
    return this.#listener === undefined ? undefined : readInputs(this.#fd, this.#parts.extras);
  }

  watchInputs(changed: (inputs: LineInputs) => void): boolean {
    const { scheduler, extras } = this.#parts;
    return this.#listener !== undefined && this.#waits.watchInputs(this.#fd, scheduler, extras, changed);
  }

  drain(done: () => void): boolean {
    return this.#listener !== undefined && this.#waits.drain(this.#fd, this.#parts.extras, done);
  }

  async close(): Promise<void> {
    this.#abandoned = true;
    this.#unreported = undefined;
    this.#wake?.();
    await this.#attempt?.catch(() => undefined);
    this.#release();
    await this.#released;
  }

  async #open(listener: LineListener): Promise<void> {
    try {
      await this.#released;
      await this.#openDevice();
      if (!this.#abandoned && this.#settings.settleUs > 0) await this.#sleep(this.#settings.settleUs);
      if (this.#abandoned) throw openError(this.path, new Error('it was closed meanwhile'));
      this.#listen(listener);
    } catch (failure) {
      this.#release();
      await this.#released;
      throw failure instanceof SluiceError ? failure : openError(this.path, failure);
    }
  }

  async #openDevice(): Promise<void> {
    const { extras } = this.#parts;
    const flags = fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK;
    this.#lockFd = await new Promise<number>((resolve, reject) => {
      fs.open(this.path, flags, (failure, fd) => (failure ? reject(failure) : resolve(fd)));
    });
    if (!isatty(this.#lockFd)) throw openError(this.path, undefined, 'ENOTTY');
    if ((extras?.lockExclusive(this.#lockFd) ?? 0) < 0) throw openError(this.path, undefined, 'EAGAIN');
    this.#port = await this.#openPort();
    const { fd } = this.#port;
    if (fd === null) throw openError(this.path, new Error('serialport gave no descriptor'));
    this.#fd = fd;
    extras?.setExclusive(fd, true);
    const { baudRate } = await this.#port.getBaudRate();
    if (Math.abs(baudRate / this.#settings.baudRate - 1) > BAUD_RATE_TOLERANCE) {
      throw new SluiceError(
        'line',
        `cannot open ${this.path}: it runs at ${baudRate} baud, not ${this.#settings.baudRate}`,
        {
          subject: this.path,
          remedy: 'Choose a rate that the port can do (line.baudRate).',
        },
      );
    }
    await this.#setModemLines(this.#port);
    if (this.#settings.lowLatency === true) extras?.setLowLatency?.(fd, true);
    const { rs485 } = this.#settings;
    if (rs485 !== undefined) applyRs485(this.path, fd, rs485, extras?.setRs485);
  }

  /** serialport throws away what the tty still holds from another time (tcflush in its set-up; tested). */
  async #openPort(): Promise<SerialPortHandle> {
    const { baudRate, dataBits, parity, stopBits, flowControl } = this.#settings;
    try {
      const port: unknown = await SerialPort.binding.open({
        path: this.path,
        baudRate,
        dataBits,
        parity,
        stopBits,
        rtscts: flowControl === 'rtscts',
        xon: flowControl === 'xonxoff',
        xoff: flowControl === 'xonxoff',
        xany: false,
        lock: this.#parts.extras === undefined,
      });
      return port as SerialPortHandle;
    } catch (failure) {
      // The one errno that the opening before cannot have found.
      const locked = failure instanceof Error && failure.message.includes('Cannot lock port');
      throw openError(this.path, failure, locked ? 'EAGAIN' : undefined);
    }
  }

  /** Opening a tty raises DTR and RTS; only what the settings name is changed. A pty has no such lines. */
  async #setModemLines(port: SerialPortHandle): Promise<void> {
    const { dtr, rts, lowLatency } = this.#settings;
    if (dtr === undefined && rts === undefined && lowLatency === undefined) return;
    try {
      await port.set({
        brk: false,
        cts: false,
        dsr: false,
        dtr: dtr ?? true,
        rts: rts ?? true,
        lowLatency: lowLatency ?? false,
      });
    } catch (failure) {
      // serialport gives strerror(ENOTTY) and no code.
      if (failure instanceof Error && failure.message.includes('Inappropriate ioctl')) return;
      throw failure;
    }
  }

  #sleep(us: number): Promise<void> {
    const { scheduler } = this.#parts;
    return new Promise((resolve) => {
      const cancel = scheduler.at(scheduler.nowUs() + us, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #listen(listener: LineListener): void {
    const port = this.#port;
    if (port === undefined) return;
    this.#listener = listener;
    this.#portWatch = watchPort(port, this.#fd, this.#parts.extras, (events) => this.#turn(events));
    this.#watch();
  }

  #watch(): void {
    if (this.#listener === undefined) return;
    try {
      this.#portWatch?.watch(this.#queue.bytes > 0 ? READABLE | WRITABLE : READABLE);
    } catch (failure) {
      this.#lose(failure);
    }
  }

  #turn(events: number): void {
    try {
      const waitingBytes = this.#queue.bytes;
      // First what makes others wait: the modem, and whoever fills this queue.
      if ((events & WRITABLE) !== 0) this.#flushQueue();
      if (this.#queue.bytes < waitingBytes) this.#listener?.drained?.();
      if ((events & READABLE) !== 0) this.#read();
    } finally {
      this.#watch();
    }
  }

  /** Once: after that the event loop has its turn, and calls again if more has come. */
  #read(): void {
    const listener = this.#listener;
    const bytes = listener === undefined ? 0 : this.#readNow();
    if (bytes <= 0) return;
    this.#bytesIn += bytes;
    listener?.data(this.#buffer.subarray(0, bytes));
  }

  /** Octets read; 0 when there are none; -1 when the line was lost. */
  #readNow(): number {
    return this.#orLost(readOctets(this.#fd, this.#buffer, this.#parts.extras));
  }

  /** Octets taken; 0 when the kernel has no room; -1 when the line was lost. */
  #writeNow(octets: Uint8Array): number {
    const bytes = this.#orLost(writeOctets(this.#fd, octets, this.#parts.extras));
    if (bytes > 0) this.#bytesOut += bytes;
    return bytes;
  }

  #orLost(result: number | Error): number {
    if (typeof result === 'number') return result;
    this.#lose(result);
    return -1;
  }

  #flushQueue(): void {
    for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
      const taken = this.#writeNow(first);
      if (taken < 0) return;
      this.#queue.taken(taken);
      if (taken < first.length) return;
    }
  }

  #lose(failure: unknown): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    this.#release();
    const error = lostError(this.path, failure);
    // Never from within a call of the owner's, such as `write`.
    this.#unreported = error;
    setImmediate(() => {
      if (this.#unreported !== error) return;
      this.#unreported = undefined;
      listener.lost(error);
    });
  }

  /** Lets go of everything; `#released` tells when that is done. */
  #release(): void {
    const port = this.#port;
    const lockFd = this.#lockFd;
    this.#listener = undefined;
    this.#portWatch?.close();
    this.#portWatch = undefined;
    this.#port = undefined;
    this.#lockFd = -1;
    this.#bytesDropped += this.#queue.clear();
    this.#waits.endAll();
    if (port === undefined && lockFd < 0) return;
    this.#released = this.#closeDevice(port, lockFd);
  }

  async #closeDevice(port: SerialPortHandle | undefined, lockFd: number): Promise<void> {
    if (port !== undefined) {
      await this.#linger(port);
      await port.close().catch(() => undefined);
    }
    if (lockFd >= 0) await new Promise<void>((resolve) => fs.close(lockFd, () => resolve()));
  }

  /** Closing a UART whose peer holds CTS low blocks for 30 s (closing_wait), so what has not left by then is thrown away. */
  async #linger(port: SerialPortHandle): Promise<void> {
    const { scheduler, extras } = this.#parts;
    if (extras === undefined || port.fd === null) return;
    const untilUs = scheduler.nowUs() + LINGER_US;
    while (extras.outputBytes(port.fd) > 0) {
      if (scheduler.nowUs() >= untilUs) {
        await port.flush().catch(() => undefined);
        break;
      }
      await this.#sleep(LINGER_STEP_US);
    }
    // A pty lives on with its master, and would keep the mark.
    extras.setExclusive(port.fd, false);
  }
}
