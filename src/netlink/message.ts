/**
 * Netlink messages as octets (RFC 3549, section 2.3; include/uapi/linux/netlink.h): a writer, and a reader that never
 * looks past the end of what it was given. Integers are in the host's order, as netlink has them.
 */

import { SluiceError } from '../base/errors.js';
import { ATTRIBUTE_HEADER_BYTES, ATTRIBUTE_TYPE_MASK, NLMSG_HEADER_BYTES } from './constants.js';

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const SEQUENCE_OFFSET = 8;

/** Messages and attributes begin at multiples of four octets. */
export function align(length: number): number {
  return 4 * Math.ceil(length / 4);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Builds one message; call `finish` last. */
export class MessageWriter {
  #bytes = new Uint8Array(256);
  #view = viewOf(this.#bytes);
  #length = NLMSG_HEADER_BYTES;

  constructor(type: number, flags: number) {
    this.#view.setUint16(4, type, LITTLE_ENDIAN);
    this.#view.setUint16(6, flags, LITTLE_ENDIAN);
  }

  u8(value: number): this {
    const offset = this.#reserve(1);
    this.#view.setUint8(offset, value);
    return this;
  }

  u16(value: number): this {
    const offset = this.#reserve(2);
    this.#view.setUint16(offset, value, LITTLE_ENDIAN);
    return this;
  }

  /** Also for signed values: the octets are the same. */
  u32(value: number): this {
    const offset = this.#reserve(4);
    this.#view.setUint32(offset, value, LITTLE_ENDIAN);
    return this;
  }

  octets(value: Uint8Array): this {
    const offset = this.#reserve(value.length);
    this.#bytes.set(value, offset);
    return this;
  }

  /** An attribute whose value `fill` writes: plain values, or further attributes. */
  attribute(type: number, fill: () => void): this {
    const start = this.#reserve(ATTRIBUTE_HEADER_BYTES);
    fill();
    const length = this.#length - start;
    this.#view.setUint16(start, length, LITTLE_ENDIAN);
    this.#view.setUint16(start + 2, type, LITTLE_ENDIAN);
    this.#reserve(align(length) - length);
    return this;
  }

  attributeU32(type: number, value: number): this {
    return this.attribute(type, () => this.u32(value));
  }

  attributeOctets(type: number, value: Uint8Array): this {
    return this.attribute(type, () => this.octets(value));
  }

  /** A string attribute, with its closing NUL. */
  attributeString(type: number, value: string): this {
    return this.attribute(type, () => this.octets(new TextEncoder().encode(value)).u8(0));
  }

  /** The message; `sequence` ties the replies to it. */
  finish(sequence: number): Uint8Array {
    this.#view.setUint32(0, this.#length, LITTLE_ENDIAN);
    const message = this.#bytes.slice(0, this.#length);
    setSequence(message, sequence);
    return message;
  }

  /** Room for `length` octets; may replace the buffer, so take the offset before touching the view. */
  #reserve(length: number): number {
    const offset = this.#length;
    if (offset + length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (offset + length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = viewOf(larger);
    }
    this.#length = offset + length;
    return offset;
  }
}

/** Renumbers a finished message, so that it can be sent again without being built again. */
export function setSequence(message: Uint8Array, sequence: number): void {
  for (let i = 0; i < 4; i++) {
    const shift = LITTLE_ENDIAN ? 8 * i : 24 - 8 * i;
    message[SEQUENCE_OFFSET + i] = (sequence >>> shift) & 0xff;
  }
}

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** What follows the header. */
  readonly payload: Uint8Array;
}

function malformed(what: string): SluiceError {
  return new SluiceError('system', `malformed netlink reply: ${what}`, {
    remedy: 'This is a fault of the kernel interface; please report it with the kernel version.',
    call: 'netlink',
  });
}

/**
 * Splits a datagram into its messages. Throws SluiceError `system` where a length points outside of the octets given.
 */
export function parseMessages(octets: Uint8Array): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  const view = viewOf(octets);
  let offset = 0;
  while (offset < octets.length) {
    const left = octets.length - offset;
    if (left < NLMSG_HEADER_BYTES) throw malformed(`${left} octets where a message header should be`);
    const length = view.getUint32(offset, LITTLE_ENDIAN);
    if (length < NLMSG_HEADER_BYTES || length > left) throw malformed(`message of ${length} octets in ${left}`);
    messages.push({
      type: view.getUint16(offset + 4, LITTLE_ENDIAN),
      flags: view.getUint16(offset + 6, LITTLE_ENDIAN),
      sequence: view.getUint32(offset + SEQUENCE_OFFSET, LITTLE_ENDIAN),
      payload: octets.subarray(offset + NLMSG_HEADER_BYTES, offset + length),
    });
    offset += align(length);
  }
  return messages;
}

/** Values of a message or an attribute, each read checked against its end. */
export class OctetReader {
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;

  /** `what` names the structure in errors. */
  constructor(octets: Uint8Array, what: string) {
    this.#octets = octets;
    this.#view = viewOf(octets);
    this.#what = what;
  }

  get length(): number {
    return this.#octets.length;
  }

  u8(offset: number): number {
    return this.#view.getUint8(this.#checked(offset, 1));
  }

  u16(offset: number): number {
    return this.#view.getUint16(this.#checked(offset, 2), LITTLE_ENDIAN);
  }

  u32(offset: number): number {
    return this.#view.getUint32(this.#checked(offset, 4), LITTLE_ENDIAN);
  }

  i32(offset: number): number {
    return this.#view.getInt32(this.#checked(offset, 4), LITTLE_ENDIAN);
  }

  /** A counter of 64 bits; exact up to 2^53. */
  u64(offset: number): number {
    return Number(this.#view.getBigUint64(this.#checked(offset, 8), LITTLE_ENDIAN));
  }

  /** Text up to the first NUL, or to the end. */
  text(): string {
    const end = this.#octets.indexOf(0);
    return new TextDecoder().decode(end < 0 ? this.#octets : this.#octets.subarray(0, end));
  }

  octets(): Uint8Array {
    return this.#octets.slice();
  }

  /** The attributes from `offset` on, by type; where a type occurs twice, the last counts. */
  attributes(offset = 0): ReadonlyMap<number, OctetReader> {
    const found = new Map<number, OctetReader>();
    let at = this.#checked(offset, 0);
    while (at < this.length) {
      const length = this.u16(at);
      const type = this.u16(at + 2) & ATTRIBUTE_TYPE_MASK;
      if (length < ATTRIBUTE_HEADER_BYTES) throw malformed(`attribute ${type} of ${length} octets in ${this.#what}`);
      const start = this.#checked(at + ATTRIBUTE_HEADER_BYTES, length - ATTRIBUTE_HEADER_BYTES);
      found.set(type, new OctetReader(this.#octets.subarray(start, at + length), `${this.#what}, attribute ${type}`));
      at += align(length);
    }
    return found;
  }

  #checked(offset: number, length: number): number {
    if (offset + length > this.length) {
      throw malformed(`${this.#what} ends at ${this.length}, ${offset + length} octets were expected`);
    }
    return offset;
  }
}
