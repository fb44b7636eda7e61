/**
 * IPv4 and ARP in AX.25 UI frames, as Linux's AX.25 devices and TNCs with IP put them on the air: PID CC and CD, ARP of
 * hardware type 3 with callsigns. Neighbours appear to the TAP under MAC addresses that are made from their callsigns.
 */
import type { DropCause } from '../base/drops.js';
import { sameOctets } from '../base/octets.js';
import { BROADCAST_MAC, isGroupMac, MAC_BYTES, macOfMulticastIp, macOfStation } from './address.js';
import { ARP_BYTES, encodeArp, parseArp } from './arp.js';
import {
  AX25_ADDRESS_BYTES,
  AX25_HEADER_BYTES,
  type Callsign,
  callsignOfMac,
  decodeCallsign,
  decodeUi,
  encodeCallsign,
  encodeUi,
  macOfCallsign,
  PID_ARP,
  PID_IP,
  QST,
  sameCallsign,
} from './ax25.js';
import { buildEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV4, parseEthernet, readUint16, writeUint16 } from './ethernet.js';
import { ipDestination, ipTrafficClass, ipVersion, priorityOfTrafficClass } from './ip.js';
import type { Encapsulation } from './packet.js';
import { BROADCAST, type InboundPacket, type OutboundPacket, type Station } from './packet.js';

/** IANA, ARP parameters. */
const HARDWARE_AX25 = 3;
/** Linux names the protocol by its PID (arp.c); others by the EtherType. */
const PROTOCOL_IP = PID_IP;
const OPERATION_REQUEST = 1;
const OPERATION_REPLY = 2;
/** 8, and twice a callsign and an IPv4 address. */
const AX25_ARP_BYTES = 8 + 2 * (AX25_ADDRESS_BYTES + 4);

export interface Ax25Options {
  readonly station: Station;
  readonly callsign: Callsign;
}

export class Ax25Encapsulation implements Encapsulation {
  readonly headerBytes = AX25_HEADER_BYTES;
  readonly #callsign: Callsign;
  readonly #ownMac: Uint8Array;

  constructor({ station, callsign }: Ax25Options) {
    this.#callsign = callsign;
    this.#ownMac = macOfStation(station);
  }

  outbound(frame: Uint8Array): OutboundPacket | DropCause {
    const ethernet = parseEthernet(frame);
    if (ethernet === null) return 'tap-short';
    if (ethernet.vlanPriority !== null) return 'not-encapsulable';
    const destination = isGroupMac(ethernet.destination) ? QST : this.#callsignOf(ethernet.destination);
    if (destination === null) return 'no-neighbour';
    if (ethernet.etherType === ETHERTYPE_ARP) {
      const payload = this.#arpToAir(ethernet.payload);
      return payload === null ? 'not-encapsulable' : this.#packet(destination, PID_ARP, payload, 0);
    }
    if (ethernet.etherType !== ETHERTYPE_IPV4 || ipVersion(ethernet.payload) !== 4) return 'not-encapsulable';
    const priority = priorityOfTrafficClass(ipTrafficClass(ethernet.payload, 4));
    return this.#packet(destination, PID_IP, ethernet.payload, priority);
  }

  inbound(packet: InboundPacket): Uint8Array | DropCause {
    if (packet.kind !== 'raw') return 'rx-malformed';
    const frame = decodeUi(packet.payload);
    if (typeof frame === 'string') return frame === 'malformed' ? 'rx-malformed' : 'rx-other';
    const isForAll = sameCallsign(frame.destination, QST);
    // A TNC may hear itself, and hears what is meant for others.
    if (sameCallsign(frame.source, this.#callsign)) return 'rx-not-for-us';
    if (!isForAll && !sameCallsign(frame.destination, this.#callsign)) return 'rx-not-for-us';
    const source = this.#macOf(frame.source);
    switch (frame.pid) {
      case PID_IP: {
        if (ipVersion(frame.payload) !== 4) return 'rx-malformed';
        const group = macOfMulticastIp(ipDestination(frame.payload, 4)) ?? BROADCAST_MAC;
        return buildEthernet(isForAll ? group : this.#ownMac, source, ETHERTYPE_IPV4, frame.payload);
      }
      case PID_ARP: {
        const arp = this.#arpFromAir(frame.payload);
        if (arp === null) return 'rx-malformed';
        return buildEthernet(isForAll ? BROADCAST_MAC : this.#ownMac, source, ETHERTYPE_ARP, arp);
      }
      default:
        return 'rx-other';
    }
  }

  #packet(destination: Callsign, pid: number, payload: Uint8Array, priority: number): OutboundPacket {
    const octets = encodeUi({ destination, source: this.#callsign, pid, payload });
    return { destination: BROADCAST, kind: 'raw', payload: octets, priority };
  }

  #callsignOf(mac: Uint8Array): Callsign | null {
    return sameOctets(mac, this.#ownMac) ? this.#callsign : callsignOfMac(mac);
  }

  #macOf(callsign: Callsign): Uint8Array {
    return sameCallsign(callsign, this.#callsign) ? this.#ownMac : macOfCallsign(callsign);
  }

  #arpToAir(octets: Uint8Array): Uint8Array | null {
    const arp = parseArp(octets.subarray(0, ARP_BYTES));
    const sender = arp === null ? null : this.#callsignOf(arp.senderMac);
    if (arp === null || sender === null) return null;
    const target = this.#callsignOf(arp.targetMac);
    const air = new Uint8Array(AX25_ARP_BYTES);
    writeUint16(air, 0, HARDWARE_AX25);
    writeUint16(air, 2, PROTOCOL_IP);
    air[4] = AX25_ADDRESS_BYTES;
    air[5] = 4;
    writeUint16(air, 6, arp.operation === 'request' ? OPERATION_REQUEST : OPERATION_REPLY);
    air.set(encodeCallsign(sender), 8);
    air.set(arp.senderIp, 15);
    if (target !== null) air.set(encodeCallsign(target), 19);
    air.set(arp.targetIp, 26);
    return air;
  }

  #arpFromAir(air: Uint8Array): Uint8Array | null {
    if (air.length < AX25_ARP_BYTES || readUint16(air, 0) !== HARDWARE_AX25) return null;
    const protocol = readUint16(air, 2);
    if ((protocol !== PROTOCOL_IP && protocol !== ETHERTYPE_IPV4) || air[4] !== AX25_ADDRESS_BYTES || air[5] !== 4) {
      return null;
    }
    const operation = readUint16(air, 6);
    const sender = decodeCallsign(air.subarray(8, 15));
    if (sender === null || (operation !== OPERATION_REQUEST && operation !== OPERATION_REPLY)) return null;
    // Unknown in a question: zeros, or whatever was there.
    const target = decodeCallsign(air.subarray(19, 26));
    return encodeArp({
      operation: operation === OPERATION_REQUEST ? 'request' : 'reply',
      senderMac: this.#macOf(sender),
      senderIp: air.subarray(15, 19),
      targetMac: target === null ? new Uint8Array(MAC_BYTES) : this.#macOf(target),
      targetIp: air.subarray(26, 30),
    });
  }
}
