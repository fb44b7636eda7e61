/** Encapsulations: which frames leave their Ethernet header at home, and that each comes back octet for octet. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NeighbourTable, PEER_MAC } from '../../../src/wire/address.js';
import {
  createEncapsulation,
  EthernetEncapsulation,
  IpEncapsulation,
  SluiceEncapsulation,
} from '../../../src/wire/encapsulation.js';
import { decodeLinkFrame, encodeLinkFrame, type LinkFrameType } from '../../../src/wire/link-frame.js';
import type { InboundPacket, OutboundPacket } from '../../../src/wire/packet.js';
import { allMac, arp, ethernet, hex, ipv4, ipv6, join, stationMac, udp } from './frames.js';

const OWN = 3;
const PEER = 1;
const own = stationMac(OWN);
const peer = stationMac(PEER);
const foreign = hex('02aabbccddee');
const datagram = ipv4({ upper: udp(9000, 9001, [1, 2, 3]) });
const datagram6 = ipv6({ payload: udp(9000, 9001, [1, 2, 3]) });
const request = arp(1, own, [10, 9, 0, 3], new Uint8Array(6), [10, 9, 0, 200]);
const group4 = ipv4({ destination: [239, 129, 2, 3] });
const group6 = ipv6({ destination: hex('ff0200000000000000000001ff000009') });

const sluice = new SluiceEncapsulation(OWN);

function packetOf(result: OutboundPacket | string): OutboundPacket {
  if (typeof result === 'string') throw new Error(`dropped: ${result}`);
  return result;
}

/** Through the link frame, as over the air, so that what it refuses would show. */
function overTheAir(packet: OutboundPacket): InboundPacket {
  const { kind, destination, payload } = packet;
  if (kind === 'raw') return { source: OWN, destination, kind, payload };
  const octets = encodeLinkFrame(
    { type: kind, destination, source: OWN, sequence: 0, behind: 0, more: false, retry: false, body: payload },
    4,
  );
  const frame = decodeLinkFrame(octets, 4);
  if (typeof frame === 'string' || frame.type !== kind) throw new Error('not the frame that was sent');
  return { source: frame.source, destination: frame.destination, kind, payload: frame.body };
}

describe('sluice', () => {
  it.each<[string, Uint8Array, LinkFrameType, number]>([
    ['IPv4 to a station', ethernet(peer, own, 0x0800, datagram), 'ip', PEER],
    ['IPv6 to a station', ethernet(peer, own, 0x86dd, datagram6), 'ip', PEER],
    ['IPv4 with padding', ethernet(peer, own, 0x0800, join(datagram, [0, 0, 0])), 'ip', PEER],
    ['IPv4 broadcast', ethernet(allMac, own, 0x0800, ipv4({ destination: [10, 9, 0, 255] })), 'ip', 255],
    ['IPv4 multicast', ethernet(hex('01005e010203'), own, 0x0800, group4), 'ip', 255],
    ['IPv6 multicast', ethernet(hex('3333ff000009'), own, 0x86dd, group6), 'ip', 255],
    ['multicast IP to a unicast MAC', ethernet(peer, own, 0x0800, group4), 'ip', PEER],
    ['ARP to all', ethernet(allMac, own, 0x0806, request), 'arp', 255],
    ['ARP to a station', ethernet(peer, own, 0x0806, request), 'arp', PEER],
    ['ARP of another shape but the right length', ethernet(peer, own, 0x0806, new Uint8Array(28)), 'arp', PEER],
    ['IPv4 to the wrong group MAC', ethernet(hex('01005e010204'), own, 0x0800, group4), 'ethernet', 255],
    ['multicast IP to the broadcast MAC', ethernet(allMac, own, 0x0800, group4), 'ethernet', 255],
    ['unicast IP to a group MAC', ethernet(hex('01005e010203'), own, 0x0800, datagram), 'ethernet', 255],
    ['padded ARP', ethernet(peer, own, 0x0806, join(request, new Uint8Array(18))), 'ethernet', PEER],
    ['a foreign source', ethernet(peer, foreign, 0x0800, datagram), 'ethernet', PEER],
    ["another station's source", ethernet(peer, stationMac(9), 0x0800, datagram), 'ethernet', PEER],
    ['a foreign destination', ethernet(foreign, own, 0x0800, datagram), 'ethernet', 255],
    ['IPv6 under the EtherType of IPv4', ethernet(peer, own, 0x0800, datagram6), 'ethernet', PEER],
    ['an IPv4 header cut short', ethernet(peer, own, 0x0800, datagram.subarray(0, 19)), 'ethernet', PEER],
    ['an IPv6 header cut short', ethernet(peer, own, 0x86dd, datagram6.subarray(0, 39)), 'ethernet', PEER],
    ['a VLAN tag', ethernet(peer, own, 0x8100, join([0, 5, 8, 0], datagram)), 'ethernet', PEER],
    ['another EtherType', ethernet(peer, own, 0x88cc, datagram), 'ethernet', PEER],
    ['nothing but a header', ethernet(peer, own, 0x0800, new Uint8Array(0)), 'ethernet', PEER],
  ])('%s', (_name, frame, kind, destination) => {
    const packet = packetOf(sluice.outbound(frame));
    expect(packet).toMatchObject({ kind, destination });
    expect(packet.payload.length).toBe(kind === 'ethernet' ? frame.length : frame.length - 14);
    expect(new SluiceEncapsulation(PEER).inbound(overTheAir(packet))).toEqual(frame);
  });

  const mac = fc.oneof(
    fc.constantFrom(own, peer, stationMac(254), stationMac(255), stationMac(0), allMac, foreign, PEER_MAC),
    fc.constantFrom(hex('01005e010203'), hex('01005e810203'), hex('3333ff000009'), hex('333300000001')),
    fc.uint8Array({ minLength: 6, maxLength: 6 }),
  );
  const etherType = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(0x0800, 0x86dd, 0x0806, 0x0806, 0x8100, 0x88a8) },
    { weight: 1, arbitrary: fc.nat(0xffff) },
  );
  const payload = fc.oneof(
    fc.constantFrom(datagram, datagram6, request, group4, group6, join([0, 5, 8, 0], datagram)),
    fc.uint8Array({ maxLength: 60 }),
    fc.uint8Array({ minLength: 28, maxLength: 28 }),
    fc.uint8Array({ minLength: 20, maxLength: 60 }).map((octets) => join([0x45], octets.subarray(1))),
    fc.uint8Array({ minLength: 40, maxLength: 60 }).map((octets) => join([0x60], octets.subarray(1))),
  );
  const anyFrame = fc
    .tuple(mac, fc.oneof({ weight: 3, arbitrary: fc.constant(own) }, { weight: 1, arbitrary: mac }), etherType, payload)
    .map(([destination, source, type, body]) => ethernet(destination, source, type, body));

  it('gives back every frame exactly, whoever receives it', () => {
    const kinds = new Map<string, number>();
    fc.assert(
      fc.property(anyFrame, fc.integer({ min: 1, max: 254 }), (frame, receiver) => {
        const sent = packetOf(sluice.outbound(frame));
        kinds.set(sent.kind, (kinds.get(sent.kind) ?? 0) + 1);
        expect(new SluiceEncapsulation(receiver).inbound(overTheAir(sent))).toEqual(frame);
      }),
      { numRuns: 3000 },
    );
    // Each way was tried, and not just once.
    for (const kind of ['ip', 'arp', 'ethernet']) expect(kinds.get(kind) ?? 0).toBeGreaterThan(2);
  });

  it('calls a frame without a whole header short', () => {
    const frame = ethernet(peer, own, 0x0800, datagram);
    for (let length = 0; length < 14; length++) expect(sluice.outbound(frame.subarray(0, length))).toBe('tap-short');
  });

  it.each<[string, InboundPacket['kind'], Uint8Array, string]>([
    ['ip of version 5', 'ip', hex('5500'), 'rx-malformed'],
    ['ip cut short', 'ip', datagram.subarray(0, 19), 'rx-malformed'],
    ['arp cut short', 'arp', request.subarray(0, 27), 'rx-truncated'],
    ['arp too long', 'arp', join(request, [0]), 'rx-malformed'],
    ['ethernet cut short', 'ethernet', new Uint8Array(13), 'rx-truncated'],
    ['raw octets', 'raw', datagram, 'rx-malformed'],
  ])('refuses %s from the air', (_name, kind, octets, cause) => {
    expect(sluice.inbound({ source: PEER, destination: OWN, kind, payload: octets })).toBe(cause);
  });
});

describe('any octets from the air', () => {
  const table = new NeighbourTable({ station: OWN, addresses: ['10.9.0.3/24'] });
  it.each(['sluice', 'ethernet', 'ip'] as const)('are taken by %s without throwing', (name) => {
    const encapsulation = createEncapsulation(name, table);
    const kind = fc.constantFrom<InboundPacket['kind']>('ip', 'arp', 'ethernet', 'raw');
    fc.assert(
      fc.property(
        kind,
        fc.integer({ min: 1, max: 255 }),
        fc.uint8Array({ maxLength: 64 }),
        (k, destination, octets) => {
          const frame = encapsulation.inbound({ source: PEER, destination, kind: k, payload: octets });
          if (typeof frame !== 'string') expect(frame.length).toBeGreaterThanOrEqual(14);
          encapsulation.outbound(octets);
        },
      ),
    );
  });
});

describe('priority', () => {
  const tos = (value: number): Uint8Array => ethernet(peer, own, 0x0800, ipv4({ tos: value }));

  it('comes from the IP header in every encapsulation', () => {
    const table = new NeighbourTable({ station: OWN, addresses: ['10.9.0.3/24'] });
    for (const name of ['sluice', 'ethernet', 'ip'] as const) {
      const encapsulation = createEncapsulation(name, table);
      expect(encapsulation.outbound(tos(0x10))).toMatchObject({ priority: 6 });
      expect(encapsulation.outbound(tos(0))).toMatchObject({ priority: 0 });
      const marked = ethernet(peer, own, 0x86dd, ipv6({ trafficClass: 0xb8 }));
      expect(encapsulation.outbound(marked)).toMatchObject({ priority: 5 });
    }
  });

  it('comes from the VLAN tag where there is one', () => {
    const tagged = ethernet(peer, own, 0x8100, join([0xe0, 5, 8, 0], ipv4({ tos: 0x10 })));
    expect(sluice.outbound(tagged)).toMatchObject({ priority: 7 });
  });

  it('of ARP is best effort', () => {
    expect(sluice.outbound(ethernet(allMac, own, 0x0806, request))).toMatchObject({ priority: 0 });
  });
});

describe('ethernet', () => {
  const whole = new EthernetEncapsulation();

  it('sends and gives back frames as they are', () => {
    const frame = ethernet(foreign, own, 0x88cc, datagram);
    const packet = packetOf(whole.outbound(frame));
    expect(packet).toEqual({ destination: 255, kind: 'raw', payload: frame, priority: 0 });
    expect(whole.inbound(overTheAir(packet))).toEqual(frame);
    expect(whole.outbound(ethernet(peer, own, 0x0800, datagram))).toMatchObject({ destination: PEER });
  });

  it('refuses what is no frame', () => {
    expect(whole.outbound(new Uint8Array(13))).toBe('tap-short');
    expect(whole.inbound({ source: 0, destination: OWN, kind: 'raw', payload: new Uint8Array(13) })).toBe(
      'rx-truncated',
    );
    expect(whole.inbound({ source: PEER, destination: OWN, kind: 'ip', payload: datagram })).toBe('rx-malformed');
  });
});

describe('ip', () => {
  const ip = new IpEncapsulation(new NeighbourTable({ station: OWN, addresses: ['10.9.0.3/24', 'fd00:9::3/64'] }));
  const inbound = (payload: Uint8Array): Uint8Array | string =>
    ip.inbound({ source: 0, destination: 255, kind: 'raw', payload });

  it('sends the packet alone', () => {
    expect(ip.outbound(ethernet(peer, own, 0x0800, datagram))).toEqual({
      destination: PEER,
      kind: 'raw',
      payload: datagram,
      priority: 0,
    });
    expect(ip.outbound(ethernet(PEER_MAC, own, 0x86dd, datagram6))).toMatchObject({
      destination: 255,
      payload: datagram6,
    });
  });

  it.each<[string, Uint8Array, string]>([
    ['ARP', ethernet(allMac, own, 0x0806, request), 'not-encapsulable'],
    ['a VLAN tag', ethernet(peer, own, 0x8100, join([0, 5, 8, 0], datagram)), 'not-encapsulable'],
    ['a wrong EtherType', ethernet(peer, own, 0x0800, datagram6), 'not-encapsulable'],
    ['a header cut short', ethernet(peer, own, 0x0800, datagram.subarray(0, 19)), 'not-encapsulable'],
    ['half an Ethernet header', new Uint8Array(13), 'tap-short'],
  ])('refuses %s', (_name, frame, cause) => {
    expect(ip.outbound(frame)).toBe(cause);
  });

  it('makes up the header on receipt', () => {
    const from = (source: readonly number[], destination: readonly number[]): Uint8Array =>
      ipv4({ source, destination });
    const known = from([10, 9, 0, 1], [10, 9, 0, 3]);
    expect(inbound(known)).toEqual(ethernet(own, peer, 0x0800, known));
    const unknown = from([192, 0, 2, 1], [10, 9, 0, 3]);
    expect(inbound(unknown)).toEqual(ethernet(own, PEER_MAC, 0x0800, unknown));
    const echo = from([10, 9, 0, 3], [10, 9, 0, 3]);
    expect(inbound(echo)).toEqual(ethernet(own, PEER_MAC, 0x0800, echo));
    const toAll = from([10, 9, 0, 1], [10, 9, 0, 255]);
    expect(inbound(toAll)).toEqual(ethernet(allMac, peer, 0x0800, toAll));
    const toGroup = from([10, 9, 0, 1], [239, 129, 2, 3]);
    expect(inbound(toGroup)).toEqual(ethernet(hex('01005e010203'), peer, 0x0800, toGroup));
    const six = ipv6({
      source: hex('fd000009000000000000000000000001'),
      destination: hex('ff020000000000000000000000000001'),
    });
    expect(inbound(six)).toEqual(ethernet(hex('333300000001'), peer, 0x86dd, six));
  });

  it('refuses what is no IP packet', () => {
    expect(inbound(hex('50'))).toBe('rx-malformed');
    expect(inbound(new Uint8Array(0))).toBe('rx-malformed');
    for (let length = 0; length < 20; length++) expect(inbound(datagram.subarray(0, length))).toBe('rx-malformed');
    expect(ip.inbound({ source: PEER, destination: OWN, kind: 'ip', payload: datagram })).toBe('rx-malformed');
  });
});
