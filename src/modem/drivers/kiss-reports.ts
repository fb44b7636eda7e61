/**
 * How a KISS driver learns that a frame has left: by nothing but its model, by the echo of ACKMODE (G8BPQ), or by asking
 * Dire Wolf how many octets its queue holds. Each falls back on the model when the TNC does not answer.
 */
import type { Cancel, Scheduler } from '../../base/clock.js';
import { KISS_ACK_DATA, KISS_SET_HARDWARE, kissType } from '../../framing/kiss.js';

export interface KissReportsHost {
  readonly scheduler: Scheduler;
  readonly port: number;
  /** A command to the TNC. */
  send(type: number, payload: Uint8Array): void;
  /** The frame under way is over at this time, unless something else is said before. */
  reportAt(atUs: number): void;
  transmitting(): boolean;
}

/** A frame in the TNC's hands. */
export interface HeldFrame {
  readonly frame: Uint8Array;
  /** Before this it cannot be over: line, key-up and airtime, without any wait. */
  readonly earliestEndUs: number;
  /** With the wait that is to be expected. */
  readonly expectedEndUs: number;
  readonly airtimeUs: number;
  /** Part of it: the key is held so long after the last octet. */
  readonly tailUs: number;
  /** By this time even a busy channel should have let it go. */
  readonly patienceEndUs: number;
}

export interface KissReports {
  /** Type and payload for a data frame; undefined for the ordinary ones. */
  wrap(frame: Uint8Array): { readonly type: number; readonly payload: Uint8Array } | undefined;
  /** The frame was written. @returns when to report it if the TNC stays silent */
  written(held: HeldFrame): number;
  /** A frame from the TNC. @returns whether it was an answer, and no reception */
  take(type: number, payload: Uint8Array): boolean;
  stop(): void;
}

/** So many frames in a row without an answer, and the TNC is taken for one that never answers. */
const SILENT_FRAMES = 2;
/** A TNC that has never answered is asked for so long before a frame's fate is left to the model. */
const SILENCE_US = 1_000_000;
/** Identification octets stay below this, so that no escape is needed: some programs and TNCs forget it (linbpq). */
const ID_LIMIT = 0x7f;
/** An echo that comes this early has seen no air: it only says that the frame was taken (bpqvkiss). */
const EARLY_SHARE = 0.5;

const sameOctets = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

/** ACKMODE: data frames carry two octets that come back once the frame has left the antenna. */
export class AckModeReports implements KissReports {
  readonly #host: KissReportsHost;
  #id = 0;
  #held: HeldFrame | undefined;
  #writtenAtUs = 0;
  #unanswered = 0;

  constructor(host: KissReportsHost) {
    this.#host = host;
  }

  wrap(frame: Uint8Array): { readonly type: number; readonly payload: Uint8Array } | undefined {
    if (this.#held !== undefined) this.#unanswered++;
    this.#held = undefined;
    if (this.#unanswered >= SILENT_FRAMES) return undefined;
    this.#id = (this.#id % (ID_LIMIT * ID_LIMIT)) + 1;
    const payload = new Uint8Array(frame.length + 2);
    payload.set(this.#idOctets());
    payload.set(frame, 2);
    return { type: kissType(this.#host.port, KISS_ACK_DATA), payload };
  }

  written(held: HeldFrame): number {
    if (this.#unanswered >= SILENT_FRAMES) return held.expectedEndUs;
    this.#held = held;
    this.#writtenAtUs = this.#host.scheduler.nowUs();
    return held.patienceEndUs;
  }

  take(type: number, payload: Uint8Array): boolean {
    const isAck = type === kissType(this.#host.port, KISS_ACK_DATA);
    const held = this.#held;
    const id = this.#idOctets();
    const isOurs = held !== undefined && payload.length >= 2 && sameOctets(payload.subarray(0, 2), id);
    // Some give the whole frame back, as an echo or as if it had been heard.
    const isWhole = isOurs && sameOctets(payload.subarray(2), held.frame);
    if (!isAck && !isWhole) return false;
    // Late or not: this TNC does answer.
    this.#unanswered = 0;
    if (!isOurs || (payload.length > 2 && !isWhole)) return true;
    this.#held = undefined;
    const nowUs = this.#host.scheduler.nowUs();
    const isEarly = nowUs < this.#writtenAtUs + EARLY_SHARE * (held.earliestEndUs - this.#writtenAtUs);
    this.#host.reportAt(isEarly ? held.expectedEndUs : nowUs);
    return true;
  }

  stop(): void {
    this.#held = undefined;
    this.#unanswered = 0;
    this.#id = 0;
  }

  #idOctets(): Uint8Array {
    return Uint8Array.of(1 + ((this.#id - 1) % ID_LIMIT), 1 + Math.floor((this.#id - 1) / ID_LIMIT));
  }
}

const TXBUF = 'TXBUF:';

/** Dire Wolf: a frame is in the queue until it goes on the air. */
export class QueueReports implements KissReports {
  readonly #host: KissReportsHost;
  readonly #pollUs: number;
  #held: HeldFrame | undefined;
  #cancelPoll: Cancel | undefined;
  #askedSinceUs = 0;
  #lastWaitingUs = 0;
  #answers = false;
  #unanswered = 0;

  constructor(host: KissReportsHost, pollUs: number) {
    this.#host = host;
    this.#pollUs = pollUs;
  }

  wrap(): undefined {
    return undefined;
  }

  written(held: HeldFrame): number {
    this.#cancelPoll?.();
    if (!this.#answers && this.#unanswered >= SILENT_FRAMES) return held.expectedEndUs;
    this.#held = held;
    this.#askedSinceUs = this.#host.scheduler.nowUs();
    this.#lastWaitingUs = this.#askedSinceUs;
    this.#poll();
    return held.patienceEndUs;
  }

  take(type: number, payload: Uint8Array): boolean {
    if (type !== kissType(this.#host.port, KISS_SET_HARDWARE)) return false;
    const reply = String.fromCharCode(...payload.subarray(0, 32));
    if (!reply.startsWith(TXBUF)) return false;
    const waitingBytes = Number.parseInt(reply.slice(TXBUF.length), 10);
    const held = this.#held;
    if (Number.isNaN(waitingBytes) || held === undefined || !this.#host.transmitting()) return true;
    this.#answers = true;
    this.#unanswered = 0;
    const nowUs = this.#host.scheduler.nowUs();
    if (waitingBytes > 0) {
      this.#lastWaitingUs = nowUs;
      // However long others keep the channel: a second frame behind this one would only wait there too.
      this.#host.reportAt(nowUs + held.patienceEndUs - held.earliestEndUs);
      return true;
    }
    this.#held = undefined;
    this.#cancelPoll?.();
    // It went on the air at some time since the last answer. The next one may come during the tail: it cannot go out with
    // this one any more, and the TNC contends for it as soon as the key is up.
    const endUs = Math.max((this.#lastWaitingUs + nowUs) / 2 + held.airtimeUs, held.earliestEndUs);
    this.#host.reportAt(endUs - held.tailUs);
    return true;
  }

  stop(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
    this.#held = undefined;
    this.#answers = false;
    this.#unanswered = 0;
  }

  #poll(): void {
    const { scheduler, port } = this.#host;
    const held = this.#held;
    if (held === undefined || !this.#host.transmitting()) return;
    // One that did answer may be slow for once: its patience has an end of its own.
    if (!this.#answers && scheduler.nowUs() - this.#askedSinceUs >= SILENCE_US) {
      this.#held = undefined;
      this.#unanswered++;
      this.#host.reportAt(held.expectedEndUs);
      return;
    }
    this.#host.send(
      kissType(port, KISS_SET_HARDWARE),
      Uint8Array.from(TXBUF, (letter) => letter.charCodeAt(0)),
    );
    this.#cancelPoll = scheduler.at(scheduler.nowUs() + this.#pollUs, () => this.#poll());
  }
}
