/** What a capture is written as: link types, flags, the words of a comment, and lines of JSON. */
import { describe, expect, it } from 'vitest';
import { type AirParts, lineFormat, linkTypeOf, pcapngFormat } from '../../../src/daemon/air-formats.js';
import type { AirRecord } from '../../../src/daemon/air-recorder.js';
import { encodeLinkFrame, type LinkFrame } from '../../../src/wire/link-frame.js';
import { BROADCAST } from '../../../src/wire/packet.js';
import {
  commentOf,
  optionNumber,
  optionText,
  packetsOf,
  type ReadPacket,
  readPcapng,
} from '../observe/pcapng-reader.js';

/** Codes of options of an enhanced packet block (draft-ietf-opsawg-pcapng). */
const FLAGS = 2;
const DROPPED = 4;
const CAST = { unspecified: 0, unicast: 1, broadcast: 3, promiscuous: 4 } as const;

const PARTS: AirParts = {
  encapsulation: 'sluice',
  fcsBytes: 4,
  airtimeUs: (frameBytes) => 1000 * frameBytes + 0.4,
  describe: () => ({ name: 'sluice0', description: 'a modem' }),
};

function frame(fields: Partial<LinkFrame> = {}): Uint8Array {
  const whole = { type: 'ip', destination: 1, source: 2, sequence: 5, behind: 0, more: true, retry: false } as const;
  return encodeLinkFrame({ ...whole, body: new Uint8Array(20).fill(0x45), ...fields }, 4);
}

function record(fields: Partial<AirRecord> = {}): AirRecord {
  return { atUs: 1_795_000_000_123_456, direction: 'inbound', octets: frame(), outcome: 'accepted', ...fields };
}

/** The one packet of a whole file. */
function written(each: AirRecord, droppedBefore = 0, parts = PARTS): ReadPacket {
  const format = pcapngFormat(parts);
  const end = format.end({ frames: 1, dropped: droppedBefore, startUs: 0 });
  const blocks = readPcapng(Buffer.concat([...format.start(), format.frame(each, droppedBefore), end]));
  expect(blocks.map(({ kind }) => kind)).toEqual(['section', 'interface', 'packet', 'statistics']);
  const [packet] = packetsOf(blocks);
  if (packet === undefined) throw new Error('no packet');
  return packet;
}

const castOf = (packet: ReadPacket): number => ((optionNumber(packet, FLAGS) ?? 0) >> 2) & 7;
const crcError = (packet: ReadPacket): boolean => ((optionNumber(packet, FLAGS) ?? 0) & 0x0100_0000) !== 0;

describe('the link type', () => {
  it.each([
    ['sluice', 0, 147],
    ['sluice', 2, 149],
    ['sluice', 4, 151],
    ['ethernet', 4, 1],
    ['ip', 4, 101],
    ['ax25', 0, 3],
  ] as const)('of %s with %d octets of FCS is %d', (encapsulation, fcsBytes, linkType) => {
    expect(linkTypeOf(encapsulation, fcsBytes)).toBe(linkType);
    const [, description] = readPcapng(Buffer.concat(pcapngFormat({ ...PARTS, encapsulation, fcsBytes }).start()));
    expect(description?.kind === 'interface' && [description.linkType, optionText(description, 2)]).toEqual([
      linkType,
      'sluice0',
    ]);
  });
});

describe('a frame as pcapng', () => {
  it('has its octets, its time, its direction, and in words all that is known of it', () => {
    const packet = written(record({ rssiDbm: -97, snrDb: 4.5 }), 3);
    expect([...packet.octets]).toEqual([...frame()]);
    expect(packet.at).toBe(1_795_000_000_123_456n);
    expect(optionText(packet, 1)).toBe(`outcome=accepted airtime_us=${1000 * frame().length} rssi_dbm=-97 snr_db=4.5`);
    expect(optionNumber(packet, DROPPED)).toBe(3);
    expect((optionNumber(packet, FLAGS) ?? 0) & 3).toBe(1);
    expect(((optionNumber(packet, FLAGS) ?? 0) >> 5) & 15).toBe(4);
  });

  it('says nothing of a signal that the modem says nothing of, and of attempts where there are none', () => {
    expect(Object.keys(commentOf(written(record())))).toEqual(['outcome', 'airtime_us']);
    const own = { direction: 'outbound', outcome: 'sent' } as const;
    expect(commentOf(written(record({ ...own, attempt: 0 })))).not.toHaveProperty('attempt');
    const packet = written(record({ ...own, attempt: 2 }));
    expect(commentOf(packet)).toMatchObject({ outcome: 'sent', attempt: '2' });
    expect((optionNumber(packet, FLAGS) ?? 0) & 3).toBe(2);
  });

  it('says for whom it was, unless its head cannot be believed', () => {
    expect(castOf(written(record()))).toBe(CAST.unicast);
    expect(castOf(written(record({ outcome: 'overheard' })))).toBe(CAST.promiscuous);
    expect(castOf(written(record({ octets: frame({ destination: BROADCAST }) })))).toBe(CAST.broadcast);
    for (const outcome of ['rx-fcs', 'rx-truncated'] as const) {
      expect(castOf(written(record({ outcome, octets: frame({ destination: BROADCAST }) })))).toBe(CAST.unspecified);
    }
    expect(castOf(written(record(), 0, { ...PARTS, encapsulation: 'ip' }))).toBe(CAST.unspecified);
  });

  it('marks a wrong FCS, and nothing else, as one', () => {
    expect(crcError(written(record({ outcome: 'rx-fcs' })))).toBe(true);
    expect(crcError(written(record({ outcome: 'rx-truncated' })))).toBe(false);
  });
});

describe('a frame as a line', () => {
  const { frame: lineOf, start, end } = lineFormat(PARTS);

  it('has what the file has, and the head of the link frame', () => {
    expect(lineOf(record({ rssiDbm: -97, snrDb: 4.5 }), 3)).toEqual({
      ...{ atUs: 1_795_000_000_123_456, direction: 'inbound', bytes: frame().length, airtimeUs: 1000 * frame().length },
      ...{ outcome: 'accepted', rssiDbm: -97, snrDb: 4.5, droppedBefore: 3 },
      link: { type: 'ip', source: 2, destination: 1, sequence: 5, more: true },
    });
  });

  it('leaves out what there is not', () => {
    const bare = lineOf(record({ octets: Uint8Array.of(1, 2), outcome: 'rx-truncated' }), 0);
    expect(Object.keys(bare).sort()).toEqual(['airtimeUs', 'atUs', 'bytes', 'direction', 'outcome']);
    expect(lineFormat({ ...PARTS, encapsulation: 'ip' }).frame(record(), 0)).not.toHaveProperty('link');
  });

  it('is none at the start, and the totals at the end', () => {
    expect(start()).toEqual([]);
    expect(end({ frames: 9, dropped: 2, startUs: 1 })).toEqual({ frames: 9, dropped: 2 });
  });
});
