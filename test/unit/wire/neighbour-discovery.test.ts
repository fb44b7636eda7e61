/** IPv6 neighbour solicitations and advertisements. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIp } from '../../../src/wire/ip.js';
import {
  encodeNeighbourMessage,
  type NeighbourMessage,
  parseNeighbourMessage,
} from '../../../src/wire/neighbour-discovery.js';
import { hex, icmpv6, ipv6, join, stationMac } from './frames.js';

const asker = hex('fe800000000000000073 6cfffe000003');
const target = hex('fd000009000000000000000000000001');
const group = hex('ff0200000000000000000001ff000001');
const solicitation = join([135, 0, 0, 0, 0, 0, 0, 0], target, [1, 1], stationMac(3));

function read(packet: Uint8Array): NeighbourMessage | null {
  const ip = parseIp(packet);
  return ip === null ? null : parseNeighbourMessage(ip);
}

describe('neighbour messages', () => {
  it('solicitation', () => {
    const packet = icmpv6(asker, group, solicitation);
    const message: NeighbourMessage = {
      type: 'solicitation',
      source: asker,
      destination: group,
      target,
      mac: stationMac(3),
      router: false,
      solicited: false,
      override: false,
    };
    expect(read(packet)).toEqual(message);
    expect(encodeNeighbourMessage(message)).toEqual(packet);
  });

  it('advertisement', () => {
    const packet = icmpv6(target, asker, join([136, 0, 0, 0, 0x60, 0, 0, 0], target, [2, 1], stationMac(1)));
    const message: NeighbourMessage = {
      type: 'advertisement',
      source: target,
      destination: asker,
      target,
      mac: stationMac(1),
      router: false,
      solicited: true,
      override: true,
    };
    expect(read(packet)).toEqual(message);
    expect(encodeNeighbourMessage(message)).toEqual(packet);
  });

  it('finds its option behind another, and does without', () => {
    const nonce = [14, 1, 1, 2, 3, 4, 5, 6];
    const bare = solicitation.subarray(0, 24);
    expect(read(icmpv6(asker, group, join(bare, nonce, [1, 1], stationMac(3))))).toMatchObject({ mac: stationMac(3) });
    expect(read(icmpv6(asker, group, bare))).toMatchObject({ mac: null });
  });

  it.each<[string, Uint8Array]>([
    ['hop limit 254', icmpv6(asker, group, solicitation, 254)],
    ['code 1', icmpv6(asker, group, join([135, 1], solicitation.subarray(2)))],
    ['another type', icmpv6(asker, group, join([134, 0], solicitation.subarray(2)))],
    ['a target cut short', icmpv6(asker, group, solicitation.subarray(0, 23))],
    ['a multicast target', icmpv6(asker, group, join(solicitation.subarray(0, 8), group))],
    ['an empty option', icmpv6(asker, group, join(solicitation.subarray(0, 24), [1, 0], stationMac(3)))],
    ['an option past the end', icmpv6(asker, group, join(solicitation.subarray(0, 24), [1, 2], stationMac(3)))],
    ['half an option', icmpv6(asker, group, solicitation.subarray(0, 28))],
    ['another protocol', ipv6({ source: asker, destination: group, next: 59, payload: solicitation })],
  ])('with %s is refused', (_name, packet) => {
    expect(read(packet)).toBeNull();
  });

  it('with any one bit wrong from the addresses on is refused', () => {
    const packet = icmpv6(asker, group, solicitation);
    // One wrong bit never keeps a one's complement sum.
    for (let bit = 8 * 8; bit < packet.length * 8; bit++) {
      const wrong = packet.slice();
      wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(read(wrong)).toBeNull();
    }
  });

  it('round trip', () => {
    const address = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const unicast = address.filter((octets) => octets[0] !== 0xff);
    const common = {
      source: address,
      destination: address,
      target: unicast,
      mac: fc.option(fc.uint8Array({ minLength: 6, maxLength: 6 })),
    };
    const message: fc.Arbitrary<NeighbourMessage> = fc.oneof(
      fc.record({
        ...common,
        type: fc.constant('solicitation' as const),
        router: fc.constant(false),
        solicited: fc.constant(false),
        override: fc.constant(false),
      }),
      fc.record({
        ...common,
        type: fc.constant('advertisement' as const),
        router: fc.boolean(),
        solicited: fc.boolean(),
        override: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(message, (m) => {
        expect(read(encodeNeighbourMessage(m))).toEqual(m);
      }),
    );
  });

  it('any ICMPv6 octets are taken without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(135, 136), (octets, type) => {
        read(icmpv6(asker, group, join([type, 0, 0, 0], octets)));
      }),
    );
  });
});
