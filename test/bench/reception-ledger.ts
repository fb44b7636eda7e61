/**
 * Where each octet from the line went, on the way of reception: discarded by the framing, lost with a frame or packet that
 * was dropped for a cause, used up by headers and by what stations say to each other, or written to the TAP. It listens
 * at both ends of the MAC and says itself what should have come of each frame; where that differs, `wrong` is counted.
 */

import { crc16X25 } from '../../src/base/crc.js';
import type { DropCause } from '../../src/base/drops.js';
import { sameOctets } from '../../src/base/octets.js';
import type { AirTap, Heard } from '../../src/mac/air-tap.js';
import { decodeAggregate } from '../../src/wire/aggregate.js';
import { decodeLinkFrame, LINK_HEADER_BYTES, type LinkFrame } from '../../src/wire/link-frame.js';
import { BROADCAST, type InboundPacket } from '../../src/wire/packet.js';
import { piggybackBytes } from '../../src/wire/piggyback.js';

const FCS_BYTES = 4;
/** Octets in front of each packet of an aggregate, of each fragment; around a packet that was cut into fragments. */
const AGGREGATED_HEADER_BYTES = 2;
const FRAGMENT_HEADER_BYTES = 2;
const FRAGMENTED_AROUND_BYTES = 3;
const ETHERNET_HEADER_BYTES = 14;
const KINDS = ['', 'ip', 'arp', 'ethernet'];
const DATA: ReadonlySet<string> = new Set(['ip', 'arp', 'ethernet', 'aggregate', 'fragment']);

/** A data frame that was accepted, and whose content has not gone up yet. */
interface OpenFrame {
  readonly frame: LinkFrame;
  /** Octets of its body that have gone up, or are accounted for as headers. */
  done: number;
  readonly isMalformed: boolean;
}

interface Partial {
  readonly id: number;
  readonly parts: Uint8Array[];
  octets: number;
  lastUs: number;
}

export class ReceptionLedger implements AirTap {
  /** Octets by what became of them; causes of drops stand under their own names. */
  readonly octets: Record<string, number> = {};
  frames = 0;
  /** Frames that were not for us; own ones heard back. */
  overheard = 0;
  echoes = 0;
  packets = 0;
  wrong = 0;
  readonly #patienceUs: number;
  readonly #nowUs: () => number;
  readonly #open: OpenFrame[] = [];
  readonly #partials = new Map<number, Partial>();
  /** By source, the data frame that came last. */
  readonly #last = new Map<number, LinkFrame>();
  #current: OpenFrame | null = null;
  #currentBytes = 0;
  /** What is to be dropped, and goes up, in this call. */
  readonly #expected: DropCause[] = [];
  #expectedWhole: Uint8Array | null = null;
  /** A drop that only `heard` can explain. */
  #unheard: DropCause | null = null;
  #within = false;

  /** @param patienceUs after which fragments are given up */
  constructor(nowUs: () => number, patienceUs: number) {
    this.#nowUs = nowUs;
    this.#patienceUs = patienceUs;
  }

  /** All octets that have come to an end. */
  get accounted(): number {
    return Object.values(this.octets).reduce((sum, octets) => sum + octets, 0);
  }

  /** Octets of frames that wait for what is missing. */
  get waiting(): number {
    const open = this.#open.reduce((sum, { frame, done }) => sum + frame.body.length - done, 0);
    return [...this.#partials.values()].reduce((sum, { octets }) => sum + octets, open);
  }

  add(what: string, octets: number): void {
    this.octets[what] = (this.octets[what] ?? 0) + octets;
  }

  // ---- at the modem's end -------------------------------------------------------------------------------------------

  discarded(cause: DropCause, octets: number): void {
    this.add(cause, octets);
    this.#within = true;
    this.#expected.push(cause);
  }

  /** After what `discarded` or `received` has told of. */
  settle(): void {
    this.wrong += this.#expected.length + (this.#expectedWhole === null ? 0 : 1) + (this.#unheard === null ? 0 : 1);
    this.#unheard = null;
    this.#expected.length = 0;
    this.#expectedWhole = null;
    this.#within = false;
  }

  received(octets: Uint8Array): void {
    this.#within = true;
    this.frames++;
    this.#currentBytes = octets.length;
    this.#current = null;
    const frame = decodeLinkFrame(octets, FCS_BYTES);
    if (typeof frame === 'string') {
      this.#expected.push(frame);
      return;
    }
    const isMalformed = frame.type === 'aggregate' && decodeAggregate(frame.body) === null;
    this.#current = { frame, done: 0, isMalformed };
    if (frame.source === 1 || (frame.destination !== 1 && frame.destination !== BROADCAST)) return;
    if (!DATA.has(frame.type)) return;
    const isAgain = this.#isAgain(frame);
    if (frame.type !== 'fragment') this.#open.push(this.#current);
    else if (!isAgain) this.#fragment(frame);
  }

  heard(outcome: Heard): void {
    const current = this.#current;
    if (outcome === 'accepted' && current !== null) {
      const { piggyback } = current.frame;
      const alongBytes = piggyback === undefined ? 0 : piggybackBytes(piggyback);
      this.add('link headers', LINK_HEADER_BYTES + alongBytes + FCS_BYTES);
      if (!DATA.has(current.frame.type)) this.add('control', current.frame.body.length);
      return;
    }
    if (outcome === 'rx-own-address' || outcome === 'rx-duplicate') {
      if (this.#unheard !== outcome) this.wrong++;
      this.#unheard = null;
    }
    if (outcome === 'overheard') this.overheard++;
    if (outcome === 'echo') this.echoes++;
    this.add(outcome, this.#currentBytes);
    const at = current === null ? -1 : this.#open.indexOf(current);
    if (at >= 0) this.#open.splice(at, 1);
  }

  transmitting(): void {}
  transmitted(): void {}
  settled(): void {}

  // ---- at the upper end ---------------------------------------------------------------------------------------------

  drop(cause: DropCause): void {
    if (this.#within && this.#expected[0] === cause) {
      this.#expected.shift();
      return;
    }
    // Told by `heard`, with its octets.
    if (this.#within && this.#unheard === null && (cause === 'rx-own-address' || cause === 'rx-duplicate')) {
      this.#unheard = cause;
      return;
    }
    if (cause === 'rx-malformed') this.#malformed();
    else if (cause === 'rx-fragment' && !this.#within) this.#expired();
    else this.wrong++;
  }

  delivered(packet: InboundPacket): void {
    this.packets++;
    const whole = this.#expectedWhole;
    if (whole !== null && packet.kind === KINDS[whole[0] ?? 0] && sameOctets(packet.payload, whole.subarray(1, -2))) {
      this.#expectedWhole = null;
      this.add('fragment headers', FRAGMENTED_AROUND_BYTES);
      return;
    }
    const { payload } = packet;
    const at = this.#open.findIndex(({ frame: { body }, done }) => {
      const start = body.byteOffset + done;
      return payload.buffer === body.buffer && payload.byteOffset >= start && payload.byteOffset <= start + 2;
    });
    const open = this.#open[at];
    if (open === undefined) {
      this.wrong++;
      return;
    }
    const headerBytes = open.frame.type === 'aggregate' ? AGGREGATED_HEADER_BYTES : 0;
    this.add('aggregate headers', headerBytes);
    open.done += headerBytes + payload.length;
    if (headerBytes === 0 && open.done !== open.frame.body.length) this.wrong++;
    if (open.done >= open.frame.body.length) this.#open.splice(at, 1);
  }

  /** What decapsulation made of a packet. */
  decapsulated({ kind, payload }: InboundPacket, result: Uint8Array | DropCause): void {
    if (typeof result === 'string') {
      this.add(result, payload.length);
      return;
    }
    this.add('to the TAP', payload.length);
    if (!sameOctets(kind === 'ethernet' ? result : result.subarray(ETHERNET_HEADER_BYTES), payload)) this.wrong++;
  }

  // ---- what should come of it ---------------------------------------------------------------------------------------

  /** Whether a fragment is the last frame, sent again: they are not acknowledged here. */
  #isAgain(frame: LinkFrame): boolean {
    const { source, type, destination, sequence, retry, body } = frame;
    const before = this.#last.get(source);
    this.#last.set(source, frame);
    if (before === undefined || (destination === BROADCAST && !retry)) return false;
    const isSameFrame = before.type === type && before.destination === destination && before.sequence === sequence;
    return isSameFrame && sameOctets(before.body, body);
  }

  #fragment({ source, destination, body }: LinkFrame): void {
    const [id = 0, control = 0] = body;
    const dataBytes = body.length - FRAGMENT_HEADER_BYTES;
    if (dataBytes <= 0) {
      this.#lose('rx-truncated', body.length);
      return;
    }
    this.add('fragment headers', FRAGMENT_HEADER_BYTES);
    const nowUs = this.#nowUs();
    const key = source * 2 + (destination === BROADCAST ? 1 : 0);
    let partial = this.#partials.get(key);
    const isStale = partial !== undefined && nowUs - partial.lastUs > this.#patienceUs;
    if (partial !== undefined && (isStale || partial.id !== id || (control & 0x7f) !== partial.parts.length)) {
      this.#partials.delete(key);
      this.#lose('rx-fragment', partial.octets);
      partial = undefined;
    }
    if (partial === undefined && (control & 0x7f) !== 0) {
      this.#lose('rx-fragment', dataBytes);
      return;
    }
    partial ??= { id, parts: [], octets: 0, lastUs: nowUs };
    partial.parts.push(body.subarray(FRAGMENT_HEADER_BYTES));
    partial.octets += dataBytes;
    partial.lastUs = nowUs;
    this.#partials.set(key, partial);
    if (control < 0x80) return;
    this.#partials.delete(key);
    const whole = Uint8Array.from(partial.parts.flatMap((part) => [...part]));
    const kind = whole[0] ?? 0;
    if (whole.length < FRAGMENTED_AROUND_BYTES + 1 || kind < 1 || kind > 3) this.#lose('rx-malformed', whole.length);
    else if (crc16X25(whole.subarray(0, -2)) !== (whole.at(-2) ?? 0) + 256 * (whole.at(-1) ?? 0)) {
      this.#lose('rx-fragment', whole.length);
    } else this.#expectedWhole = whole;
  }

  #lose(cause: DropCause, octets: number): void {
    this.add(cause, octets);
    this.#expected.push(cause);
  }

  /** An aggregate that contradicts itself, now that its turn has come. */
  #malformed(): void {
    const at = this.#open.findIndex(({ isMalformed }) => isMalformed);
    const [open] = at < 0 ? [] : this.#open.splice(at, 1);
    if (open === undefined) this.wrong++;
    else this.add('rx-malformed', open.frame.body.length);
  }

  #expired(): void {
    const nowUs = this.#nowUs();
    const [key, partial] = [...this.#partials].find(([, { lastUs }]) => nowUs - lastUs > this.#patienceUs) ?? [];
    if (key === undefined || partial === undefined) {
      this.wrong++;
      return;
    }
    this.#partials.delete(key);
    this.add('rx-fragment', partial.octets);
  }
}
