/** Link frames of every type, with packets inside that Wireshark knows how to read, and what it must find in them. */
import { type Random, seededRandom } from '../../src/base/random.js';
import { type AggregableKind, encodeAggregate } from '../../src/wire/aggregate.js';
import { fragment } from '../../src/wire/fragment.js';
import { encodeReservation, type LinkFrame, type LinkFrameType } from '../../src/wire/link-frame.js';
import { CARRIED_MAX, type Piggyback } from '../../src/wire/piggyback.js';
import { arp, ethernet, icmpv6, ipv4, stationMac, udp } from '../unit/wire/frames.js';

export interface KnownFrame {
  readonly frame: LinkFrame;
  /** Protocols inside, in order: frame.protocols must say so behind `sluice`. */
  readonly inside: string;
}

export const TYPES: readonly LinkFrameType[] = [
  ...(['ip', 'arp', 'ethernet', 'ack', 'fragment', 'aggregate', 'poll', 'rts', 'cts', 'identification'] as const),
  'acks',
];
const FRAGMENT_BODY_BYTES = 120;
/** Discard (RFC 863): nobody reads anything into it. */
const PORT = 9;
/** For experiments (RFC 3692). */
const EXPERIMENT = 253;

type Below = Random['below'];

interface Packet {
  readonly kind: AggregableKind;
  readonly payload: Uint8Array;
  readonly inside: string;
}

/** As many of each type; a packet in fragments takes as many frames as it needs, one after the other. */
export function knownFrames(count: number, seed: number): KnownFrame[] {
  const { below } = seededRandom(seed);
  const fragments: KnownFrame[] = [];
  return Array.from({ length: count }, (_, i) => {
    const type = TYPES[i % TYPES.length] ?? 'ip';
    if (type !== 'fragment') return knownFrame(type, below);
    if (fragments.length === 0) fragments.push(...fragmented(below, i));
    return fragments.shift() ?? knownFrame('ip', below);
  });
}

function knownFrame(type: LinkFrameType, below: Below): KnownFrame {
  const frame = {
    type,
    destination: 1 + below(254),
    source: 2 + below(253),
    sequence: below(32),
    behind: 0,
    more: below(4) === 0,
    retry: below(4) === 0,
  };
  const toAll = below(4) === 0 ? { destination: 255 } : {};
  const data = { ...frame, ...toAll, behind: below(8) };
  switch (type) {
    case 'ip':
    case 'arp':
    case 'ethernet': {
      const { payload, inside } = packet(type, below);
      const piggyback = below(2) === 0 ? { piggyback: along(below, 1) } : {};
      return { frame: { ...data, body: payload, ...piggyback }, inside };
    }
    case 'aggregate': {
      const packets = Array.from({ length: 2 + below(3) }, () => packet(below(2) === 0 ? 'ip' : 'arp', below));
      return { frame: { ...data, body: encodeAggregate(packets) }, inside: packets.map((p) => p.inside).join('') };
    }
    case 'fragment':
      throw new Error('fragments come by the packet');
    case 'ack':
      return {
        frame: { ...frame, body: below(2) === 0 ? Uint8Array.of() : Uint8Array.of(below(128) << 1) },
        inside: '',
      };
    case 'acks':
      return { frame: { ...frame, body: Uint8Array.of(), piggyback: along(below, 1) }, inside: '' };
    case 'poll':
      return { frame: { ...frame, body: Uint8Array.of() }, inside: '' };
    case 'rts':
    case 'cts':
      return { frame: { ...frame, body: encodeReservation(below(160_000_000)) }, inside: '' };
    case 'identification': {
      const body = new TextEncoder().encode(`N0CALL-${below(16)} Grüße`);
      return { frame: { ...frame, destination: 255, more: false, body }, inside: '' };
    }
  }
}

/** Acknowledgements that come along, so many at least. */
function along(below: Below, least: number): Piggyback {
  const acks = Array.from({ length: least + below(CARRIED_MAX + 1 - least) }, () => ({
    to: 1 + below(254),
    next: below(32),
    bitmap: below(128) << 1,
  }));
  return { later: false, acks };
}

/** The fragments of one packet, from one of a few senders; some are sent twice. */
function fragmented(below: Below, id: number): KnownFrame[] {
  const whole = packet('ip', below, 300 + below(300));
  const bodies = fragment(whole.kind, whole.payload, FRAGMENT_BODY_BYTES, id) ?? [];
  const [source, destination] = [2 + below(4), 1 + below(2)];
  return bodies.flatMap((body, i) => {
    const { frame } = knownFrame('poll', below);
    const each = { ...frame, type: 'fragment', source, destination, retry: false, body } as const;
    const known = { frame: each, inside: i === bodies.length - 1 ? whole.inside : '' };
    const repeated = { frame: { ...each, retry: true }, inside: '' };
    return below(4) === 0 ? [known, repeated] : [known];
  });
}

function packet(kind: AggregableKind, below: Below, dataBytes = below(100) + 1): Packet {
  // Letters: Wireshark guesses protocols from random octets.
  const data = Array.from({ length: dataBytes }, () => 0x61 + below(26));
  const [source, destination] = [
    [10, 77, 0, 2 + below(200)],
    [10, 77, 0, 1],
  ];
  switch (kind) {
    case 'arp': {
      const payload = arp(1 + below(2), stationMac(2), source, stationMac(1), destination);
      return { kind, payload, inside: ':arp' };
    }
    case 'ethernet': {
      const inner = packet(below(2) === 0 ? 'ip' : 'arp', below);
      const isSix = (inner.payload[0] ?? 0) >> 4 === 6;
      const type = inner.kind === 'arp' ? 0x0806 : isSix ? 0x86dd : 0x0800;
      const payload = ethernet(stationMac(1), stationMac(2), type, inner.payload);
      return { kind, payload, inside: `:eth:ethertype${inner.inside}` };
    }
    case 'ip':
      return { kind, ...ipPacket(below, source, destination, data) };
  }
}

function ipPacket(
  below: Below,
  source: readonly number[],
  destination: readonly number[],
  data: readonly number[],
): Omit<Packet, 'kind'> {
  const upper = udp(PORT, PORT, data);
  const echo = withChecksum(Uint8Array.of(8, 0, 0, 0, 0, 1, 0, 1, ...data));
  const [ours, theirs] = [1, 2].map((last) => Uint8Array.of(0xfd, 0, 0, 9, ...Array(11).fill(0), last));
  switch (below(4)) {
    case 0:
      return { payload: ipv4({ source, destination, protocol: 1, upper: echo }), inside: ':ip:icmp:data' };
    case 1:
      return { payload: ipv4({ source, destination, protocol: EXPERIMENT, upper }), inside: ':ip:data' };
    case 2: {
      const request = Uint8Array.of(128, 0, 0, 0, 0, 1, 0, 1, ...data);
      const payload = icmpv6(theirs ?? request, ours ?? request, request);
      return { payload, inside: ':ipv6:icmpv6:data' };
    }
    default:
      return { payload: ipv4({ source, destination, upper }), inside: ':ip:udp:data' };
  }
}

/** An ICMP message with the checksum of RFC 1071. */
function withChecksum(message: Uint8Array): Uint8Array {
  const sum = message.reduce((total, octet, i) => total + (i % 2 === 0 ? octet << 8 : octet), 0);
  // 0xffff - sum modulo 0xffff: the carries are added in again.
  const checksum = 0xffff - (sum % 0xffff || 0xffff);
  message.set([checksum >> 8, checksum & 0xff], 2);
  return message;
}
