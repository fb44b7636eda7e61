/**
 * For a TAP that has another MAC address than its station's, because we may not set it: between TAP and encapsulation the
 * one stands for the other, so that all stations still know each other by number. With equal addresses nothing is done.
 */
import type { DropCause } from '../base/drops.js';
import { sameOctets } from '../base/octets.js';
import { macOfStation } from './address.js';
import { ARP_BYTES } from './arp.js';
import { ETHERNET_HEADER_BYTES, ETHERTYPE_ARP, parseEthernet } from './ethernet.js';
import type { Encapsulation, InboundPacket, OutboundPacket, Station } from './packet.js';

const SOURCE_OFFSET = 6;
/** Sender and target hardware address in an ARP packet for Ethernet and IPv4 (RFC 826). */
const ARP_SENDER_OFFSET = 8;
const ARP_TARGET_OFFSET = 18;

export class MacTranslation implements Encapsulation {
  readonly headerBytes: number;
  readonly #encapsulation: Encapsulation;
  readonly #stationMac: Uint8Array;
  #tapMac: Uint8Array;

  /** @param tapMac the address that the TAP has */
  constructor(encapsulation: Encapsulation, station: Station, tapMac: Uint8Array) {
    this.headerBytes = encapsulation.headerBytes;
    this.#encapsulation = encapsulation;
    this.#stationMac = macOfStation(station);
    this.#tapMac = tapMac;
  }

  /** The TAP's address was changed. */
  set tapMac(mac: Uint8Array) {
    this.#tapMac = mac;
  }

  outbound(frame: Uint8Array): OutboundPacket | DropCause {
    if (this.#same()) return this.#encapsulation.outbound(frame);
    return this.#encapsulation.outbound(
      translated(frame, this.#tapMac, this.#stationMac, SOURCE_OFFSET, ARP_SENDER_OFFSET),
    );
  }

  inbound(packet: InboundPacket): Uint8Array | DropCause {
    const frame = this.#encapsulation.inbound(packet);
    if (typeof frame === 'string' || this.#same()) return frame;
    return translated(frame, this.#stationMac, this.#tapMac, 0, ARP_TARGET_OFFSET);
  }

  #same(): boolean {
    return sameOctets(this.#tapMac, this.#stationMac);
  }
}

/** A copy with `to` wherever `from` stands: in the Ethernet header at `offset`, and in an ARP packet at `arpOffset`. */
function translated(
  frame: Uint8Array,
  from: Uint8Array,
  to: Uint8Array,
  offset: number,
  arpOffset: number,
): Uint8Array {
  const ethernet = parseEthernet(frame);
  if (ethernet === null) return frame;
  const copy = frame.slice();
  const replace = (at: number): void => {
    if (sameOctets(copy.subarray(at, at + from.length), from)) copy.set(to, at);
  };
  replace(offset);
  const isArp = ethernet.etherType === ETHERTYPE_ARP && ethernet.vlanPriority === null;
  if (isArp && frame.length >= ETHERNET_HEADER_BYTES + ARP_BYTES) replace(ETHERNET_HEADER_BYTES + arpOffset);
  return copy;
}
