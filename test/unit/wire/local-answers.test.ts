/** What is answered or kept at home, each filter on and off; and the kinds of chatter. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NeighbourTable, PEER_MAC } from '../../../src/wire/address.js';
import { ALL_FILTERS, type ChatterFilters } from '../../../src/wire/chatter.js';
import { HomeFilter, type HomeFilterOptions, type LocalDecision } from '../../../src/wire/local-answers.js';
import { allMac, arp, ethernet, hex, icmpv6, ipv4, ipv6, join, stationMac, udp } from './frames.js';

const own = stationMac(3);
const peer = stationMac(1);
const nobody = new Uint8Array(6);
const neighbours = new NeighbourTable({
  station: 3,
  addresses: ['10.9.0.3/24', 'fd00:9::3/64'],
  table: { '198.51.100.7': 7 },
});
const ownIp = [10, 9, 0, 3];
const ownIp6 = hex('fd000009000000000000000000000003');
const peerIp6 = hex('fd000009000000000000000000000001');
const unknownIp6 = hex('20010db8000000000000000000000001');
const solicitedNode = hex('ff0200000000000000000001ff000001');
const allNodes = hex('ff020000000000000000000000000001');
const allRouters = hex('ff020000000000000000000000000002');
const unspecified = new Uint8Array(16);

const SEND: LocalDecision = { action: 'send' };
const drop = (cause: string): unknown => ({ action: 'drop', cause });

function filter(options: Partial<HomeFilterOptions> = {}): HomeFilter {
  return new HomeFilter({ neighbours, filters: ALL_FILTERS, ...options });
}

function without(...names: readonly (keyof ChatterFilters)[]): HomeFilter {
  return filter({ filters: { ...ALL_FILTERS, ...Object.fromEntries(names.map((name) => [name, false])) } });
}

const question = (targetIp: readonly number[], senderIp: readonly number[] = ownIp): Uint8Array =>
  ethernet(allMac, own, 0x0806, arp(1, own, senderIp, nobody, targetIp));

const solicitation = (target: Uint8Array, source = ownIp6, destination = solicitedNode): Uint8Array =>
  ethernet(
    join([0x33, 0x33], destination.subarray(12)),
    own,
    0x86dd,
    icmpv6(source, destination, join([135, 0, 0, 0, 0, 0, 0, 0], target, [1, 1], own)),
  );

describe('ARP', () => {
  it('for a station is answered at home', () => {
    expect(filter().decide(question([10, 9, 0, 1]))).toEqual({
      action: 'answer',
      reply: ethernet(own, peer, 0x0806, arp(2, peer, [10, 9, 0, 1], own, ownIp)),
    });
    expect(filter().decide(question([198, 51, 100, 7]))).toMatchObject({ action: 'answer' });
  });

  it('asked by unicast is answered too: the kernel checks on a neighbour', () => {
    const probe = ethernet(peer, own, 0x0806, arp(1, own, ownIp, nobody, [10, 9, 0, 1]));
    expect(filter().decide(probe)).toMatchObject({ action: 'answer' });
  });

  it('of a host behind a bridge is answered to that host', () => {
    const host = hex('02aabbccddee');
    const asked = ethernet(allMac, host, 0x0806, arp(1, host, [10, 9, 0, 9], nobody, [10, 9, 0, 1]));
    expect(filter().decide(asked)).toEqual({
      action: 'answer',
      reply: ethernet(host, peer, 0x0806, arp(2, peer, [10, 9, 0, 1], host, [10, 9, 0, 9])),
    });
  });

  it('for the unknown is dropped, sent, or answered with the peer', () => {
    const unknown = question([192, 0, 2, 1]);
    expect(filter().decide(unknown)).toEqual(drop('chatter-arp'));
    expect(filter({ unknownNeighbour: 'send' }).decide(unknown)).toEqual(SEND);
    expect(filter({ unknownNeighbour: 'peer' }).decide(unknown)).toEqual({
      action: 'answer',
      reply: ethernet(own, PEER_MAC, 0x0806, arp(2, PEER_MAC, [192, 0, 2, 1], own, ownIp)),
    });
    expect(without('arp').decide(unknown)).toEqual(SEND);
  });

  it.each([
    ['an announcement', question(ownIp)],
    ['an announcement as a reply', ethernet(allMac, own, 0x0806, arp(2, own, ownIp, allMac, ownIp))],
    ['a probe', question(ownIp, [0, 0, 0, 0])],
    ["a probe of another's address", question([10, 9, 0, 1], [0, 0, 0, 0])],
    ['a question for ourselves', question(ownIp, [10, 9, 0, 50])],
  ])('%s stays at home, unless the filter is off', (_name, frame) => {
    expect(filter().decide(frame)).toEqual(drop('chatter-arp'));
    expect(filter({ unknownNeighbour: 'peer' }).decide(frame)).toEqual(drop('chatter-arp'));
    expect(without('arp').decide(frame)).toEqual(SEND);
  });

  it('replies go out', () => {
    const reply = ethernet(peer, own, 0x0806, arp(2, own, ownIp, peer, [10, 9, 0, 1]));
    expect(filter().decide(reply)).toEqual(SEND);
  });

  it('goes out where the peers are not sluice', () => {
    const open = filter({ answerAtHome: false });
    expect(open.decide(question([10, 9, 0, 1]))).toEqual(SEND);
    expect(open.decide(question([192, 0, 2, 1]))).toEqual(SEND);
    expect(open.decide(question(ownIp))).toEqual(drop('chatter-arp'));
    expect(open.decide(solicitation(peerIp6))).toEqual(SEND);
  });

  it('within a VLAN, or of another shape, is none of our business', () => {
    const request = arp(1, own, ownIp, nobody, [10, 9, 0, 1]);
    expect(filter().decide(ethernet(allMac, own, 0x8100, join([0, 5, 8, 6], request)))).toEqual(SEND);
    expect(filter().decide(ethernet(allMac, own, 0x0806, request.subarray(0, 27)))).toEqual(SEND);
  });
});

describe('neighbour discovery', () => {
  it('for a station is answered at home', () => {
    const reply = ethernet(
      own,
      peer,
      0x86dd,
      icmpv6(peerIp6, ownIp6, join([136, 0, 0, 0, 0x60, 0, 0, 0], peerIp6, [2, 1], peer)),
    );
    expect(filter().decide(solicitation(peerIp6))).toEqual({ action: 'answer', reply });
    // Unreachability detection asks by unicast.
    expect(filter().decide(solicitation(peerIp6, ownIp6, peerIp6))).toEqual({ action: 'answer', reply });
  });

  it('for a link-local address of a station is answered too', () => {
    const linkLocal = hex('fe8000000000000000736cfffe000008');
    const decision = filter().decide(solicitation(linkLocal));
    expect(decision).toMatchObject({ action: 'answer' });
    if (decision.action === 'answer') expect(decision.reply.subarray(6, 12)).toEqual(stationMac(8));
  });

  it('for the unknown is dropped, sent, or answered with the peer', () => {
    const unknown = solicitation(unknownIp6);
    expect(filter().decide(unknown)).toEqual(drop('chatter-nd'));
    expect(filter({ unknownNeighbour: 'send' }).decide(unknown)).toEqual(SEND);
    expect(filter({ unknownNeighbour: 'peer' }).decide(unknown)).toMatchObject({ action: 'answer' });
    expect(without('nd').decide(unknown)).toEqual(SEND);
  });

  const message = (source: Uint8Array, destination: Uint8Array, icmp: Uint8Array): Uint8Array =>
    ethernet(allMac, own, 0x86dd, icmpv6(source, destination, icmp));
  const advertisement = (flags: number): Uint8Array => join([136, 0, 0, 0, flags, 0, 0, 0], ownIp6, [2, 1], own);
  const badChecksum = solicitation(peerIp6);
  badChecksum[14 + 42] = (badChecksum[14 + 42] ?? 0) ^ 1;

  it.each([
    ['duplicate address detection', solicitation(ownIp6, unspecified)],
    ["duplicate address detection of a station's address", solicitation(peerIp6, unspecified)],
    ['a solicitation for ourselves', solicitation(ownIp6, peerIp6)],
    ['a router solicitation', message(ownIp6, allRouters, hex('8500000000000000'))],
    ['an unsolicited advertisement', message(ownIp6, allNodes, advertisement(0x20))],
    ['an invalid solicitation', badChecksum],
  ])('%s stays at home, unless the filter is off', (_name, frame) => {
    expect(filter().decide(frame)).toEqual(drop('chatter-nd'));
    expect(without('nd').decide(frame)).toEqual(SEND);
  });

  it.each([
    ['a solicited advertisement', message(ownIp6, peerIp6, advertisement(0x60))],
    ['a router advertisement', message(ownIp6, allNodes, hex('86000000400000000000000000000000'))],
    ['an echo request', message(ownIp6, peerIp6, hex('8000000000010001'))],
  ])('%s goes out', (_name, frame) => {
    expect(filter().decide(frame)).toEqual(SEND);
  });
});

describe('chatter', () => {
  const four = (destination: readonly number[], upper: Uint8Array, protocol = 17): Uint8Array =>
    ethernet(allMac, own, 0x0800, ipv4({ destination, upper, protocol }));
  const six = (destination: Uint8Array, payload: Uint8Array): Uint8Array =>
    ethernet(allMac, own, 0x86dd, ipv6({ destination, payload }));
  const mldReport = ethernet(
    hex('333300000016'),
    own,
    0x86dd,
    ipv6({
      destination: hex('ff020000000000000000000000000016'),
      next: 0,
      hopLimit: 1,
      payload: hex('3a00050200000100 8f000000 00000001 04000000 ff02000000000000 00000001ff000003'),
    }),
  );
  const mdns6 = hex('ff0200000000000000000000000000fb');

  it.each<[keyof ChatterFilters, string, Uint8Array]>([
    ['mld', 'version 2 report behind hop-by-hop options', mldReport],
    ['igmp', 'version 3 report', four([224, 0, 0, 22], hex('2200000000000000'), 2)],
    ['mdns', 'IPv4', four([224, 0, 0, 251], udp(5353, 5353))],
    ['mdns', 'IPv6', six(mdns6, udp(5353, 5353))],
    [
      'mdns',
      'in a VLAN',
      ethernet(allMac, own, 0x8100, join([0, 5, 0x86, 0xdd], ipv6({ destination: mdns6, payload: udp(1, 5353) }))),
    ],
    ['llmnr', 'IPv4', four([224, 0, 0, 252], udp(40000, 5355))],
    ['llmnr', 'IPv6', six(hex('ff020000000000000000000000010003'), udp(40000, 5355))],
    ['ssdp', 'IPv4', four([239, 255, 255, 250], udp(40000, 1900))],
    ['ssdp', 'IPv6', six(hex('ff02000000000000000000000000000c'), udp(40000, 1900))],
    ['dhcp', 'discover', four([255, 255, 255, 255], udp(68, 67))],
    ['dhcp', 'offer', four([10, 9, 0, 1], udp(67, 68))],
    ['dhcp', 'version 6, solicit', six(hex('ff020000000000000000000000010002'), udp(546, 547))],
    ['dhcp', 'version 6, reply', six(peerIp6, udp(547, 546))],
  ])('%s, %s: has its filter', (name, _what, frame) => {
    expect(filter().decide(frame)).toEqual(drop(`chatter-${name}`));
    expect(without(name).decide(frame)).toEqual(SEND);
    // No other filter takes it.
    const names = (Object.keys(ALL_FILTERS) as (keyof ChatterFilters)[]).filter((other) => other !== name);
    expect(without(...names).decide(frame)).toEqual(drop(`chatter-${name}`));
  });

  it.each([1, 2, 3].map((kind) => 129 + kind))('MLD version 1, type %i', (type) => {
    const group = hex('ff0200000000000000000001ff000003');
    const icmp = icmpv6(ownIp6, group, join([type, 0, 0, 0, 0, 0, 0, 0], group), 1);
    expect(filter().decide(ethernet(allMac, own, 0x86dd, icmp))).toEqual(drop('chatter-mld'));
  });

  it.each([
    ['a datagram to a station', four([10, 9, 0, 1], udp(9000, 9001))],
    ['a broadcast', four([10, 9, 0, 255], udp(9000, 9001))],
    ['a multicast', four([239, 1, 2, 3], udp(9000, 9001))],
    ['unicast to port 5353', four([10, 9, 0, 1], udp(40000, 5353))],
    ['unicast to port 1900', six(peerIp6, udp(40000, 1900))],
    ['port 67 in IPv6', six(peerIp6, udp(68, 67))],
    ['TCP to port 67', four([10, 9, 0, 1], udp(68, 67), 6)],
    ['ping', four([10, 9, 0, 1], hex('0800000000010001'), 1)],
    ['another EtherType', ethernet(allMac, own, 0x88cc, hex('0207'))],
    ['IP that cannot be read', ethernet(peer, own, 0x0800, hex('45'))],
    ['no whole Ethernet header', new Uint8Array(13)],
  ])('%s is none', (_name, frame) => {
    expect(filter().decide(frame)).toEqual(SEND);
  });

  it('any octets are decided without throwing', () => {
    const type = fc.constantFrom(0x0800, 0x86dd, 0x0806, 0x8100);
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.uint8Array({ minLength: 8, maxLength: 60 }).map((upper) => ipv6({ next: 58, payload: upper })),
      fc.uint8Array({ minLength: 20, maxLength: 20 }).map((tail) => join([0, 1, 8, 0, 6, 4, 0, 1], tail)),
    );
    const home = filter({ unknownNeighbour: 'peer' });
    fc.assert(
      fc.property(type, payload, (etherType, octets) => {
        const decision = home.decide(ethernet(allMac, own, etherType, octets));
        if (decision.action === 'answer') expect(decision.reply.subarray(0, 6)).toEqual(own);
      }),
    );
  });

  it('frames cut short anywhere are decided without throwing', () => {
    for (const frame of [question([10, 9, 0, 1]), solicitation(peerIp6), mldReport]) {
      for (let length = 0; length < frame.length; length++) {
        expect(filter().decide(frame.subarray(0, length))).toEqual(SEND);
      }
    }
  });
});
