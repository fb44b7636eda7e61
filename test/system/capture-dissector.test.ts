/** The Wireshark dissector, judged by tshark: the vectors of link-frame.md, and frames of every type under each FCS. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { enhancedPacket, interfaceDescription, LINK_TYPES, sectionHeader } from '../../src/observe/pcapng.js';
import { encodeLinkFrame, type FcsBytes } from '../../src/wire/link-frame.js';
import { hex } from '../unit/wire/frames.js';
import { knownFrames, TYPES } from './air-frames.js';
import { ROOT } from './daemon-support.js';
import { type Dissected, dissect } from './tshark.js';

const FCS_SIZES: readonly FcsBytes[] = [0, 2, 4];
const PIGGYBACK_CODE = 11;
const HEADER = ['type', 'destination', 'source', 'sequence', 'behind', 'more', 'retry'] as const;
const folder = mkdtempSync(join(tmpdir(), 'sluice-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Frame {
  readonly octets: Uint8Array;
  readonly fcsBytes: FcsBytes;
}

/** One interface for each FCS, as three bridges would have it. */
function dissectFrames(frames: readonly Frame[], fields: readonly string[]): Dissected[] {
  const path = join(folder, 'frames.pcapng');
  const info = { name: 'air', description: '', timeDigits: 6, snapBytes: 0 };
  const blocks = frames.map(({ octets, fcsBytes }, i) =>
    enhancedPacket({ interface: fcsBytes / 2, at: BigInt(i), octets, direction: 'inbound', cast: 'unspecified' }),
  );
  writeFileSync(
    path,
    Buffer.concat([
      sectionHeader({ hardware: '', os: '', application: 'sluice' }),
      ...FCS_SIZES.map((bytes) => interfaceDescription({ ...info, linkType: LINK_TYPES.user0 + bytes })),
      ...blocks,
    ]),
  );
  const found = dissect(path, fields);
  expect(found).toHaveLength(frames.length);
  return found;
}

it('reads the vectors as their document says, and marks those that receivers refuse', () => {
  const document = readFileSync(join(ROOT, 'src/wire/link-frame.md'), 'utf8');
  const vectors: Record<string, string>[] = [...document.matchAll(/^```vector\n(.*?)^```$/gms)].map(([, text = '']) =>
    Object.fromEntries([...text.matchAll(/^(\w+): (.*)$/gm)].map(([, key = '', value = '']) => [key, value])),
  );
  expect(vectors.length).toBeGreaterThan(30);
  const frames = vectors.map(({ octets = '', fcs }) => ({
    octets: hex(octets),
    fcsBytes: FCS_SIZES.find((bytes) => String(bytes) === fcs) ?? 0,
  }));
  const names = [...HEADER.map((name) => `sluice.${name}`), 'sluice.reservation_us'];
  const found = dissectFrames(frames, names);
  for (const [i, vector] of vectors.entries()) {
    const { title, type, drop } = vector;
    const mark = { 'rx-fcs': 'checksum', 'rx-version': 'undecoded' }[drop ?? ''] ?? 'malformed';
    // What its aggregate holds is too short for IP.
    const isBroken = drop !== undefined || title?.startsWith('aggregate') === true;
    expect({ title, marks: found[i]?.marks }).toEqual({ title, marks: isBroken ? [mark] : [] });
    if (drop !== undefined) continue;
    const code = vector.later === undefined ? 1 + TYPES.map(String).indexOf(type ?? '') : PIGGYBACK_CODE;
    const told = HEADER.map((name) => found[i]?.fields[`sluice.${name}`]);
    expect([title, ...told]).toEqual([title, ...HEADER.map((name) => (name === 'type' ? String(code) : vector[name]))]);
  }
  const reserved = found.map(({ fields }) => fields['sluice.reservation_us']).filter((us) => us !== '');
  expect(reserved).toEqual(['500000', '480000']);
});

it.each(FCS_SIZES)('reads every type down to the packets inside, with an FCS of %i octets', (fcsBytes) => {
  const known = knownFrames(600, 11 + fcsBytes);
  const frames = known.map(({ frame }) => ({ octets: encodeLinkFrame(frame, fcsBytes), fcsBytes }));
  const found = dissectFrames(frames, [
    'sluice.source',
    'sluice.sequence',
    'sluice.ack.bitmap',
    'sluice.identification',
    'sluice.piggyback.to',
  ]);
  for (const [i, { frame, inside }] of known.entries()) {
    const bitmap = frame.type === 'ack' ? frame.body[0] : undefined;
    expect({ type: frame.type, ...found[i] }).toEqual({
      type: frame.type,
      marks: [],
      protocols: `sluice${inside}`,
      fields: {
        'sluice.source': String(frame.source),
        'sluice.sequence': String(frame.sequence),
        'sluice.ack.bitmap': bitmap === undefined ? '' : `0x${bitmap.toString(16).padStart(2, '0')}`,
        'sluice.identification': frame.type === 'identification' ? new TextDecoder().decode(frame.body) : '',
        'sluice.piggyback.to': (frame.piggyback?.acks ?? []).map(({ to }) => to).join(','),
      },
    });
  }
});
