/**
 * What a frame from the TAP gets before it may cost airtime: an answer from home (ARP and neighbour solicitation for a
 * station that we know), a drop with its cause (chatter), or the way to the air.
 */
import type { DropCause } from '../base/drops.js';
import { sameOctets } from '../base/octets.js';
import { macOfStation, type NeighbourTable, PEER_MAC } from './address.js';
import { type ArpPacket, encodeArp, parseArp } from './arp.js';
import { type ChatterFilters, chatterCause } from './chatter.js';
import {
  buildEthernet,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  type EthernetFrame,
  parseEthernet,
} from './ethernet.js';
import { type IpPacket, PROTOCOL_ICMPV6, parseIp } from './ip.js';
import {
  encodeNeighbourMessage,
  ICMPV6_NEIGHBOUR_ADVERTISEMENT,
  ICMPV6_NEIGHBOUR_SOLICITATION,
  ICMPV6_ROUTER_SOLICITATION,
  type NeighbourMessage,
  parseNeighbourMessage,
} from './neighbour-discovery.js';

export type LocalDecision =
  | { readonly action: 'send' }
  /** An Ethernet frame for our own TAP; nothing goes on the air. */
  | { readonly action: 'answer'; readonly reply: Uint8Array }
  | { readonly action: 'drop'; readonly cause: DropCause };

/**
 * What becomes of a question for an address that no station is known for: nothing (`drop`), the air (`send`), or the
 * answer PEER_MAC (`peer`), for links that carry IP alone, where everything goes to whoever is at the other end.
 */
export type UnknownNeighbour = 'drop' | 'send' | 'peer';

export interface HomeFilterOptions {
  readonly neighbours: NeighbourTable;
  readonly filters: ChatterFilters;
  /** `drop` unless set; a filter that is off (arp, nd) sends in place of dropping. */
  readonly unknownNeighbour?: UnknownNeighbour;
  /** False when the peers are not sluice and have MAC addresses of their own: every question goes out. True unless set. */
  readonly answerAtHome?: boolean;
}

const SEND: LocalDecision = { action: 'send' };

export class HomeFilter {
  readonly #neighbours: NeighbourTable;
  readonly #filters: ChatterFilters;
  readonly #unknown: UnknownNeighbour;
  readonly #answerAtHome: boolean;

  constructor(options: HomeFilterOptions) {
    this.#neighbours = options.neighbours;
    this.#filters = options.filters;
    this.#unknown = options.unknownNeighbour ?? 'drop';
    this.#answerAtHome = options.answerAtHome ?? true;
  }

  /** Frames that make no sense here are sent: the encapsulation has its own word on them. */
  decide(frame: Uint8Array): LocalDecision {
    const ethernet = parseEthernet(frame);
    if (ethernet === null) return SEND;
    switch (ethernet.etherType) {
      case ETHERTYPE_ARP:
        return this.#decideArp(ethernet);
      case ETHERTYPE_IPV4:
      case ETHERTYPE_IPV6:
        return this.#decideIp(ethernet);
      default:
        return SEND;
    }
  }

  #decideIp(ethernet: EthernetFrame): LocalDecision {
    const packet = parseIp(ethernet.payload);
    if (packet === null) return SEND;
    const cause = chatterCause(packet, this.#filters);
    if (cause !== null) return { action: 'drop', cause };
    return packet.version === 6 && packet.protocol === PROTOCOL_ICMPV6 ? this.#decideNd(ethernet, packet) : SEND;
  }

  #decideArp(ethernet: EthernetFrame): LocalDecision {
    const arp = parseArp(ethernet.payload);
    // The neighbours of a VLAN are not those of our table.
    if (arp === null || ethernet.vlanPriority !== null) return SEND;
    if (isArpAnnouncement(arp)) return this.#drop('arp');
    if (arp.operation === 'reply') return SEND;
    const mac = this.#answerFor(arp.targetIp);
    if (mac === 'drop') return this.#drop('arp');
    if (mac === 'send') return SEND;
    const reply = encodeArp({
      operation: 'reply',
      senderMac: mac,
      senderIp: arp.targetIp,
      targetMac: arp.senderMac,
      targetIp: arp.senderIp,
    });
    return { action: 'answer', reply: buildEthernet(ethernet.source, mac, ETHERTYPE_ARP, reply) };
  }

  #decideNd(ethernet: EthernetFrame, packet: IpPacket): LocalDecision {
    const icmpType = packet.upper[0];
    if (icmpType === ICMPV6_ROUTER_SOLICITATION) return this.#drop('nd');
    if (icmpType !== ICMPV6_NEIGHBOUR_SOLICITATION && icmpType !== ICMPV6_NEIGHBOUR_ADVERTISEMENT) return SEND;
    if (ethernet.vlanPriority !== null) return SEND;
    const message = parseNeighbourMessage(packet);
    // Whoever received an invalid one would drop it (RFC 4861 section 7.1).
    if (message === null) return this.#drop('nd');
    if (message.type === 'advertisement') return message.solicited ? SEND : this.#drop('nd');
    // From the unspecified address: duplicate address detection (RFC 4862 section 5.4.2).
    if (message.source.every((octet) => octet === 0)) return this.#drop('nd');
    const mac = this.#answerFor(message.target);
    if (mac === 'drop') return this.#drop('nd');
    if (mac === 'send') return SEND;
    const reply = encodeNeighbourMessage(advertisement(message, mac));
    return { action: 'answer', reply: buildEthernet(ethernet.source, mac, ETHERTYPE_IPV6, reply) };
  }

  /** The MAC address to answer with, or what else to do. */
  #answerFor(ip: Uint8Array): Uint8Array | 'drop' | 'send' {
    const station = this.#neighbours.stationOf(ip);
    // Nobody on the air can tell us where we are.
    if (station === this.#neighbours.station) return 'drop';
    if (!this.#answerAtHome) return 'send';
    if (station !== null) return macOfStation(station);
    return this.#unknown === 'peer' ? PEER_MAC : this.#unknown;
  }

  #drop(kind: 'arp' | 'nd'): LocalDecision {
    return this.#filters[kind] ? { action: 'drop', cause: `chatter-${kind}` } : SEND;
  }
}

/** Announcements and probes of one's own address (RFC 5227 section 1.1); an answer to a probe would mean a conflict. */
function isArpAnnouncement(arp: ArpPacket): boolean {
  return sameOctets(arp.senderIp, arp.targetIp) || arp.senderIp.every((octet) => octet === 0);
}

function advertisement(question: NeighbourMessage, mac: Uint8Array): NeighbourMessage {
  return {
    type: 'advertisement',
    source: question.target,
    destination: question.source,
    target: question.target,
    mac,
    router: false,
    solicited: true,
    override: true,
  };
}
