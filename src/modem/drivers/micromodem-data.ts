/** How a link frame travels in the frames of a Micro-Modem packet: behind a count of its octets, in chunks, as hex. */

const ONE_OCTET_COUNTS = 256;

/** Octets of the count, for packets of so much room. */
export function countOctets(roomBytes: number): number {
  return roomBytes <= ONE_OCTET_COUNTS ? 1 : 2;
}

/** Count and frame; `even`: with an octet of padding if needed (firmware before 2.0.35490 loses the last of an odd number). */
export function countedFrame(frame: Uint8Array, countBytes: number, even: boolean): Uint8Array {
  const bytes = countBytes + frame.length;
  const counted = new Uint8Array(even ? bytes + (bytes & 1) : bytes);
  if (countBytes === 2) counted[0] = frame.length >> 8;
  counted[countBytes - 1] = frame.length & 0xff;
  counted.set(frame, countBytes);
  return counted;
}

export function chunksOf(octets: Uint8Array, chunkBytes: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < octets.length; at += chunkBytes) chunks.push(octets.subarray(at, at + chunkBytes));
  return chunks;
}

export function toHex(octets: Uint8Array): string {
  let text = '';
  for (const octet of octets) text += octet.toString(16).toUpperCase().padStart(2, '0');
  return text;
}

/** Nothing if the text is not pairs of hexadecimal digits. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9A-Fa-f]*$/.test(text)) return new Uint8Array(0);
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** The octets of a CARDP's two fields, `check;count;hex` for each frame; undefined if a check is 0 or a count wrong. */
export function flexibleData(mini: string, data: string): Uint8Array | undefined {
  const parts: number[] = [];
  for (const field of [mini, data]) {
    if (field === '') continue;
    const items = field.split(';');
    for (let at = 0; at + 2 < items.length; at += 3) {
      const octets = fromHex(items[at + 2] ?? '');
      if (items[at] !== '1' || octets.length !== Number(items[at + 1])) return undefined;
      parts.push(...octets);
    }
  }
  return Uint8Array.from(parts);
}

/** Puts the frames of one packet together. */
export class Reassembly {
  readonly #countBytes: number;
  readonly #complete: (frame: Uint8Array) => void;
  #octets: number[] = [];
  #next = 1;
  #isBroken = false;

  constructor(countBytes: number, complete: (frame: Uint8Array) => void) {
    this.#countBytes = countBytes;
    this.#complete = complete;
  }

  /** One frame of the packet; `number` counts from 1. */
  add(number: number, octets: Uint8Array): void {
    if (number === 1) this.reset();
    if (number !== this.#next || octets.length === 0) {
      this.#isBroken = true;
      return;
    }
    this.#next++;
    this.#octets.push(...octets);
    const [first = 0, second = 0] = this.#octets;
    const bytes = this.#countBytes === 2 ? first * 256 + second : first;
    if (this.#isBroken || this.#octets.length < this.#countBytes + bytes) return;
    const frame = Uint8Array.from(this.#octets.slice(this.#countBytes, this.#countBytes + bytes));
    this.#octets = [];
    this.#next = Number.POSITIVE_INFINITY;
    if (frame.length > 0) this.#complete(frame);
  }

  /** Starts afresh. @returns whether something unfinished was thrown away */
  reset(): boolean {
    const lost = this.#isBroken || this.#octets.length > 0;
    this.#octets = [];
    this.#next = 1;
    this.#isBroken = false;
    return lost;
  }
}
