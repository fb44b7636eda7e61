/** IP headers: the fields that we use, extension headers, fragments, priorities, the checksum. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { internetChecksum, ipVersion, parseIp, priorityOfTrafficClass } from '../../../src/wire/ip.js';
import { hex, ipv4, ipv6, join, udp } from './frames.js';

describe('parseIp', () => {
  it('reads IPv4', () => {
    const upper = udp(68, 67, [1, 2, 3]);
    expect(parseIp(ipv4({ tos: 0xb8, upper }))).toEqual({
      version: 4,
      source: hex('0a090003'),
      destination: hex('0a090001'),
      trafficClass: 0xb8,
      hopLimit: 64,
      protocol: 17,
      upper,
      sourcePort: 68,
      destinationPort: 67,
    });
  });

  it('reads IPv6', () => {
    const payload = udp(546, 547);
    expect(parseIp(ipv6({ trafficClass: 0xb8, payload }))).toEqual({
      version: 6,
      source: hex('fd000009000000000000000000000003'),
      destination: hex('fd000009000000000000000000000001'),
      trafficClass: 0xb8,
      hopLimit: 255,
      protocol: 17,
      upper: payload,
      sourcePort: 546,
      destinationPort: 547,
    });
  });

  it('skips IPv4 options and leaves padding out', () => {
    const packet = join(ipv4({ options: [0x94, 4, 0, 0], upper: udp(1, 2) }), [0, 0, 0]);
    expect(parseIp(packet)).toMatchObject({ upper: udp(1, 2), sourcePort: 1, destinationPort: 2 });
  });

  it('reads no ports in a later fragment', () => {
    const later = parseIp(ipv4({ fragment: 0x2001, upper: udp(1, 5353) }));
    expect(later).toMatchObject({ protocol: 17, sourcePort: null, destinationPort: null });
    const first = parseIp(ipv4({ fragment: 0x2000, upper: udp(1, 5353) }));
    expect(first).toMatchObject({ destinationPort: 5353 });
    const header = (offset: number): Uint8Array => Uint8Array.of(17, 0, offset >> 8, offset & 0xff, 0, 0, 0, 1);
    const payload = (offset: number): Uint8Array => join(header(offset), udp(1, 5353));
    expect(parseIp(ipv6({ next: 44, payload: payload(8) }))).toMatchObject({ protocol: 17, destinationPort: null });
    expect(parseIp(ipv6({ next: 44, payload: payload(1) }))).toMatchObject({ protocol: 17, destinationPort: 5353 });
  });

  it('walks IPv6 extension headers', () => {
    const hopByHop = hex('3c00050200000100');
    const destinationOptions = hex('1101010c000000000000000000000000');
    const payload = join(hopByHop, destinationOptions, udp(1, 2));
    expect(parseIp(ipv6({ next: 0, payload }))).toMatchObject({ protocol: 17, upper: udp(1, 2) });
  });

  it('gives up on endless extension headers and on one that goes past the end', () => {
    const chain = (count: number): Uint8Array =>
      ipv6({
        next: 60,
        payload: join(
          ...Array.from({ length: count }, (_, i) => [i === count - 1 ? 17 : 60, 0, 0, 0, 0, 0, 0, 0]),
          udp(1, 2),
        ),
      });
    expect(parseIp(chain(8))).toMatchObject({ destinationPort: 2 });
    expect(parseIp(chain(9))).toBeNull();
    expect(parseIp(ipv6({ next: 60, payload: hex('1101000000000000') }))).toBeNull();
    expect(parseIp(ipv6({ next: 60, payload: hex('11000000') }))).toBeNull();
  });

  it('refuses packets cut short anywhere', () => {
    for (const packet of [
      ipv4({ upper: udp(1, 2) }),
      ipv6({ next: 0, payload: join(hex('1100000000000000'), udp(1, 2)) }),
    ]) {
      for (let length = 0; length < packet.length; length++) expect(parseIp(packet.subarray(0, length))).toBeNull();
      expect(parseIp(packet)).not.toBeNull();
    }
  });

  it('refuses lengths that contradict each other', () => {
    const shortHeader = ipv4({});
    shortHeader[0] = 0x44;
    expect(parseIp(shortHeader)).toBeNull();
    const longHeader = ipv4({});
    longHeader[0] = 0x46;
    expect(parseIp(longHeader)).toBeNull();
    const wrongVersion = ipv4({});
    wrongVersion[0] = 0x55;
    expect(parseIp(wrongVersion)).toBeNull();
  });

  it('takes any octets without throwing', () => {
    let parsed = 0;
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.uint8Array({ maxLength: 60 }).map((payload) => ipv6({ next: payload[0] ?? 0, payload })),
      fc
        .tuple(fc.constantFrom(0, 43, 44, 60), fc.uint8Array({ maxLength: 60, max: 60 }))
        .map(([next, payload]) => ipv6({ next, payload })),
    );
    fc.assert(
      fc.property(octets, (o) => {
        const packet = parseIp(o);
        if (packet === null) return;
        parsed++;
        expect(ipVersion(o)).toBe(packet.version);
        expect(packet.upper.length).toBeLessThanOrEqual(o.length);
      }),
    );
    expect(parsed).toBeGreaterThan(0);
  });
});

describe('priorityOfTrafficClass', () => {
  it.each([
    ['default', 0x00, 0],
    ['ping -Q 0x10, low delay', 0x10, 6],
    ['throughput', 0x08, 2],
    ['low delay and throughput', 0x18, 4],
    ['LE', 1 << 2, 1],
    ['CS1', 8 << 2, 1],
    ['AF11', 10 << 2, 0],
    ['AF21', 18 << 2, 2],
    ['CS3', 24 << 2, 3],
    ['AF41', 34 << 2, 4],
    ['EF', 46 << 2, 5],
    ['CS6', 48 << 2, 6],
    ['CS7', 56 << 2, 7],
  ])('%s', (_name, trafficClass, priority) => {
    expect(priorityOfTrafficClass(trafficClass)).toBe(priority);
    // Congestion marks change nothing.
    expect(priorityOfTrafficClass(trafficClass | 3)).toBe(priority);
  });

  it('is 0 to 7 for every octet', () => {
    for (let octet = 0; octet < 256; octet++) {
      expect([0, 1, 2, 3, 4, 5, 6, 7]).toContain(priorityOfTrafficClass(octet));
    }
  });
});

describe('internetChecksum', () => {
  it('gives the example of RFC 1071 section 3', () => {
    expect(internetChecksum(hex('0001f203f4f5f6f7'))).toBe(0xffff - 0xddf2);
  });

  it('is zero over octets that hold their checksum, in any number of even parts', () => {
    expect(internetChecksum(hex('4500001e00010040'), hex('00401126'))).not.toBe(0);
    // The IPv4 header of the vector "IPv4 datagram" in link-frame.md.
    const header = hex('4500001e00014000401126b90a0900030a090001');
    expect(internetChecksum(header)).toBe(0);
    expect(internetChecksum(header.subarray(0, 6), header.subarray(6))).toBe(0);
  });
});
