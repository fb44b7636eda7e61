/** The line to the modem, as a port: a tty, or a TCP connection, or a fake. */
import type { SluiceError } from '../base/errors.js';

export interface LineListener {
  /** Octets that arrived; the view is only good during the call. */
  data(octets: Uint8Array): void;
  /** The kernel has taken octets that it had no room for when they were written. */
  drained?(): void;
  /** The line was lost after it had been open; no more data will come until it is opened again. */
  lost(error: SluiceError): void;
}

/** Levels of the lines that the host drives; true is asserted. What is left out stays as it is. */
export interface LineOutputs {
  readonly dtr?: boolean;
  readonly rts?: boolean;
}

/** Levels of the lines that the modem drives; true is asserted. */
export interface LineInputs {
  readonly cts: boolean;
  readonly dsr: boolean;
  readonly dcd: boolean;
  readonly ring: boolean;
}

export interface LineStatistics {
  readonly bytesIn: number;
  /** Octets that the kernel took. */
  readonly bytesOut: number;
  /** Octets accepted by `write` that the kernel never took: the line was lost, closed or not open. */
  readonly bytesDropped: number;
}

export interface Line {
  /** The device path, or `tcp://host:port`. */
  readonly path: string;
  /**
   * Opens the line and starts to listen.
   * @throws SluiceError `line`: missing, busy or refused; names the path, the cause and the remedy.
   */
  open(listener: LineListener): Promise<void>;
  /** Queues octets. Never blocks, never drops: partial writes are continued. Octets queued on a lost line are discarded. */
  write(octets: Uint8Array): void;
  /** Octets accepted by `write` that the kernel has not taken yet; a huge number from a loss until `lost` is called. */
  readonly unwrittenBytes: number;
  /** Octets that the kernel has received and nobody has read, where it can tell; otherwise 0. For a last look before transmitting. */
  pendingInputBytes(): number;
  /** Sets modem lines. @returns whether the open line has any: a pty and a TCP connection have none */
  setOutputs?(levels: LineOutputs): boolean;
  /** Runs the open line at another rate, bit/s, until it is closed. @returns whether it has a rate */
  setBaudRate?(baudRate: number): boolean;
  /** What the modem drives; undefined where the line has nothing of the kind. */
  inputs?(): LineInputs | undefined;
  /** Calls at each change of the inputs until the line is lost or closed. @returns whether there are any */
  watchInputs?(changed: (inputs: LineInputs) => void): boolean;
  /** Calls once all octets written have left the UART, as far as the port can tell. @returns whether it can */
  drain?(done: () => void): boolean;
  /** Idempotent. */
  close(): Promise<void>;
  readonly statistics: LineStatistics;
}
