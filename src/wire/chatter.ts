/**
 * What hosts say to nobody in particular, and a slow channel cannot afford: recognised here, so that it can be kept off
 * the air. ARP and neighbour discovery are in local-answers.ts, since some of it has an answer.
 */
import type { DropCause } from '../base/drops.js';
import { isMulticastIp } from './address.js';
import { type IpPacket, PROTOCOL_ICMPV6, PROTOCOL_IGMP, PROTOCOL_UDP } from './ip.js';

/** Which kinds are kept off the air; each can be let through. */
export interface ChatterFilters {
  readonly arp: boolean;
  readonly nd: boolean;
  readonly mld: boolean;
  readonly igmp: boolean;
  readonly mdns: boolean;
  readonly llmnr: boolean;
  readonly ssdp: boolean;
  readonly dhcp: boolean;
}

export const ALL_FILTERS: ChatterFilters = {
  arp: true,
  nd: true,
  mld: true,
  igmp: true,
  mdns: true,
  llmnr: true,
  ssdp: true,
  dhcp: true,
};

/** RFC 2710 section 3 (query, report, done) and RFC 3810 section 5.2 (version 2 report). */
const ICMPV6_MLD_TYPES: readonly (number | undefined)[] = [130, 131, 132, 143];
/** RFC 6762 section 5.1. */
const PORT_MDNS = 5353;
/** RFC 4795 section 2. */
const PORT_LLMNR = 5355;
/** UPnP Device Architecture 2.0, "Discovery". */
const PORT_SSDP = 1900;
/** RFC 2131 section 4.1 (server, client) and RFC 8415 section 7.2 (client, server). */
const PORTS_DHCP4: readonly (number | null)[] = [67, 68];
const PORTS_DHCP6: readonly (number | null)[] = [546, 547];

/** Why this packet stays at home, or null when it goes. */
export function chatterCause(packet: IpPacket, filters: ChatterFilters): DropCause | null {
  switch (packet.protocol) {
    case PROTOCOL_IGMP:
      return filters.igmp && packet.version === 4 ? 'chatter-igmp' : null;
    case PROTOCOL_ICMPV6:
      return filters.mld && packet.version === 6 && ICMPV6_MLD_TYPES.includes(packet.upper[0]) ? 'chatter-mld' : null;
    case PROTOCOL_UDP:
      return udpCause(packet, filters);
    default:
      return null;
  }
}

/**
 * Name and service discovery only where it is addressed to a group: one station's question to one other was asked on
 * purpose. DHCP in every form: renewals are unicast, and addresses come from the configuration here.
 */
function udpCause(packet: IpPacket, filters: ChatterFilters): DropCause | null {
  const port = packet.destinationPort;
  if (filters.dhcp && (packet.version === 4 ? PORTS_DHCP4 : PORTS_DHCP6).includes(port)) return 'chatter-dhcp';
  if (!isMulticastIp(packet.destination)) return null;
  switch (port) {
    case PORT_MDNS:
      return filters.mdns ? 'chatter-mdns' : null;
    case PORT_LLMNR:
      return filters.llmnr ? 'chatter-llmnr' : null;
    case PORT_SSDP:
      return filters.ssdp ? 'chatter-ssdp' : null;
    default:
      return null;
  }
}
