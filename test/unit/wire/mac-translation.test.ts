/** A TAP with a MAC address of its own, seen from the air as its station. */
import { describe, expect, it } from 'vitest';
import { BROADCAST_MAC, macOfStation, NeighbourTable } from '../../../src/wire/address.js';
import { encodeArp, parseArp } from '../../../src/wire/arp.js';
import { createEncapsulation, SluiceEncapsulation } from '../../../src/wire/encapsulation.js';
import { buildEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV4, parseEthernet } from '../../../src/wire/ethernet.js';
import { MacTranslation } from '../../../src/wire/mac-translation.js';

const TAP_MAC = Uint8Array.of(2, 9, 9, 9, 9, 9);
const TAP_IP = Uint8Array.of(10, 0, 0, 1);
const PEER_IP = Uint8Array.of(10, 0, 0, 2);

function ipPacket(source: Uint8Array, destination: Uint8Array): Uint8Array {
  const packet = new Uint8Array(24);
  packet.set([0x45, 0, 0, 24, 0, 0, 0, 0, 64, 17]);
  packet.set(source, 12);
  packet.set(destination, 16);
  return packet;
}

const translation = () => new MacTranslation(new SluiceEncapsulation(1), 1, TAP_MAC);
const peer = new SluiceEncapsulation(2);

describe('MacTranslation', () => {
  it('sends an IP packet at the least cost, and the peer sees the station', () => {
    const frame = buildEthernet(macOfStation(2), TAP_MAC, ETHERTYPE_IPV4, ipPacket(TAP_IP, PEER_IP));
    const before = frame.slice();
    const sent = translation().outbound(frame);
    if (typeof sent === 'string') throw new Error(sent);
    expect(sent.kind).toBe('ip');
    expect(frame).toEqual(before);
    const arrived = peer.inbound({ ...sent, source: 1 });
    if (typeof arrived === 'string') throw new Error(arrived);
    expect(parseEthernet(arrived)?.source).toEqual(macOfStation(1));
  });

  it('hands what comes for the station to the address that the TAP has', () => {
    const sent = peer.outbound(
      buildEthernet(macOfStation(1), macOfStation(2), ETHERTYPE_IPV4, ipPacket(PEER_IP, TAP_IP)),
    );
    if (typeof sent === 'string') throw new Error(sent);
    const frame = translation().inbound({ ...sent, source: 2 });
    if (typeof frame === 'string') throw new Error(frame);
    expect(parseEthernet(frame)?.destination).toEqual(TAP_MAC);
    expect(parseEthernet(frame)?.source).toEqual(macOfStation(2));
  });

  it('speaks of the station in ARP, too, and back', () => {
    const question = encodeArp({
      ...{ operation: 'request', senderMac: TAP_MAC, senderIp: TAP_IP },
      ...{ targetMac: new Uint8Array(6), targetIp: PEER_IP },
    });
    const sent = translation().outbound(buildEthernet(BROADCAST_MAC, TAP_MAC, ETHERTYPE_ARP, question));
    if (typeof sent === 'string') throw new Error(sent);
    expect(sent.kind).toBe('arp');
    expect(parseArp(sent.payload)?.senderMac).toEqual(macOfStation(1));
    const answer = encodeArp({
      ...{ operation: 'reply', senderMac: macOfStation(2), senderIp: PEER_IP },
      ...{ targetMac: macOfStation(1), targetIp: TAP_IP },
    });
    const frame = translation().inbound({ source: 2, destination: 1, kind: 'arp', payload: answer });
    if (typeof frame === 'string') throw new Error(frame);
    expect(parseArp(parseEthernet(frame)?.payload ?? new Uint8Array(0))?.targetMac).toEqual(TAP_MAC);
  });

  it('leaves group addresses, other senders and drops as they are', () => {
    const other = buildEthernet(macOfStation(2), macOfStation(9), ETHERTYPE_IPV4, ipPacket(TAP_IP, PEER_IP));
    expect(translation().outbound(other)).toEqual(new SluiceEncapsulation(1).outbound(other));
    expect(translation().outbound(new Uint8Array(3))).toBe('tap-short');
    expect(translation().inbound({ source: 2, destination: 1, kind: 'raw', payload: new Uint8Array(3) })).toBe(
      'rx-malformed',
    );
  });

  it("follows another address, and does nothing where it is the station's", () => {
    const neighbours = new NeighbourTable({ station: 1, addresses: ['10.0.0.1/24'] });
    const subject = new MacTranslation(createEncapsulation('ip', neighbours), 1, macOfStation(1));
    const packet = { source: 0, destination: 255, kind: 'raw', payload: ipPacket(PEER_IP, TAP_IP) } as const;
    const destination = () => {
      const frame = subject.inbound(packet);
      return typeof frame === 'string' ? frame : parseEthernet(frame)?.destination;
    };
    expect(destination()).toEqual(macOfStation(1));
    subject.tapMac = TAP_MAC;
    expect(destination()).toEqual(TAP_MAC);
  });
});
