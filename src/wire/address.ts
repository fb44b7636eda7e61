/**
 * Who is who: station numbers, the MAC addresses of their TAPs, and the IP addresses behind which they sit.
 * All of it derives from the configuration, so that no station has to ask on the air.
 */
import { SluiceError } from '../base/errors.js';
import { sameOctets } from '../base/octets.js';
import { formatIpAddress, type Prefix, parseIpAddress, parsePrefix } from './ip-address.js';
import { MAX_STATION, type Station } from './packet.js';

export const MAC_BYTES = 6;

/** 02: locally administered, unicast (IEEE 802: the second bit of the first octet); 73 6c: "sl". */
const STATION_MAC_PREFIX = Uint8Array.of(0x02, 0x73, 0x6c, 0x00, 0x00);

export const BROADCAST_MAC: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** Stands for a peer whose station number is unknown, on links that carry nothing but IP. No station has it. */
export const PEER_MAC: Uint8Array = Uint8Array.of(0x02, 0x73, 0x6c, 0x00, 0x01, 0x00);

/** By station: each frame needs one or two of them. */
const STATION_MACS = Array.from({ length: MAX_STATION + 1 }, (_, station) =>
  Uint8Array.of(...STATION_MAC_PREFIX, station),
);

/**
 * 02:73:6C:00:00:NN for station NN. Not to be written to.
 * @throws SluiceError `internal` when it is no station (1 to 254).
 */
export function macOfStation(station: Station): Uint8Array {
  const mac = isStation(station) ? STATION_MACS[station] : undefined;
  if (mac === undefined) throw new SluiceError('internal', `station ${station} has no MAC address`);
  return mac;
}

/** The station whose MAC address this is, or null. */
export function stationOfMac(mac: Uint8Array): Station | null {
  const station = mac[MAC_BYTES - 1];
  if (mac.length !== MAC_BYTES || station === undefined || !isStation(station)) return null;
  for (let i = 0; i < STATION_MAC_PREFIX.length; i++) if (STATION_MAC_PREFIX[i] !== mac[i]) return null;
  return station;
}

export function isStation(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_STATION;
}

/** Group bit of an Ethernet address: multicast or broadcast. */
export function isGroupMac(mac: Uint8Array): boolean {
  return ((mac[0] ?? 0) & 1) === 1;
}

/** 224.0.0.0/4 (RFC 1112 section 4) or ff00::/8 (RFC 4291 section 2.7). */
export function isMulticastIp(ip: Uint8Array): boolean {
  const first = ip[0] ?? 0;
  return ip.length === 4 ? first >> 4 === 0xe : first === 0xff;
}

/** The MAC address of an IP multicast group (RFC 1112 section 6.4, RFC 2464 section 7), or null for other addresses. */
export function macOfMulticastIp(ip: Uint8Array): Uint8Array | null {
  if (!isMulticastIp(ip)) return null;
  if (ip.length === 4) return Uint8Array.of(0x01, 0x00, 0x5e, (ip[1] ?? 0) & 0x7f, ip[2] ?? 0, ip[3] ?? 0);
  return Uint8Array.of(0x33, 0x33, ...ip.subarray(12));
}

export interface NeighbourTableOptions {
  /** Our own. */
  readonly station: Station;
  /** Our own addresses, as `address/bits`. */
  readonly addresses: readonly string[];
  /** Stations of addresses that do not end in the station number. Goes before derivation; may name our own too. */
  readonly table?: Readonly<Record<string, Station>>;
}

/**
 * The station behind an IP address, in this order: our own addresses; the table; the host part within one of our
 * prefixes, when it is 1 to 254; the interface identifier that IPv6 makes of a station's MAC address (RFC 4291 appendix
 * A), in one of our /64 prefixes or link-local.
 */
export class NeighbourTable {
  readonly station: Station;
  readonly #own: readonly Prefix[];
  readonly #table: ReadonlyMap<string, Station>;

  /** @throws SluiceError `configuration` on an address or station that cannot be used. */
  constructor(options: NeighbourTableOptions) {
    if (!isStation(options.station)) throw wrongStation('station', options.station);
    this.station = options.station;
    this.#own = options.addresses.map(ownPrefix);
    this.#table = new Map(Object.entries(options.table ?? {}).map(([text, station]) => tableEntry(text, station)));
  }

  /** `ip`: 4 or 16 octets. Null for nobody: unknown, multicast, broadcast, unspecified. */
  stationOf(ip: Uint8Array): Station | null {
    if (this.isOwn(ip)) return this.station;
    if (isMulticastIp(ip) || ip.every((octet) => octet === 0)) return null;
    const listed = this.#table.get(formatIpAddress(ip));
    if (listed !== undefined) return listed;
    const derived = this.#derive(ip);
    // An address that is not ours cannot be at our own station, whatever its host part says.
    return derived === this.station && !isStationLinkLocal(ip) ? null : derived;
  }

  /** The MAC address of the station behind an IP address, or null. */
  macOf(ip: Uint8Array): Uint8Array | null {
    const station = this.stationOf(ip);
    return station === null ? null : macOfStation(station);
  }

  isOwn(ip: Uint8Array): boolean {
    return this.#own.some((prefix) => sameOctets(prefix.address, ip));
  }

  /** 255.255.255.255, or all ones in the host part of one of our IPv4 prefixes (RFC 919 section 7). */
  isBroadcast(ip: Uint8Array): boolean {
    if (ip.length !== 4) return false;
    return ip.every((octet) => octet === 0xff) || this.#own.some((prefix) => isSubnetBroadcast(ip, prefix));
  }

  #derive(ip: Uint8Array): Station | null {
    if (this.isBroadcast(ip)) return null;
    for (const prefix of this.#own) {
      if (!inPrefix(ip, prefix)) continue;
      const station =
        stationOfHostPart(ip, prefix.prefixBits) ?? (prefix.prefixBits === 64 ? stationOfEui64(ip) : null);
      if (station !== null) return station;
    }
    return isStationLinkLocal(ip) ? stationOfEui64(ip) : null;
  }
}

function ownPrefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null || isMulticastIp(prefix.address)) {
    throw new SluiceError('configuration', `"${text}" is no address of an interface`, {
      subject: text,
      remedy: 'Give each address with its prefix length, as in 10.9.0.3/24 or fd00:9::3/64.',
    });
  }
  return prefix;
}

function tableEntry(text: string, station: Station): readonly [string, Station] {
  const ip = parseIpAddress(text);
  if (ip === null || isMulticastIp(ip)) {
    throw new SluiceError('configuration', `"${text}" in the neighbour table is no address of a station`, {
      subject: text,
      remedy: 'Write one IP address without a prefix length, as in 10.9.0.3 or fd00:9::3.',
    });
  }
  if (!isStation(station)) throw wrongStation(text, station);
  return [formatIpAddress(ip), station];
}

function wrongStation(subject: string, station: number): SluiceError {
  return new SluiceError('configuration', `${subject}: ${station} is no station number`, {
    subject,
    remedy: `Choose a whole number from 1 to ${MAX_STATION}.`,
  });
}

/** The bits of octet `i` that belong to the host part. */
function hostMask(i: number, prefixBits: number): number {
  return 0xff >> Math.min(8, Math.max(0, prefixBits - 8 * i));
}

function inPrefix(ip: Uint8Array, { address, prefixBits }: Prefix): boolean {
  if (ip.length !== address.length) return false;
  return ip.every((octet, i) => ((octet ^ (address[i] ?? 0)) & ~hostMask(i, prefixBits) & 0xff) === 0);
}

/** The last octet of the host part when the rest of it is zero. */
function stationOfHostPart(ip: Uint8Array, prefixBits: number): Station | null {
  const host = ip.map((octet, i) => octet & hostMask(i, prefixBits));
  const last = host.length - 1;
  const station = host[last] ?? 0;
  return isStation(station) && host.every((octet, i) => i === last || octet === 0) ? station : null;
}

/** In a /31 or /32 nothing is a broadcast address (RFC 3021 section 2.1). */
function isSubnetBroadcast(ip: Uint8Array, prefix: Prefix): boolean {
  if (prefix.prefixBits > 30 || !inPrefix(ip, prefix)) return false;
  return ip.every((octet, i) => (octet | (~hostMask(i, prefix.prefixBits) & 0xff)) === 0xff);
}

/** MAC address from a modified EUI-64: ff:fe in the middle, universal bit inverted (RFC 4291 appendix A). */
function stationOfEui64(ip: Uint8Array): Station | null {
  const id = ip.subarray(8);
  if (id.length !== 8 || id[3] !== 0xff || id[4] !== 0xfe) return null;
  return stationOfMac(Uint8Array.of((id[0] ?? 0) ^ 0x02, ...id.subarray(1, 3), ...id.subarray(5)));
}

/** fe80::/64 (RFC 4291 section 2.5.6) with the interface identifier of a station. */
function isStationLinkLocal(ip: Uint8Array): boolean {
  if (ip.length !== 16 || ip[0] !== 0xfe || ip[1] !== 0x80) return false;
  return ip.subarray(2, 8).every((octet) => octet === 0) && stationOfEui64(ip) !== null;
}
