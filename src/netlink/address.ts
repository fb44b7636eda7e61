/** Addresses and neighbours: struct ifaddrmsg of if_addr.h, struct ndmsg of neighbour.h. */

import { SluiceError } from '../base/errors.js';
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  IFA_ADDRESS,
  IFA_BROADCAST,
  IFA_F_NODAD,
  IFA_LOCAL,
  NDA_DST,
  NDA_LLADDR,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  NUD_PERMANENT,
  RTM_DELADDR,
  RTM_DELNEIGH,
  RTM_GETADDR,
  RTM_NEWADDR,
  RTM_NEWNEIGH,
} from './constants.js';
import { MessageWriter, OctetReader } from './message.js';

const IFADDRMSG_BYTES = 8;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
/** A broadcast address makes no sense on networks of two addresses or one (RFC 3021). */
const LONGEST_IPV4_PREFIX_WITH_BROADCAST = 30;

export interface InterfaceAddress {
  /** Four octets for IPv4, sixteen for IPv6. */
  readonly address: Uint8Array;
  readonly prefixLength: number;
}

function familyOf(address: Uint8Array): number {
  if (address.length === IPV4_BYTES) return AF_INET;
  if (address.length === IPV6_BYTES) return AF_INET6;
  throw new SluiceError('internal', `an IP address has 4 or 16 octets, not ${address.length}`);
}

function broadcastOf(address: Uint8Array, prefixLength: number): Uint8Array {
  return address.map((octet, i) => {
    const networkBits = Math.min(8, Math.max(0, prefixLength - 8 * i));
    return octet | (0xff >>> networkBits);
  });
}

/**
 * Gives an interface an address; where it has that address already, nothing changes. IPv4 gets the broadcast address of
 * its prefix. IPv6 goes without duplicate address detection (RFC 4862, section 5.4): on a slow channel its
 * solicitations cost airtime, and addresses come from the station number, which must be unique anyway.
 */
export function newAddressMessage(ifindex: number, { address, prefixLength }: InterfaceAddress): MessageWriter {
  const family = familyOf(address);
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 8 * address.length) {
    throw new SluiceError('configuration', `prefix length ${prefixLength} is outside 0 to ${8 * address.length}`, {
      remedy: 'Give the address with a prefix length of its family.',
    });
  }
  const writer = new MessageWriter(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)
    .u8(family)
    .u8(prefixLength)
    .u8(family === AF_INET6 ? IFA_F_NODAD : 0)
    .u8(0)
    .u32(ifindex)
    .attributeOctets(IFA_LOCAL, address);
  if (family === AF_INET && prefixLength <= LONGEST_IPV4_PREFIX_WITH_BROADCAST) {
    writer.attributeOctets(IFA_BROADCAST, broadcastOf(address, prefixLength));
  }
  return writer.attributeOctets(IFA_ADDRESS, address);
}

/** Takes one of an interface's addresses away. */
export function deleteAddressMessage(ifindex: number, { address, prefixLength }: InterfaceAddress): MessageWriter {
  return new MessageWriter(RTM_DELADDR, NLM_F_REQUEST | NLM_F_ACK)
    .u8(familyOf(address))
    .u8(prefixLength)
    .u8(0)
    .u8(0)
    .u32(ifindex)
    .attributeOctets(IFA_LOCAL, address);
}

/** Asks for those of all interfaces. */
export function dumpAddressesMessage(): MessageWriter {
  return new MessageWriter(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP).u8(AF_UNSPEC).u8(0).u8(0).u8(0).u32(0);
}

/** Reads the payload of an RTM_NEWADDR; throws SluiceError `system` when it is malformed. */
export function parseAddress(payload: Uint8Array): InterfaceAddress & { readonly ifindex: number } {
  const reader = new OctetReader(payload, 'address message');
  const attributes = reader.attributes(IFADDRMSG_BYTES);
  // On a point-to-point link IFA_ADDRESS is the other end's; IPv6 tells only that one where there is no other end.
  const own = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  return { ifindex: reader.u32(4), prefixLength: reader.u8(1), address: own?.octets() ?? new Uint8Array(0) };
}

/** A permanent neighbour entry: nobody is asked for this address any more. */
export function newNeighbourMessage(ifindex: number, address: Uint8Array, mac: Uint8Array): MessageWriter {
  return new MessageWriter(RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)
    .u8(familyOf(address))
    .u8(0)
    .u16(0)
    .u32(ifindex)
    .u16(NUD_PERMANENT)
    .u8(0)
    .u8(0)
    .attributeOctets(NDA_DST, address)
    .attributeOctets(NDA_LLADDR, mac);
}

/** Forgets a neighbour, a permanent one too. */
export function deleteNeighbourMessage(ifindex: number, address: Uint8Array): MessageWriter {
  return new MessageWriter(RTM_DELNEIGH, NLM_F_REQUEST | NLM_F_ACK)
    .u8(familyOf(address))
    .u8(0)
    .u16(0)
    .u32(ifindex)
    .u16(0)
    .u8(0)
    .u8(0)
    .attributeOctets(NDA_DST, address);
}
