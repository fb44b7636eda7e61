/** Several short packets to one receiver in one link frame. Layout in link-frame.md. */
import type { PayloadKind } from './packet.js';

export const AGGREGATE_HEADER_BYTES = 2;
/** Twelve bits of length. */
export const AGGREGATED_MAX_BYTES = 0x0fff;

export type AggregableKind = Exclude<PayloadKind, 'raw'>;

export interface Aggregated {
  readonly kind: AggregableKind;
  readonly payload: Uint8Array;
}

const KIND_CODES: Readonly<Record<AggregableKind, number>> = { ip: 1, arp: 2, ethernet: 3 };
const KINDS_BY_CODE: readonly (AggregableKind | undefined)[] = [undefined, 'ip', 'arp', 'ethernet'];
const KIND_SHIFT = 4;

/** Octets that a packet takes in an aggregate. */
export function aggregatedBytes(payload: Uint8Array): number {
  return AGGREGATE_HEADER_BYTES + payload.length;
}

/** The body of an aggregate; each payload has 1 to AGGREGATED_MAX_BYTES octets. */
export function encodeAggregate(packets: readonly Aggregated[]): Uint8Array {
  const body = new Uint8Array(packets.reduce((sum, { payload }) => sum + aggregatedBytes(payload), 0));
  let at = 0;
  for (const { kind, payload } of packets) {
    body[at] = (KIND_CODES[kind] << KIND_SHIFT) | (payload.length >>> 8);
    body[at + 1] = payload.length & 0xff;
    body.set(payload, at + AGGREGATE_HEADER_BYTES);
    at += aggregatedBytes(payload);
  }
  return body;
}

/** The packets of an aggregate, as views into its body; null when it contradicts itself. */
export function decodeAggregate(body: Uint8Array): Aggregated[] | null {
  const packets: Aggregated[] = [];
  let at = 0;
  while (at < body.length) {
    const [first = 0, second] = body.subarray(at, at + AGGREGATE_HEADER_BYTES);
    const kind = KINDS_BY_CODE[first >>> KIND_SHIFT];
    if (kind === undefined || second === undefined) return null;
    const start = at + AGGREGATE_HEADER_BYTES;
    const length = ((first & 0x0f) << 8) | second;
    if (length === 0 || start + length > body.length) return null;
    packets.push({ kind, payload: body.subarray(start, start + length) });
    at = start + length;
  }
  return packets;
}
