/** The line octets that the fuzzer sends up the whole way of reception: chance, and link frames that are more or less in order. */
import type { Random } from '../../src/base/random.js';
import { slipCodec } from '../../src/framing/slip.js';
import { encodeAggregate } from '../../src/wire/aggregate.js';
import { fragment } from '../../src/wire/fragment.js';
import {
  decodeLinkFrame,
  encodeLinkFrame,
  type LinkFrame,
  type LinkFrameType,
  SEQUENCES,
  setRetry,
} from '../../src/wire/link-frame.js';
import { BROADCAST } from '../../src/wire/packet.js';
import { CARRIED_MAX } from '../../src/wire/piggyback.js';
import { StreamMaker } from './fuzz-streams.js';

export const FUZZ_FCS_BYTES = 4;
const TYPES = [
  'ip',
  'arp',
  'ethernet',
  'aggregate',
  'fragment',
  'ack',
  'poll',
  'rts',
  'cts',
  'identification',
  'acks',
] as const;
const CARRIERS: ReadonlySet<LinkFrameType> = new Set(['ip', 'arp', 'ethernet', 'aggregate', 'fragment']);
const KINDS = ['ip', 'arp', 'ethernet'] as const;
const ARP_BYTES = 28;
const FRAGMENT_BODY_BYTES = 24;
const LONGEST_CUT_BYTES = 200;

/** Also where the type stands behind what comes along. */
function isFragment(frame: Uint8Array): boolean {
  const decoded = decodeLinkFrame(frame, FUZZ_FCS_BYTES);
  return typeof decoded !== 'string' && decoded.type === 'fragment';
}

export class FrameMaker {
  readonly #random: Random;
  readonly #maker: StreamMaker;
  readonly #codec = slipCodec({ maxFrameBytes: 2048 });
  readonly #fragments: boolean;
  #sequence = 0;
  #packetId = 0;
  /** What is left of a packet that goes out in fragments, and from whom. */
  #left: Uint8Array[] = [];
  #leftSource = 2;

  /** @param fragments whether there are any */
  constructor(random: Random, fragments: boolean) {
    this.#random = random;
    this.#fragments = fragments;
    this.#maker = new StreamMaker(random, [0xc0, 0xdb, 0xdc, 0xdd]);
  }

  /** Good until the next call. */
  stream(): Uint8Array {
    const word = this.#random.uint32();
    if ((word & 3) === 0) return this.#maker.octets();
    let frame = this.#frame();
    // A header that nobody would send, with a good check sequence.
    if (((word >>> 2) & 7) === 0) {
      const before = frame;
      frame = frame.slice();
      frame[(word >>> 5) & 3] = word >>> 8;
      frame = setRetry(frame, FUZZ_FCS_BYTES);
      if (!this.#fragments && isFragment(frame)) frame = before;
    }
    const line = this.#codec.encode(frame);
    if (((word >>> 16) & 3) === 0) this.#maker.mutate(line, 1 + ((word >>> 18) & 1));
    return line;
  }

  #frame(): Uint8Array {
    const word = this.#random.uint32();
    const { type, body } = this.#content();
    const isAnswer = type === 'ack' || type === 'poll' || type === 'rts' || type === 'cts' || type === 'acks';
    this.#sequence = (this.#sequence + 1) % SEQUENCES;
    const anybody = 1 + ((word >>> 3) % 254);
    const source = type === 'fragment' ? this.#leftSource : (word & 7) === 0 ? anybody : 2 + ((word >>> 3) & 3);
    const to = (word >>> 11) & 7;
    const everybody = type === 'identification' || (!isAnswer && to > 4);
    return encodeLinkFrame(
      {
        type,
        source,
        destination: everybody ? BROADCAST : to === 0 ? 7 : 1,
        sequence: (word >>> 14) & 1 ? this.#sequence : (word >>> 15) % SEQUENCES,
        behind: isAnswer || type === 'identification' ? 0 : (word >>> 20) & 7,
        more: ((word >>> 23) & 3) === 0,
        retry: ((word >>> 25) & 3) === 0,
        body,
        ...this.#along(type),
      },
      FUZZ_FCS_BYTES,
    );
  }

  #content(): { readonly type: LinkFrameType; readonly body: Uint8Array } {
    const word = this.#random.uint32();
    const type = TYPES[word % TYPES.length] ?? 'ip';
    const isInOrder = ((word >>> 8) & 1) === 1;
    switch (type) {
      case 'ack':
        return { type, body: isInOrder ? Uint8Array.of(0xfe & (word >>> 9)) : new Uint8Array(0) };
      case 'poll':
      case 'acks':
        return { type, body: new Uint8Array(0) };
      case 'rts':
      case 'cts':
        return { type, body: this.#maker.exactly(3).slice() };
      case 'arp':
        return { type, body: isInOrder ? this.#maker.exactly(ARP_BYTES).slice() : this.#some() };
      case 'ip': {
        const body = this.#some();
        if (isInOrder) body[0] = (word >>> 9) & 1 ? 0x45 : 0x60;
        return { type, body };
      }
      case 'aggregate':
        return { type, body: isInOrder ? this.#aggregate() : this.#some() };
      case 'fragment':
        if (!this.#fragments) return { type: 'ethernet', body: this.#some() };
        return { type, body: isInOrder ? this.#nextFragment() : this.#some() };
      default:
        return { type, body: this.#some() };
    }
  }

  /** Always with acks, and now and then with data. */
  #along(type: LinkFrameType): Pick<LinkFrame, 'piggyback'> {
    const word = this.#random.uint32();
    if (type !== 'acks' && (!CARRIERS.has(type) || (word & 7) !== 0)) return {};
    const acks = Array.from({ length: 1 + ((word >>> 3) % CARRIED_MAX) }, (_, index) => ({
      to: 1 + ((word >>> 6) & 3),
      next: (word >>> (8 + index)) % SEQUENCES,
      bitmap: (word >>> (16 + index)) & 0xfe,
    }));
    return { piggyback: { later: false, acks } };
  }

  /** At least one octet. */
  #some(): Uint8Array {
    const octets = this.#maker.octets();
    return octets.length === 0 ? new Uint8Array(1) : octets.slice();
  }

  #aggregate(): Uint8Array {
    const packets = Array.from({ length: 1 + (this.#random.uint32() % 3) }, () => ({
      kind: KINDS[this.#random.uint32() % KINDS.length] ?? 'ip',
      payload: this.#some(),
    }));
    return encodeAggregate(packets);
  }

  #nextFragment(): Uint8Array {
    const next = this.#left.shift();
    if (next !== undefined) return next;
    this.#leftSource = 2 + (this.#random.uint32() & 1);
    this.#packetId = (this.#packetId + 1) & 0xff;
    const payload = this.#maker.exactly(1 + (this.#random.uint32() % LONGEST_CUT_BYTES));
    const kind = KINDS[this.#random.uint32() % KINDS.length] ?? 'ip';
    this.#left = fragment(kind, payload, FRAGMENT_BODY_BYTES, this.#packetId) ?? [];
    return this.#left.shift() ?? new Uint8Array(1);
  }
}
