/**
 * Tells the kernel the MAC address of every station whose IP address is known beforehand, for good. Otherwise it would
 * ask: its requests wait in the queue behind data, for a minute and more on a slow channel, and after three seconds
 * without an answer it throws away what was to be sent, without a trace in any counter of ours.
 */
import { isSluiceError } from '../base/errors.js';
import type { RouteNetlink } from '../netlink/route-netlink.js';
import type { NeighbourTable } from '../wire/address.js';
import { macOfCallsign, requireCallsign } from '../wire/ax25.js';
import { parseIpAddress, parsePrefix } from '../wire/ip-address.js';
import { MAX_STATION } from '../wire/packet.js';

/** The addresses that stand for a station: those of the table, and in each prefix the ones that end in its number. */
export function knownAddresses(
  neighbours: NeighbourTable,
  prefixes: readonly string[],
  table: Readonly<Record<string, number>>,
): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const text of Object.keys(table)) {
    const address = parseIpAddress(text);
    if (address !== null && !neighbours.isOwn(address)) found.push(address);
  }
  for (const text of prefixes) {
    const prefix = parsePrefix(text);
    if (prefix === null) continue;
    for (let station = 1; station <= MAX_STATION; station++) {
      const address = withHostPart(prefix.address, prefix.prefixBits, station);
      if (neighbours.isOwn(address) || neighbours.stationOf(address) !== station) continue;
      found.push(address);
    }
  }
  return found;
}

function withHostPart(address: Uint8Array, prefixBits: number, host: number): Uint8Array {
  const octets = address.map((octet, i) => octet & ~(0xff >> Math.min(8, Math.max(0, prefixBits - 8 * i))));
  const last = octets.length - 1;
  octets[last] = (octets[last] ?? 0) | host;
  return octets;
}

/**
 * The interface must be up.
 * @returns takes the entries away again
 * @throws SluiceError `privilege`, `system`
 */
export function installNeighbours(
  netlink: Pick<RouteNetlink, 'addNeighbour' | 'deleteNeighbour'>,
  ifindex: number,
  neighbours: NeighbourTable,
  prefixes: readonly string[],
  table: Readonly<Record<string, number>>,
): () => void {
  const entries = knownAddresses(neighbours, prefixes, table).map(
    (address) => [address, neighbours.macOf(address)] as const,
  );
  return install(netlink, ifindex, entries);
}

/**
 * As `installNeighbours`, for those known by callsign.
 * @param callsigns IPv4 address to callsign, both checked
 */
export function installCallsigns(
  netlink: Pick<RouteNetlink, 'addNeighbour' | 'deleteNeighbour'>,
  ifindex: number,
  callsigns: Readonly<Record<string, string>>,
): () => void {
  const entries = Object.entries(callsigns).map(([text, callsign]): [Uint8Array, Uint8Array] => [
    parseIpAddress(text) ?? new Uint8Array(4),
    macOfCallsign(requireCallsign(callsign, `interface.callsigns ${text}`)),
  ]);
  return install(netlink, ifindex, entries);
}

function install(
  netlink: Pick<RouteNetlink, 'addNeighbour' | 'deleteNeighbour'>,
  ifindex: number,
  entries: readonly (readonly [Uint8Array, Uint8Array | null])[],
): () => void {
  const installed: Uint8Array[] = [];
  for (const [address, mac] of entries) {
    if (mac === null) continue;
    netlink.addNeighbour(ifindex, address, mac);
    installed.push(address);
  }
  return () => {
    for (const address of installed) {
      try {
        netlink.deleteNeighbour(ifindex, address);
      } catch (error) {
        // Gone already: the kernel forgets all of them when the interface goes down.
        if (!isSluiceError(error)) throw error;
      }
    }
  };
}
