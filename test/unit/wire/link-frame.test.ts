/** The link frame: the vectors of its document, and what must hold for every frame and for any octets. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/base/errors.js';
import { SluiceEncapsulation } from '../../../src/wire/encapsulation.js';
import {
  decodeLinkFrame,
  decodeReservation,
  encodeLinkFrame,
  encodeReservation,
  type FcsBytes,
  LINK_HEADER_BYTES,
  type LinkFrame,
  type LinkFrameType,
  setRetry,
} from '../../../src/wire/link-frame.js';
import { BROADCAST } from '../../../src/wire/packet.js';
import { CARRIED_MAX, type Piggyback, piggybackBytes } from '../../../src/wire/piggyback.js';
import { hex } from './frames.js';

const FCS_SIZES: readonly FcsBytes[] = [0, 2, 4];
const TYPES: readonly LinkFrameType[] = [
  ...(['ip', 'arp', 'ethernet', 'ack', 'fragment', 'aggregate', 'poll', 'rts', 'cts', 'identification'] as const),
  'acks',
];

type Vector = ReadonlyMap<string, string>;

const document = readFileSync(new URL('../../../src/wire/link-frame.md', import.meta.url), 'utf8');
const vectors: readonly Vector[] = [...document.matchAll(/^```vector\n(.*?)^```$/gms)].map(
  ([, block = '']) => new Map([...block.matchAll(/^(\w+): ?(.*)$/gm)].map(([, key = '', value = '']) => [key, value])),
);
const goodVectors = vectors.filter((vector) => vector.has('type'));
const badVectors = vectors.filter((vector) => vector.has('drop'));

function field(vector: Vector, key: string): string {
  const value = vector.get(key);
  if (value === undefined) throw new Error(`vector "${vector.get('title')}" lacks ${key}`);
  return value;
}

function fcsOf(vector: Vector): FcsBytes {
  const size = FCS_SIZES.find((bytes) => String(bytes) === field(vector, 'fcs'));
  if (size === undefined) throw new Error(`fcs ${field(vector, 'fcs')}`);
  return size;
}

function frameOf(vector: Vector): LinkFrame {
  const type = TYPES.find((name) => name === field(vector, 'type'));
  if (type === undefined) throw new Error(`type ${field(vector, 'type')}`);
  const octets = hex(field(vector, 'octets'));
  return {
    type,
    destination: Number(field(vector, 'destination')),
    source: Number(field(vector, 'source')),
    sequence: Number(field(vector, 'sequence')),
    behind: Number(field(vector, 'behind')),
    more: field(vector, 'more') === '1',
    retry: field(vector, 'retry') === '1',
    body: vector.has('body')
      ? hex(field(vector, 'body'))
      : octets.slice(LINK_HEADER_BYTES, octets.length - fcsOf(vector)),
    ...(vector.has('later') ? { piggyback: piggybackOf(vector) } : {}),
  };
}

function piggybackOf(vector: Vector): Piggyback {
  const acks = field(vector, 'acks')
    .split(', ')
    .filter((ack) => ack !== '')
    .map((ack) => {
      const [to = 0, next = 0, bitmap = 0] = ack.split(' ').map(Number);
      return { to, next, bitmap };
    });
  return { later: field(vector, 'later') === '1', acks };
}

const fcsBytes = fc.constantFrom(...FCS_SIZES);
const station = fc.integer({ min: 1, max: 254 });
const common = { source: station, sequence: fc.nat(31), behind: fc.nat(7), more: fc.boolean(), retry: fc.boolean() };
const carriedAcks = fc.array(
  fc.record({ to: station, next: fc.nat(31), bitmap: fc.nat(127).map((bits) => bits << 1) }),
  { minLength: 1, maxLength: CARRIED_MAX },
);
const linkFrame: fc.Arbitrary<LinkFrame> = fc.oneof(
  fc.record({
    ...common,
    type: fc.constantFrom<LinkFrameType>('ip', 'arp', 'ethernet', 'fragment', 'aggregate'),
    destination: station,
    body: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    piggyback: carriedAcks.map((acks) => ({ later: false, acks })),
  }),
  fc.record({
    ...common,
    type: fc.constant<LinkFrameType>('ip'),
    destination: station,
    more: fc.constant(false),
    body: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    piggyback: fc.option(carriedAcks, { nil: [] }).map((acks) => ({ later: true, acks })),
  }),
  fc.record({
    ...common,
    type: fc.constant<LinkFrameType>('acks'),
    destination: station,
    behind: fc.constant(0),
    body: fc.constant(new Uint8Array(0)),
    piggyback: carriedAcks.map((acks) => ({ later: false, acks })),
  }),
  fc.record({
    ...common,
    type: fc.constantFrom<LinkFrameType>('ip', 'arp', 'ethernet', 'fragment', 'aggregate'),
    destination: fc.integer({ min: 1, max: 255 }),
    body: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  }),
  fc.record({
    ...common,
    type: fc.constant<LinkFrameType>('ack'),
    destination: station,
    behind: fc.constant(0),
    body: fc.oneof(
      fc.constant(new Uint8Array(0)),
      fc.nat(127).map((bits) => Uint8Array.of(bits << 1)),
    ),
  }),
  fc.record({
    ...common,
    type: fc.constantFrom<LinkFrameType>('rts', 'cts'),
    destination: station,
    behind: fc.constant(0),
    body: fc.nat(200_000_000).map(encodeReservation),
  }),
  fc.record({
    ...common,
    type: fc.constant<LinkFrameType>('identification'),
    destination: fc.constant(BROADCAST),
    behind: fc.constant(0),
    body: fc.uint8Array({ minLength: 1, maxLength: 100 }),
  }),
);

describe('vectors of link-frame.md', () => {
  it('are all there', () => {
    expect(goodVectors.length).toBe(19);
    expect(badVectors.length).toBe(26);
    expect(goodVectors.length + badVectors.length).toBe([...document.matchAll(/^octets: /gm)].length);
  });

  it.each(goodVectors.map((vector) => [field(vector, 'title'), vector] as const))('%s', (_title, vector) => {
    const octets = hex(field(vector, 'octets'));
    const frame = frameOf(vector);
    expect(encodeLinkFrame(frame, fcsOf(vector))).toEqual(octets);
    expect(decodeLinkFrame(octets, fcsOf(vector))).toEqual(frame);
  });

  it.each(
    goodVectors.filter((vector) => vector.has('ethernet')).map((vector) => [field(vector, 'title'), vector] as const),
  )('%s: to and from the Ethernet frame', (_title, vector) => {
    const ethernet = hex(field(vector, 'ethernet'));
    const { type, destination, source, body } = frameOf(vector);
    const sent = new SluiceEncapsulation(source).outbound(ethernet);
    expect(sent).toMatchObject({ kind: type, destination, payload: body });
    const receiver = new SluiceEncapsulation(destination === BROADCAST ? 7 : destination);
    if (type !== 'ip' && type !== 'arp' && type !== 'ethernet') throw new Error(`${type} has no Ethernet frame`);
    expect(receiver.inbound({ source, destination, kind: type, payload: body })).toEqual(ethernet);
  });

  it.each(badVectors.map((vector) => [field(vector, 'title'), vector] as const))('refused: %s', (_title, vector) => {
    expect(decodeLinkFrame(hex(field(vector, 'octets')), fcsOf(vector))).toBe(field(vector, 'drop'));
  });
});

describe('a reservation', () => {
  it('is rounded up to 10 us, and as long as can be said at most', () => {
    expect(decodeReservation(encodeReservation(500_001))).toBe(500_010);
    expect(decodeReservation(encodeReservation(1e12))).toBe(167_772_150);
    expect(decodeReservation(encodeReservation(-5))).toBe(0);
  });
});

describe('encode and decode', () => {
  it('round trip', () => {
    fc.assert(
      fc.property(linkFrame, fcsBytes, (frame, fcs) => {
        const octets = encodeLinkFrame(frame, fcs);
        const alongBytes = frame.piggyback === undefined ? 0 : piggybackBytes(frame.piggyback);
        expect(octets.length).toBe(LINK_HEADER_BYTES + alongBytes + frame.body.length + fcs);
        expect(decodeLinkFrame(octets, fcs)).toEqual(frame);
      }),
    );
  });

  it('give a body that is a view, not a copy', () => {
    const octets = Uint8Array.of(0x44, 1, 2, 3, 0x45, 0x46);
    const frame = decodeLinkFrame(octets, 0);
    octets[4] = 0x99;
    expect(frame).toMatchObject({ body: Uint8Array.of(0x99, 0x46) });
  });

  it('never throw and never invent: any octets give a cause, or a frame that encodes to them', () => {
    let frames = 0;
    // Without FCS, so that a fair share of chance gets through to the fields.
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.uint8Array({ minLength: 5, maxLength: 64 }).map((o) => Uint8Array.of(0x44, 1, ...o.subarray(2))),
      fc.uint8Array({ minLength: 5, maxLength: 64 }).map((o) => Uint8Array.of(0x6c, 1, ...o.subarray(2))),
    );
    fc.assert(
      fc.property(octets, (o) => {
        for (const fcs of FCS_SIZES) {
          const frame = decodeLinkFrame(o, fcs);
          if (typeof frame === 'string') continue;
          frames++;
          expect(encodeLinkFrame(frame, fcs)).toEqual(o);
        }
      }),
    );
    expect(frames).toBeGreaterThan(0);
  });

  it.each([2, 4] as const)('a frame cut short anywhere is refused (FCS of %i octets)', (fcs) => {
    const whole = hex(field(goodVectors.find((vector) => vector.get('type') === 'ip') ?? new Map(), 'octets'));
    const frame = decodeLinkFrame(whole, 4);
    if (typeof frame === 'string') throw new Error(frame);
    const octets = encodeLinkFrame(frame, fcs);
    for (let length = 0; length < octets.length; length++) {
      const expected = length < LINK_HEADER_BYTES + fcs ? 'rx-truncated' : 'rx-fcs';
      expect(decodeLinkFrame(octets.subarray(0, length), fcs)).toBe(expected);
    }
  });

  it('any two adjacent octets wrong in any way are seen', () => {
    const burst = fc.integer({ min: 1, max: 0xffff });
    fc.assert(
      fc.property(linkFrame, fc.constantFrom<FcsBytes>(2, 4), burst, fc.nat(), (frame, fcs, pattern, where) => {
        const octets = encodeLinkFrame(frame, fcs);
        const at = where % (octets.length - 1);
        octets[at] = (octets[at] ?? 0) ^ (pattern >> 8);
        octets[at + 1] = (octets[at + 1] ?? 0) ^ (pattern & 0xff);
        expect(decodeLinkFrame(octets, fcs)).toBe('rx-fcs');
      }),
    );
  });

  const sound: LinkFrame = {
    type: 'ip',
    destination: 1,
    source: 2,
    sequence: 3,
    behind: 0,
    more: false,
    retry: false,
    body: Uint8Array.of(0x45),
  };
  it.each<[string, Partial<LinkFrame>]>([
    ['destination 0', { destination: 0 }],
    ['destination 256', { destination: 256 }],
    ['source 0', { source: 0 }],
    ['source 255', { source: 255 }],
    ['source 1.5', { source: 1.5 }],
    ['sequence -1', { sequence: -1 }],
    ['sequence 32', { sequence: 32 }],
    ['behind 8', { behind: 8 }],
    ['sequence NaN', { sequence: Number.NaN }],
    ['ack with a body', { type: 'ack' }],
    ['ack to all', { type: 'ack', destination: 255, body: new Uint8Array(0) }],
    ['acknowledgement for nobody', { piggyback: { later: false, acks: [{ to: 0, next: 1, bitmap: 0 }] } }],
    ['acknowledgement of 32', { piggyback: { later: false, acks: [{ to: 1, next: 32, bitmap: 0 }] } }],
    ['acknowledgement of what is expected', { piggyback: { later: false, acks: [{ to: 1, next: 1, bitmap: 1 }] } }],
    ['eight acknowledgements', { piggyback: { later: false, acks: new Array(8).fill({ to: 1, next: 1, bitmap: 0 }) } }],
    ['nothing that comes along', { piggyback: { later: false, acks: [] } }],
    ['ip without a body', { body: new Uint8Array(0) }],
  ])('impossible value refused: %s', (_name, wrong) => {
    expect(() => encodeLinkFrame({ ...sound, ...wrong }, 4)).toThrow(SluiceError);
    expect(() => encodeLinkFrame({ ...sound, ...wrong }, 4)).toThrow('cannot be encoded');
  });
});

describe('setRetry', () => {
  it('is the same as encoding with the bit set, and leaves the original alone', () => {
    fc.assert(
      fc.property(linkFrame, fcsBytes, (frame, fcs) => {
        const first = encodeLinkFrame(frame, fcs);
        const before = first.slice();
        expect(setRetry(first, fcs)).toEqual(encodeLinkFrame({ ...frame, retry: true }, fcs));
        expect(first).toEqual(before);
      }),
    );
  });

  it('refuses what cannot be a frame', () => {
    expect(() => setRetry(new Uint8Array(7), 4)).toThrow(SluiceError);
  });
});
