/**
 * What of an Ethernet frame goes over the air, and how the receiver makes it whole again. Three ways: `sluice` leaves
 * the Ethernet header at home whenever the receiver can rebuild it octet for octet; `ethernet` sends the frame as it is;
 * `ip` sends the IP packet alone, as SLIP peers do, and makes up the header on receipt.
 */
import type { DropCause } from '../base/drops.js';
import { sameOctets } from '../base/octets.js';
import {
  BROADCAST_MAC,
  isGroupMac,
  macOfMulticastIp,
  macOfStation,
  type NeighbourTable,
  PEER_MAC,
  stationOfMac,
} from './address.js';
import { ARP_BYTES } from './arp.js';
import { requireCallsign } from './ax25.js';
import { Ax25Encapsulation } from './ax25-encapsulation.js';
import { buildEthernet, ETHERNET_HEADER_BYTES, ETHERTYPE_ARP, type EthernetFrame, parseEthernet } from './ethernet.js';
import { etherTypeOfIp, ipDestination, ipSource, ipTrafficClass, ipVersion, priorityOfTrafficClass } from './ip.js';
import { BROADCAST, type Encapsulation, type InboundPacket, type OutboundPacket, type Station } from './packet.js';

/** Our own: kinds `ip`, `arp` and `ethernet` of the link frame. `inbound(outbound(frame))` is the frame, always. */
export class SluiceEncapsulation implements Encapsulation {
  readonly headerBytes = ETHERNET_HEADER_BYTES;
  readonly #ownMac: Uint8Array;

  /** `station`: our own. */
  constructor(station: Station) {
    this.#ownMac = macOfStation(station);
  }

  outbound(frame: Uint8Array): OutboundPacket | DropCause {
    const ethernet = parseEthernet(frame);
    if (ethernet === null) return 'tap-short';
    const destination = stationOrAll(ethernet.destination);
    const kind = this.#leanestKind(ethernet, destination);
    const payload = kind === 'ethernet' ? frame : frame.subarray(ETHERNET_HEADER_BYTES);
    return { destination, kind, payload, priority: priorityOf(ethernet) };
  }

  inbound(packet: InboundPacket): Uint8Array | DropCause {
    const { kind, payload } = packet;
    switch (kind) {
      case 'ethernet':
        return payload.length < ETHERNET_HEADER_BYTES ? 'rx-truncated' : payload;
      case 'arp':
        if (payload.length !== ARP_BYTES) return payload.length < ARP_BYTES ? 'rx-truncated' : 'rx-malformed';
        return rebuild(packet, destinationMac(packet.destination, null), ETHERTYPE_ARP);
      case 'ip': {
        const version = ipVersion(payload);
        if (version === null) return 'rx-malformed';
        const mac = destinationMac(packet.destination, ipDestination(payload, version));
        return rebuild(packet, mac, etherTypeOfIp(version));
      }
      case 'raw':
        return 'rx-malformed';
    }
  }

  /** The leanest kind from which the receiver makes this very frame. */
  #leanestKind(ethernet: EthernetFrame, destination: Station): 'ip' | 'arp' | 'ethernet' {
    const { etherType, payload } = ethernet;
    if (ethernet.vlanPriority !== null || !sameOctets(ethernet.source, this.#ownMac)) return 'ethernet';
    if (etherType === ETHERTYPE_ARP && payload.length === ARP_BYTES) {
      return sameOctets(destinationMac(destination, null), ethernet.destination) ? 'arp' : 'ethernet';
    }
    const version = ipVersion(payload);
    if (version === null || etherType !== etherTypeOfIp(version)) return 'ethernet';
    const mac = destinationMac(destination, ipDestination(payload, version));
    return sameOctets(mac, ethernet.destination) ? 'ip' : 'ethernet';
  }
}

/** The whole Ethernet frame, as `tncattach --ethernet` sends it. */
export class EthernetEncapsulation implements Encapsulation {
  readonly headerBytes = ETHERNET_HEADER_BYTES;

  outbound(frame: Uint8Array): OutboundPacket | DropCause {
    const ethernet = parseEthernet(frame);
    if (ethernet === null) return 'tap-short';
    const destination = stationOrAll(ethernet.destination);
    return { destination, kind: 'raw', payload: frame, priority: priorityOf(ethernet) };
  }

  inbound(packet: InboundPacket): Uint8Array | DropCause {
    if (packet.kind !== 'raw') return 'rx-malformed';
    return packet.payload.length < ETHERNET_HEADER_BYTES ? 'rx-truncated' : packet.payload;
  }
}

/** The IP packet and nothing else (RFC 1055). The peers need not be sluice. */
export class IpEncapsulation implements Encapsulation {
  readonly headerBytes = 0;
  readonly #neighbours: NeighbourTable;
  readonly #ownMac: Uint8Array;

  constructor(neighbours: NeighbourTable) {
    this.#neighbours = neighbours;
    this.#ownMac = macOfStation(neighbours.station);
  }

  outbound(frame: Uint8Array): OutboundPacket | DropCause {
    const ethernet = parseEthernet(frame);
    if (ethernet === null) return 'tap-short';
    const version = ipVersion(ethernet.payload);
    if (version === null || ethernet.etherType !== etherTypeOfIp(version) || ethernet.vlanPriority !== null) {
      return 'not-encapsulable';
    }
    const destination = stationOrAll(ethernet.destination);
    return { destination, kind: 'raw', payload: ethernet.payload, priority: priorityOf(ethernet) };
  }

  inbound(packet: InboundPacket): Uint8Array | DropCause {
    const { kind, payload } = packet;
    const version = ipVersion(payload);
    if (kind !== 'raw' || version === null) return 'rx-malformed';
    const ip = ipDestination(payload, version);
    const broadcast = this.#neighbours.isBroadcast(ip) ? BROADCAST_MAC : this.#ownMac;
    return buildEthernet(
      macOfMulticastIp(ip) ?? broadcast,
      this.#senderMac(ipSource(payload, version)),
      etherTypeOfIp(version),
      payload,
    );
  }

  /** Never our own: the kernel would take the frame for an echo of its own. */
  #senderMac(ip: Uint8Array): Uint8Array {
    const station = this.#neighbours.stationOf(ip);
    return station === null || station === this.#neighbours.station ? PEER_MAC : macOfStation(station);
  }
}

/**
 * For `link.encapsulation` of the configuration.
 * @param callsign our own, for `ax25`
 * @throws SluiceError `configuration` where that is missing
 */
export function createEncapsulation(
  name: 'sluice' | 'ethernet' | 'ip' | 'ax25',
  neighbours: NeighbourTable,
  callsign?: string,
): Encapsulation {
  switch (name) {
    case 'sluice':
      return new SluiceEncapsulation(neighbours.station);
    case 'ethernet':
      return new EthernetEncapsulation();
    case 'ip':
      return new IpEncapsulation(neighbours);
    case 'ax25':
      return new Ax25Encapsulation({
        station: neighbours.station,
        callsign: requireCallsign(callsign, 'interface.callsign'),
      });
  }
}

/** What the receiver puts where the sender's frame had its destination; `ip` is the IP destination, if it is IP. */
function destinationMac(destination: Station, ip: Uint8Array | null): Uint8Array {
  if (destination !== BROADCAST) return macOfStation(destination);
  return (ip === null ? null : macOfMulticastIp(ip)) ?? BROADCAST_MAC;
}

function rebuild(packet: InboundPacket, destination: Uint8Array, etherType: number): Uint8Array {
  return buildEthernet(destination, macOfStation(packet.source), etherType, packet.payload);
}

/** A MAC address that is no station's goes to all: somebody behind a bridge may have it. */
function stationOrAll(mac: Uint8Array): Station {
  return isGroupMac(mac) ? BROADCAST : (stationOfMac(mac) ?? BROADCAST);
}

/** Of the VLAN tag if there is one (IEEE 802.1Q), else of the IP header. */
function priorityOf(ethernet: EthernetFrame): number {
  if (ethernet.vlanPriority !== null) return ethernet.vlanPriority;
  const version = ipVersion(ethernet.payload);
  if (version === null || ethernet.etherType !== etherTypeOfIp(version)) return 0;
  return priorityOfTrafficClass(ipTrafficClass(ethernet.payload, version));
}
