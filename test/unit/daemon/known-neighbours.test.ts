/** Which IP addresses are known beforehand, and that none of the entries stays. */
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/base/errors.js';
import { installNeighbours, knownAddresses } from '../../../src/daemon/known-neighbours.js';
import { NeighbourTable } from '../../../src/wire/address.js';
import { formatIpAddress } from '../../../src/wire/ip-address.js';

function known(prefixes: readonly string[], table: Record<string, number> = {}): string[] {
  const neighbours = new NeighbourTable({ station: 1, addresses: prefixes, table });
  return knownAddresses(neighbours, prefixes, table).map(formatIpAddress);
}

describe('known addresses', () => {
  it('are those of the stations 1 to 254 in a /24, without our own', () => {
    const addresses = known(['10.0.0.1/24']);
    expect(addresses).toHaveLength(253);
    expect(addresses[0]).toBe('10.0.0.2');
    expect(addresses.at(-1)).toBe('10.0.0.254');
  });

  it('leave out the network, its broadcast address and what lies outside', () => {
    expect(known(['192.168.7.17/29'])).toEqual(['18', '19', '20', '21', '22'].map((last) => `192.168.7.${last}`));
    expect(known(['10.0.0.1/32'])).toEqual([]);
  });

  it('end in the station number in large networks too', () => {
    expect(known(['172.16.0.1/12'])).toContain('172.16.0.200');
    expect(known(['fd00:9::1/64'])).toContain('fd00:9::c8');
  });

  it('are those of the table first, each once', () => {
    const addresses = known(['10.0.0.1/24'], { '192.0.2.9': 9, '10.0.0.77': 5 });
    expect(addresses.slice(0, 2)).toEqual(['192.0.2.9', '10.0.0.77']);
    expect(addresses.filter((each) => each === '10.0.0.77')).toHaveLength(1);
  });

  it('do not include our own, even where the table names it', () => {
    expect(known(['10.0.0.1/30'], { '10.0.0.1': 1 })).toEqual(['10.0.0.2']);
  });
});

describe('entries', () => {
  it('have the MAC of the station that the table names, and are taken away again', () => {
    const entries = new Map<string, number>();
    const table = { '10.0.0.77': 5 };
    const neighbours = new NeighbourTable({ station: 1, addresses: ['10.0.0.1/24'], table });
    const netlink = {
      addNeighbour: (_: number, address: Uint8Array, mac: Uint8Array) =>
        void entries.set(formatIpAddress(address), mac.at(-1) ?? 0),
      deleteNeighbour: (_: number, address: Uint8Array) => {
        entries.delete(formatIpAddress(address));
        // As the kernel says for what is gone already.
        if (address[3] === 3) throw new SluiceError('system', 'ENOENT');
      },
    };
    const forget = installNeighbours(netlink, 7, neighbours, ['10.0.0.1/24'], table);
    expect(entries.size).toBe(253);
    expect(entries.get('10.0.0.77')).toBe(5);
    expect(entries.get('10.0.0.2')).toBe(2);
    forget();
    expect(entries.size).toBe(0);
  });
});
