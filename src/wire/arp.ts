/** ARP for IPv4 over Ethernet (RFC 826): 28 octets, read and built. */
import { ETHERTYPE_IPV4, readUint16, writeUint16 } from './ethernet.js';

export const ARP_BYTES = 28;

/** RFC 826 "Packet format". */
const HARDWARE_ETHERNET = 1;
const OPERATION_REQUEST = 1;
const OPERATION_REPLY = 2;

export interface ArpPacket {
  readonly operation: 'request' | 'reply';
  /** MAC addresses of 6 octets, IPv4 addresses of 4; views when parsed. */
  readonly senderMac: Uint8Array;
  readonly senderIp: Uint8Array;
  readonly targetMac: Uint8Array;
  readonly targetIp: Uint8Array;
}

/** Null for anything but a request or reply for IPv4 over Ethernet; octets behind it (padding) are not looked at. */
export function parseArp(octets: Uint8Array): ArpPacket | null {
  if (octets.length < ARP_BYTES) return null;
  if (readUint16(octets, 0) !== HARDWARE_ETHERNET || readUint16(octets, 2) !== ETHERTYPE_IPV4) return null;
  if (octets[4] !== 6 || octets[5] !== 4) return null;
  const operation = readUint16(octets, 6);
  if (operation !== OPERATION_REQUEST && operation !== OPERATION_REPLY) return null;
  return {
    operation: operation === OPERATION_REQUEST ? 'request' : 'reply',
    senderMac: octets.subarray(8, 14),
    senderIp: octets.subarray(14, 18),
    targetMac: octets.subarray(18, 24),
    targetIp: octets.subarray(24, 28),
  };
}

export function encodeArp(packet: ArpPacket): Uint8Array {
  const octets = new Uint8Array(ARP_BYTES);
  writeUint16(octets, 0, HARDWARE_ETHERNET);
  writeUint16(octets, 2, ETHERTYPE_IPV4);
  octets[4] = 6;
  octets[5] = 4;
  writeUint16(octets, 6, packet.operation === 'request' ? OPERATION_REQUEST : OPERATION_REPLY);
  octets.set(packet.senderMac, 8);
  octets.set(packet.senderIp, 14);
  octets.set(packet.targetMac, 18);
  octets.set(packet.targetIp, 24);
  return octets;
}
