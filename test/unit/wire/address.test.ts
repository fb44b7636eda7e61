/** Stations, their MAC addresses, and who is behind an IP address. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/base/errors.js';
import {
  BROADCAST_MAC,
  macOfMulticastIp,
  macOfStation,
  NeighbourTable,
  PEER_MAC,
  stationOfMac,
} from '../../../src/wire/address.js';
import { parseIpAddress } from '../../../src/wire/ip-address.js';
import { hex } from './frames.js';

function ip(text: string): Uint8Array {
  const octets = parseIpAddress(text);
  if (octets === null) throw new Error(text);
  return octets;
}

describe('MAC addresses', () => {
  it('derive from the station, and back', () => {
    expect(macOfStation(3)).toEqual(hex('02:73:6c:00:00:03'));
    for (let station = 1; station <= 254; station++) expect(stationOfMac(macOfStation(station))).toBe(station);
  });

  it('of nobody are nobody', () => {
    for (const mac of [BROADCAST_MAC, PEER_MAC, hex('02736c000000'), hex('02736c0000ff'), hex('02736c000103')]) {
      expect(stationOfMac(mac)).toBeNull();
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5 }), (mac) => {
        expect(stationOfMac(mac)).toBeNull();
      }),
    );
  });

  it.each([0, 255, 1.5, -1])('station %d has none', (station) => {
    expect(() => macOfStation(station)).toThrow(SluiceError);
  });

  it('of groups follow RFC 1112 and RFC 2464', () => {
    expect(macOfMulticastIp(ip('239.129.2.3'))).toEqual(hex('01005e010203'));
    expect(macOfMulticastIp(ip('224.0.0.251'))).toEqual(hex('01005e0000fb'));
    expect(macOfMulticastIp(ip('ff02::1:ff00:9'))).toEqual(hex('3333ff000009'));
    expect(macOfMulticastIp(ip('10.9.0.3'))).toBeNull();
    expect(macOfMulticastIp(ip('fe80::1'))).toBeNull();
  });
});

describe('NeighbourTable', () => {
  const table = new NeighbourTable({
    station: 3,
    addresses: ['10.9.0.3/24', '172.16.0.3/16', '192.168.7.129/30', '192.168.8.1/29', 'fd00:9::3/64', 'fd00:a::3/120'],
    table: { '10.9.0.77': 5, '198.51.100.1': 6, 'fd00:B::1': 7, '10.9.0.3': 9 },
  });

  it.each<[string, number | null]>([
    // The host part.
    ['10.9.0.1', 1],
    ['10.9.0.254', 254],
    ['10.9.0.0', null],
    ['10.9.0.255', null],
    ['172.16.0.9', 9],
    ['172.16.1.9', null],
    ['172.16.0.255', null],
    // In 192.168.7.128/30 the host parts are 1 and 2; 3 is the broadcast address.
    ['192.168.7.130', 2],
    ['192.168.7.131', null],
    ['192.168.7.133', null],
    ['192.168.8.6', 6],
    ['192.168.8.7', null],
    ['fd00:9::1', 1],
    ['fd00:9::1:1', null],
    ['fd00:9::', null],
    ['fd00:9::ff', null],
    ['fd00:a::fe', 254],
    ['fd00:a::1:1', null],
    // Our own, also where the host part says otherwise, and where the table does.
    ['10.9.0.3', 3],
    ['192.168.7.129', 3],
    // A host part that would be us, at an address that is not ours: 192.168.7.128/30 has no 3, 10.8.0.3 is foreign.
    ['10.8.0.3', null],
    // The table.
    ['10.9.0.77', 5],
    ['198.51.100.1', 6],
    ['fd00:b::1', 7],
    // Identifiers from MAC addresses.
    ['fe80::73:6cff:fe00:8', 8],
    ['fe80::73:6cff:fe00:3', 3],
    ['fd00:9::73:6cff:fe00:8', 8],
    ['fe80::73:6cff:fe00:ff', null],
    ['fe80::73:6cff:fe01:8', null],
    ['fe80:0:0:1:73:6cff:fe00:8', null],
    ['fe80::8', null],
    // Nobody.
    ['0.0.0.0', null],
    ['255.255.255.255', null],
    ['224.0.0.1', null],
    ['ff02::1', null],
    ['::', null],
    ['8.8.8.8', null],
  ])('%s is station %s', (text, station) => {
    expect(table.stationOf(ip(text))).toBe(station);
    expect(table.macOf(ip(text))).toEqual(station === null ? null : macOfStation(station));
  });

  it('takes no foreign address for our own station', () => {
    const shifted = new NeighbourTable({ station: 3, addresses: ['10.9.0.7/24'] });
    expect(shifted.stationOf(ip('10.9.0.7'))).toBe(3);
    expect(shifted.stationOf(ip('10.9.0.3'))).toBeNull();
  });

  it('knows broadcast addresses', () => {
    expect(
      ['255.255.255.255', '10.9.0.255', '172.16.255.255', '192.168.7.131'].map((a) => table.isBroadcast(ip(a))),
    ).toEqual([true, true, true, true]);
    expect(['10.9.0.3', '10.8.0.255', '172.16.0.255', 'fd00:9::ff'].map((a) => table.isBroadcast(ip(a)))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    const pair = new NeighbourTable({ station: 1, addresses: ['10.9.0.1/31', '10.9.9.9/32'] });
    expect(pair.isBroadcast(ip('10.9.0.1'))).toBe(false);
    expect(pair.isBroadcast(ip('10.9.9.9'))).toBe(false);
  });

  it('gives a station or nobody for any address, and never a broadcast', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const station = table.stationOf(ip(text));
        expect(station === null || (station >= 1 && station <= 254)).toBe(true);
      }),
    );
  });

  it.each<[string, ConstructorParameters<typeof NeighbourTable>[0]]>([
    ['an address without a prefix', { station: 1, addresses: ['10.9.0.1'] }],
    ['a group as own address', { station: 1, addresses: ['224.0.0.1/24'] }],
    ['station 0', { station: 0, addresses: [] }],
    ['station 255', { station: 255, addresses: [] }],
    ['station 255 in the table', { station: 1, addresses: [], table: { '10.9.0.1': 255 } }],
    ['a prefix in the table', { station: 1, addresses: [], table: { '10.9.0.1/24': 2 } }],
  ])('refuses %s with a remedy', (_name, options) => {
    expect(() => new NeighbourTable(options)).toThrow(
      expect.objectContaining({
        code: 'configuration',
        details: expect.objectContaining({ remedy: expect.any(String) }),
      }),
    );
  });
});
