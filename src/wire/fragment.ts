/**
 * Fragmentation below IP: a packet that is longer than the modem takes goes as several link frames, in order. Layout in
 * link-frame.md. The whole is checked by itself, so that fragments of two packets never become one.
 */
import { crc16X25 } from '../base/crc.js';
import type { DropCause } from '../base/drops.js';
import type { PayloadKind, Station } from './packet.js';

export const FRAGMENT_HEADER_BYTES = 2;
/** Kind in front of the packet, CRC-16 behind it. */
export const FRAGMENT_TRAILER_BYTES = 3;
/** Seven bits of index. */
export const FRAGMENTS_MAX = 128;

const LAST_BIT = 0x80;
const INDEX_MASK = 0x7f;

type FragmentableKind = Exclude<PayloadKind, 'raw'>;
const KIND_CODES: Readonly<Record<FragmentableKind, number>> = { ip: 1, arp: 2, ethernet: 3 };
const KINDS_BY_CODE: readonly (FragmentableKind | undefined)[] = [undefined, 'ip', 'arp', 'ethernet'];

export interface Reassembled {
  readonly kind: FragmentableKind;
  readonly payload: Uint8Array;
}

/** How many fragments a packet makes, in link frames with bodies of at most `bodyBytes`. */
export function fragmentCount(payloadBytes: number, bodyBytes: number): number {
  return Math.ceil((payloadBytes + FRAGMENT_TRAILER_BYTES) / (bodyBytes - FRAGMENT_HEADER_BYTES));
}

/**
 * The bodies of the fragments of one packet.
 * @param id counts the packets of this sender, modulo 256
 * @returns undefined when it would take more than FRAGMENTS_MAX
 */
export function fragment(
  kind: FragmentableKind,
  payload: Uint8Array,
  bodyBytes: number,
  id: number,
): Uint8Array[] | undefined {
  const dataBytes = bodyBytes - FRAGMENT_HEADER_BYTES;
  if (dataBytes < 1) return undefined;
  const count = fragmentCount(payload.length, bodyBytes);
  if (count > FRAGMENTS_MAX) return undefined;
  const whole = new Uint8Array(payload.length + FRAGMENT_TRAILER_BYTES);
  whole[0] = KIND_CODES[kind];
  whole.set(payload, 1);
  const check = crc16X25(whole.subarray(0, payload.length + 1));
  whole[whole.length - 2] = check & 0xff;
  whole[whole.length - 1] = check >>> 8;
  return Array.from({ length: count }, (_, index) => {
    const data = whole.subarray(index * dataBytes, (index + 1) * dataBytes);
    const body = new Uint8Array(FRAGMENT_HEADER_BYTES + data.length);
    body[0] = id & 0xff;
    body[1] = index | (index === count - 1 ? LAST_BIT : 0);
    body.set(data, FRAGMENT_HEADER_BYTES);
    return body;
  });
}

interface Partial {
  readonly id: number;
  readonly parts: Uint8Array[];
  octets: number;
  lastUs: number;
}

/** Puts fragments together again, one packet at a time for each sender; bounded by their number, and in time. */
export class Reassembler {
  readonly #partials = new Map<number, Partial>();
  readonly #timeoutUs: number;

  /** @param timeoutUs a packet whose fragments stay away for longer is given up */
  constructor(timeoutUs: number) {
    this.#timeoutUs = timeoutUs;
  }

  /**
   * Takes a fragment, in the order in which they were sent. Gives the packet when it is whole, null while it is not, and
   * the cause when something had to be dropped; `dropped` is called for an earlier packet that this fragment gave up.
   */
  take(
    source: Station,
    broadcast: boolean,
    body: Uint8Array,
    nowUs: number,
    dropped: (cause: DropCause) => void,
  ): Reassembled | DropCause | null {
    const [id, control] = body;
    if (id === undefined || control === undefined || body.length === FRAGMENT_HEADER_BYTES) return 'rx-truncated';
    const key = source * 2 + (broadcast ? 1 : 0);
    const index = control & INDEX_MASK;
    let partial = this.#partials.get(key);
    const stale = partial !== undefined && nowUs - partial.lastUs > this.#timeoutUs;
    if (partial !== undefined && (stale || partial.id !== id || index !== partial.parts.length)) {
      this.#partials.delete(key);
      dropped('rx-fragment');
      partial = undefined;
    }
    if (partial === undefined) {
      if (index !== 0) return 'rx-fragment';
      partial = { id, parts: [], octets: 0, lastUs: nowUs };
      this.#partials.set(key, partial);
    }
    partial.parts.push(body.subarray(FRAGMENT_HEADER_BYTES));
    partial.octets += body.length - FRAGMENT_HEADER_BYTES;
    partial.lastUs = nowUs;
    if ((control & LAST_BIT) === 0) return null;
    this.#partials.delete(key);
    return whole(partial);
  }

  get waiting(): boolean {
    return this.#partials.size > 0;
  }

  /** Gives up packets whose fragments stay away. */
  expire(nowUs: number, dropped: (cause: DropCause) => void): void {
    for (const [key, partial] of this.#partials) {
      if (nowUs - partial.lastUs <= this.#timeoutUs) continue;
      this.#partials.delete(key);
      dropped('rx-fragment');
    }
  }
}

function whole({ parts, octets }: Partial): Reassembled | DropCause {
  const joined = new Uint8Array(octets);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  const kind = KINDS_BY_CODE[joined[0] ?? 0];
  const end = octets - 2;
  if (kind === undefined || end < 2) return 'rx-malformed';
  const check = (joined[end] ?? 0) | ((joined[end + 1] ?? 0) << 8);
  if (check !== crc16X25(joined.subarray(0, end))) return 'rx-fragment';
  return { kind, payload: joined.subarray(1, end) };
}
