/**
 * The host's end of an emulated modem in virtual time, as the line port of serial/line.ts, so that the real modem drivers
 * run on the emulators in tests. The kernel's own buffer is not modelled: what the modem does not take stays
 * unwritten.
 */
import type { Line, LineInputs, LineListener, LineOutputs, LineStatistics } from '../serial/line.js';
import type { HostEnd, HostPort } from './host-line.js';
import { OctetQueue } from './octet-queue.js';

export class VirtualLine implements Line {
  readonly path: string;
  /** For the emulator. */
  readonly port: HostPort;
  readonly #counts = { bytesIn: 0, bytesOut: 0, bytesDropped: 0 };
  readonly #unwritten = new OctetQueue();
  #take: ((octets: Uint8Array) => void) | undefined;
  #listener: LineListener | undefined;
  #paused = false;
  #end: HostEnd = { dtr: true, rts: true };
  #changed: ((end: HostEnd) => void) | undefined;
  #inputs: LineInputs = { cts: true, dsr: true, dcd: false, ring: false };
  #inputsChanged: ((inputs: LineInputs) => void) | undefined;

  constructor(path: string) {
    this.path = path;
    this.port = {
      onData: (take) => {
        this.#take = take;
      },
      send: (octets) => {
        // A closed line takes nothing, as a pty whose other end is closed.
        if (this.#listener === undefined) return 0;
        this.#counts.bytesIn += octets.length;
        this.#listener.data(octets);
        return octets.length;
      },
      onHostEnd: (changed) => {
        this.#changed = changed;
      },
      setInputs: (levels) => {
        this.#inputs = { ...this.#inputs, ...levels };
        this.#inputsChanged?.(this.#inputs);
      },
      pause: () => {
        this.#paused = true;
      },
      resume: () => {
        this.#paused = false;
        this.#flush();
      },
    };
  }

  get unwrittenBytes(): number {
    return this.#unwritten.length;
  }

  get statistics(): LineStatistics {
    return this.#counts;
  }

  async open(listener: LineListener): Promise<void> {
    this.openNow(listener);
  }

  /** As `open`, without a promise: virtual time does not wait for one. */
  openNow(listener: LineListener): void {
    this.#listener = listener;
  }

  write(octets: Uint8Array): void {
    if (this.#listener === undefined) {
      this.#counts.bytesDropped += octets.length;
      return;
    }
    this.#unwritten.push(octets);
    this.#flush();
  }

  /** Octets are handed over as they arrive. */
  pendingInputBytes(): number {
    return 0;
  }

  setOutputs(levels: LineOutputs): boolean {
    this.#set(levels);
    return true;
  }

  setBaudRate(baudRate: number): boolean {
    this.#set({ baudRate });
    return true;
  }

  inputs(): LineInputs | undefined {
    return this.#listener === undefined ? undefined : this.#inputs;
  }

  watchInputs(changed: (inputs: LineInputs) => void): boolean {
    this.#inputsChanged = changed;
    return this.#listener !== undefined;
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    this.#inputsChanged = undefined;
    this.#counts.bytesDropped += this.#unwritten.takeAll().length;
  }

  #set(part: Partial<HostEnd>): void {
    this.#end = { ...this.#end, ...part };
    this.#changed?.(this.#end);
  }

  #flush(): void {
    if (this.#paused || this.#take === undefined || this.#unwritten.length === 0) return;
    const octets = this.#unwritten.takeAll();
    this.#counts.bytesOut += octets.length;
    this.#take(octets);
  }
}
