import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BlockCutter,
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  LINK_TYPES,
  type PacketInfo,
  sectionHeader,
} from '../../../src/observe/pcapng.js';
import { optionNumber, optionText, packetsOf, readPcapng } from './pcapng-reader.js';

const SECTION = { hardware: 'board', os: 'Linux', application: 'sluice' };
const INTERFACE = { linkType: LINK_TYPES.user0, name: 'sluice0', description: 'a modem', timeDigits: 6, snapBytes: 0 };

const packets = fc.array(
  fc.record(
    {
      interface: fc.constant(0),
      at: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      octets: fc.uint8Array({ maxLength: 90 }),
      direction: fc.constantFrom('inbound', 'outbound'),
      cast: fc.constantFrom('unspecified', 'unicast', 'multicast', 'broadcast', 'promiscuous'),
      fcsBytes: fc.constantFrom(0, 2, 4),
      crcError: fc.boolean(),
      dropped: fc.nat(),
      comment: fc.string({ unit: 'grapheme' }),
      originalBytes: fc.nat(70_000),
    },
    { requiredKeys: ['interface', 'at', 'octets', 'direction', 'cast'] },
  ),
  { maxLength: 20 },
);

function fileOf(list: readonly PacketInfo[]): Buffer {
  return Buffer.concat([sectionHeader(SECTION), interfaceDescription(INTERFACE), ...list.map(enhancedPacket)]);
}

describe('pcapng blocks', () => {
  it('come back from an independent reader as they went in', () => {
    fc.assert(
      fc.property(packets, (list) => {
        const read = packetsOf(readPcapng(fileOf(list)));
        expect(read).toHaveLength(list.length);
        for (const [index, packet] of list.entries()) {
          const found = read[index];
          if (found === undefined) throw new Error('a packet is missing');
          expect([...found.octets]).toEqual([...packet.octets]);
          expect(found.at).toBe(packet.at);
          expect(found.originalBytes).toBe(packet.originalBytes ?? packet.octets.length);
          const flags = optionNumber(found, 2) ?? 0;
          expect(flags & 3).toBe(packet.direction === 'inbound' ? 1 : 2);
          expect((flags >> 2) & 7).toBe(
            ['unspecified', 'unicast', 'multicast', 'broadcast', 'promiscuous'].indexOf(packet.cast),
          );
          expect((flags >> 5) & 15).toBe(packet.fcsBytes ?? 0);
          expect((flags >>> 16) & 0xffff).toBe(packet.crcError === true ? 0x100 : 0);
          expect(optionNumber(found, 4)).toBe(packet.dropped || undefined);
          expect(optionText(found, 1)).toBe(packet.comment);
        }
      }),
    );
  });

  it('say who made the file, and of which interface', () => {
    const [section, description] = readPcapng(fileOf([]));
    if (section?.kind !== 'section' || description?.kind !== 'interface') throw new Error('other blocks');
    expect(section.version).toBe('1.0');
    expect([2, 3, 4].map((code) => optionText(section, code))).toEqual(['board', 'Linux', 'sluice']);
    expect(description.linkType).toBe(147);
    expect([2, 3].map((code) => optionText(description, code))).toEqual(['sluice0', 'a modem']);
    expect(description.options.find(({ code }) => code === 9)?.value).toEqual(Buffer.of(6));
  });

  it('count at the end', () => {
    const block = interfaceStatistics({ interface: 0, from: 1n << 40n, to: (1n << 40n) + 5n, received: 7, dropped: 3 });
    const [read] = readPcapng(Buffer.concat([sectionHeader(SECTION), block])).slice(1);
    if (read?.kind !== 'statistics') throw new Error('another block');
    expect([4, 5, 7].map((code) => optionNumber(read, code))).toEqual([7, 3, undefined]);
    expect(read.at).toBe((1n << 40n) + 5n);
    // High half first.
    expect(read.options.find(({ code }) => code === 2)?.value).toEqual(Buffer.of(0, 1, 0, 0, 0, 0, 0, 0));
  });

  it('cuts a text that is longer than an option can be', () => {
    const file = fileOf([
      {
        interface: 0,
        at: 0n,
        octets: Buffer.of(1),
        direction: 'inbound',
        cast: 'unicast',
        comment: 'x'.repeat(70_000),
      },
    ]);
    const [packet] = packetsOf(readPcapng(file));
    expect(packet?.options.find(({ code }) => code === 1)?.value).toHaveLength(65_535);
  });
});

describe('BlockCutter', () => {
  it('gives whole blocks only, wherever the stream is cut and wherever it ends', () => {
    fc.assert(
      fc.property(
        packets,
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        fc.nat(),
        (list, sizes, stop) => {
          const file = fileOf(list);
          const sent = file.subarray(0, stop % (file.length + 1));
          const cutter = new BlockCutter();
          const got: Uint8Array[] = [];
          for (let at = 0, turn = 0; at < sent.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            const blocks = cutter.push(sent.subarray(at, at + size));
            if (blocks !== undefined) got.push(Buffer.from(blocks));
            at += size;
          }
          const whole = Buffer.concat(got);
          expect(sent.subarray(0, whole.length)).toEqual(whole);
          readPcapng(whole);
          if (sent.length === file.length) expect(whole).toEqual(file);
        },
      ),
    );
  });
});
