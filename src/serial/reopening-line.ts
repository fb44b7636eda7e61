/** A line that comes back: after a loss it is opened again, with growing pauses between the attempts. */
import type { Cancel, Scheduler } from '../base/clock.js';
import { isSluiceError, SluiceError } from '../base/errors.js';
import type { Line, LineInputs, LineListener, LineOutputs, LineStatistics } from './line.js';
import { openError, stalledError } from './line-errors.js';

export type LineState = 'closed' | 'opening' | 'open' | 'lost';

export interface ReopeningLineOptions {
  /** Makes the line for each attempt, not yet open. */
  readonly create: () => Line;
  readonly scheduler: Scheduler;
  /** The line is open, at first and after each loss. */
  readonly onOpen?: () => void;
  /** The line was lost; it is being opened again. */
  readonly onLost?: (error: SluiceError) => void;
  /** An attempt to reopen failed; the next follows after this pause. */
  readonly onRetry?: (error: SluiceError, pauseUs: number) => void;
  /** Pause before the first attempt after a loss; doubles with each failure. Default 0.25 s. */
  readonly firstPauseUs?: number;
  /** The longest pause. Default 5 s. */
  readonly longestPauseUs?: number;
  /**
   * A line that takes no octet for so long, though some wait (flow control that holds for ever, a peer that does not
   * read), counts as lost and is opened again. Default: it may stall for ever.
   */
  readonly stallUs?: number;
}

const FIRST_PAUSE_US = 250_000;
const LONGEST_PAUSE_US = 5_000_000;

export class ReopeningLine implements Line {
  readonly #options: ReopeningLineOptions;
  #line: Line;
  #listener: LineListener | undefined;
  #state: LineState = 'closed';
  #reopens = 0;
  #cancelRetry: Cancel | undefined;
  #stalls = 0;
  #cancelStallWatch: Cancel | undefined;
  /** Sums of the lines before the present one. */
  #earlier: LineStatistics = { bytesIn: 0, bytesOut: 0, bytesDropped: 0 };

  /** Asks `create` for the first line at once, so that a wrong LINE shows here. */
  constructor(options: ReopeningLineOptions) {
    this.#options = options;
    this.#line = options.create();
  }

  get path(): string {
    return this.#line.path;
  }

  get state(): LineState {
    return this.#state;
  }

  /** How often the line came back. */
  get reopens(): number {
    return this.#reopens;
  }

  /** How often the line took nothing for too long. */
  get stalls(): number {
    return this.#stalls;
  }

  get unwrittenBytes(): number {
    return this.#line.unwrittenBytes;
  }

  get statistics(): LineStatistics {
    const now = this.#line.statistics;
    return {
      bytesIn: this.#earlier.bytesIn + now.bytesIn,
      bytesOut: this.#earlier.bytesOut + now.bytesOut,
      bytesDropped: this.#earlier.bytesDropped + now.bytesDropped,
    };
  }

  /** The first opening is tried once. `listener.lost` is called at each loss, before `onLost`; data follow when the line is back. */
  async open(listener: LineListener): Promise<void> {
    if (this.#state !== 'closed') throw new SluiceError('internal', `${this.path} is open already`);
    this.#listener = listener;
    this.#state = 'opening';
    try {
      await this.#attempt(false);
    } catch (failure) {
      this.#state = 'closed';
      throw failure;
    }
  }

  write(octets: Uint8Array): void {
    this.#line.write(octets);
    if (this.#cancelStallWatch === undefined && this.#line.unwrittenBytes > 0) this.#watchStall();
  }

  pendingInputBytes(): number {
    return this.#state === 'open' ? this.#line.pendingInputBytes() : 0;
  }

  setOutputs(levels: LineOutputs): boolean {
    return this.#line.setOutputs?.(levels) ?? false;
  }

  setBaudRate(baudRate: number): boolean {
    return this.#line.setBaudRate?.(baudRate) ?? false;
  }

  inputs(): LineInputs | undefined {
    return this.#line.inputs?.();
  }

  watchInputs(changed: (inputs: LineInputs) => void): boolean {
    return this.#line.watchInputs?.(changed) ?? false;
  }

  drain(done: () => void): boolean {
    return this.#line.drain?.(done) ?? false;
  }

  /** Closes the line at once, as if it had been lost, and opens it again: what was written and is not taken is gone. */
  restart(error: SluiceError): void {
    if (this.#state !== 'open') return;
    void this.#line.close();
    this.#lose(error);
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#cancelRetry?.();
    this.#endStallWatch();
    await this.#line.close();
  }

  async #attempt(again: boolean): Promise<void> {
    const line = this.#line;
    let lostEarly: SluiceError | undefined;
    await line.open({
      data: (octets) => {
        if (line === this.#line) this.#listener?.data(octets);
      },
      drained: () => {
        if (line === this.#line) this.#listener?.drained?.();
      },
      lost: (error) => {
        if (line !== this.#line || this.#state === 'closed') return;
        if (this.#state === 'open') this.#lose(error);
        else lostEarly = error;
      },
    });
    // Closed while it was being opened.
    if (this.#stateNow() === 'closed') {
      await line.close();
      throw new SluiceError('line', `${this.path} was closed while it was being opened`, {
        subject: this.path,
        remedy: 'Open it again.',
      });
    }
    if (lostEarly !== undefined) throw lostEarly;
    this.#state = 'open';
    if (again) this.#reopens++;
    this.#options.onOpen?.();
  }

  /** Looks again after the whole time: whoever has taken an octet in it has not stalled. */
  #watchStall(): void {
    const { stallUs, scheduler } = this.#options;
    if (stallUs === undefined) return;
    const takenBytes = this.#line.statistics.bytesOut;
    this.#cancelStallWatch = scheduler.at(scheduler.nowUs() + stallUs, () => {
      this.#cancelStallWatch = undefined;
      if (this.#state !== 'open' || this.#line.unwrittenBytes === 0) return;
      if (this.#line.statistics.bytesOut > takenBytes) {
        this.#watchStall();
        return;
      }
      this.#stalls++;
      this.#lose(stalledError(this.path, stallUs));
    });
  }

  #endStallWatch(): void {
    this.#cancelStallWatch?.();
    this.#cancelStallWatch = undefined;
  }

  #lose(error: SluiceError): void {
    this.#state = 'lost';
    this.#endStallWatch();
    this.#listener?.lost(error);
    this.#options.onLost?.(error);
    // The listener may have closed the line.
    if (this.#stateNow() === 'lost') this.#retryAfter(this.#options.firstPauseUs ?? FIRST_PAUSE_US);
  }

  /** The state as it is after others have had their turn. */
  #stateNow(): LineState {
    return this.#state;
  }

  #retryAfter(pauseUs: number): void {
    const { scheduler } = this.#options;
    this.#cancelRetry = scheduler.at(scheduler.nowUs() + pauseUs, () => void this.#retry(pauseUs));
  }

  async #retry(pauseUs: number): Promise<void> {
    try {
      await this.#line.close();
      if (this.#state !== 'lost') return;
      const next = this.#options.create();
      this.#earlier = this.statistics;
      this.#line = next;
      await this.#attempt(true);
    } catch (failure) {
      if (this.#stateNow() !== 'lost') return;
      const error = isSluiceError(failure) ? failure : openError(this.path, failure);
      const nextUs = Math.min(2 * pauseUs, this.#options.longestPauseUs ?? LONGEST_PAUSE_US);
      this.#options.onRetry?.(error, nextUs);
      this.#retryAfter(nextUs);
    }
  }
}
