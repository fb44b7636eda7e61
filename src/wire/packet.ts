/** What the MAC carries between two stations, before and after it has a link header. */
import type { DropCause } from '../base/drops.js';

/** One octet: 1 to 254 names a station, 255 all of them; 0 is never on the air. */
export type Station = number;

export const BROADCAST: Station = 255;
export const MAX_STATION: Station = 254;

/** How a payload is to be read. `raw` is for encapsulations without our link frame: the octets are all there is. */
export type PayloadKind = 'ip' | 'arp' | 'ethernet' | 'raw';

export interface OutboundPacket {
  readonly destination: Station;
  readonly kind: PayloadKind;
  readonly payload: Uint8Array;
  /** 0 (background) to 7 (network control), as SO_PRIORITY and 802.1p count; best effort is 0 too unless marked. */
  readonly priority: number;
}

export interface InboundPacket {
  readonly source: Station;
  readonly destination: Station;
  readonly kind: PayloadKind;
  readonly payload: Uint8Array;
}

/** How the Ethernet frames of the TAP and the packets of the MAC become each other. */
export interface Encapsulation {
  /** An Ethernet frame from the TAP, for the air. The payload is a view into it. */
  outbound(frame: Uint8Array): OutboundPacket | DropCause;
  /** A packet from the air, as an Ethernet frame for the TAP. May be a view into the packet. */
  inbound(packet: InboundPacket): Uint8Array | DropCause;
  /** The most octets that a payload may have beyond the IP packet in it; link header and FCS are not counted. */
  readonly headerBytes: number;
}
