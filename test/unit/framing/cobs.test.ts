/** COBS against known vectors. The properties common to all framings are in properties.test.ts. */
import { expect, it } from 'vitest';
import { cobsCodec } from '../../../src/framing/cobs.js';
import { recorder } from './recorder.js';

const codec = cobsCodec({ maxFrameBytes: 1024 });
const from = (length: number, first: number) => Array.from({ length }, (_, i) => ((first + i - 1) % 255) + 1);

const decode = (line: ArrayLike<number>, decoding = codec) => {
  const seen = recorder();
  decoding.decoder(seen).push(Uint8Array.from(line));
  return { frames: seen.frames, discards: seen.discards };
};

// From the paper's rules, and the vectors that implementations of COBS commonly share.
const VECTORS: [string, number[], number[]][] = [
  ['nothing', [], [0x01]],
  ['one zero', [0], [0x01, 0x01]],
  ['two zeros', [0, 0], [0x01, 0x01, 0x01]],
  ['zero inside', [0x11, 0x22, 0x00, 0x33], [0x03, 0x11, 0x22, 0x02, 0x33]],
  ['zeros at the end', [0x11, 0x00, 0x00, 0x00], [0x02, 0x11, 0x01, 0x01, 0x01]],
  ['254 octets without zero', from(254, 1), [0xff, ...from(254, 1)]],
  ['255 octets without zero', from(255, 1), [0xff, ...from(254, 1), 0x02, 0xff]],
  ['a zero, then 254 octets', [0, ...from(254, 1)], [0x01, 0xff, ...from(254, 1)]],
  ['254 octets, then a zero', [...from(254, 1), 0], [0xff, ...from(254, 1), 0x01, 0x01]],
  ['253 octets, then a zero', [...from(253, 1), 0], [0xfe, ...from(253, 1), 0x01]],
];

it.each(VECTORS)('%s', (_, frame, body) => {
  const line = codec.encode(Uint8Array.from(frame));
  expect([...line]).toEqual([...body, 0]);
  expect(line.length).toBeLessThanOrEqual(codec.maxEncodedBytes(frame.length));
  expect(decode(line)).toEqual({ frames: [frame], discards: [] });
});

it('refuses a length code that points beyond the frame', () => {
  expect(decode([5, 1, 2, 0, 2, 7, 0])).toEqual({ frames: [[7]], discards: [['malformed', 3]] });
});

it('refuses a frame that is longer than its bound by one octet', () => {
  const small = cobsCodec({ maxFrameBytes: 8 });
  const line = (octets: number) => small.encode(new Uint8Array(octets).fill(7));
  expect(decode(line(8), small).frames).toHaveLength(1);
  expect(decode(line(9), small)).toEqual({ frames: [], discards: [['too-long', 10]] });
});

it('accepts an empty block after a full one', () => {
  expect(decode([0xff, ...from(254, 1), 0x01, 0]).frames).toEqual([from(254, 1)]);
});

it('with a leading delimiter, takes what comes before it as noise', () => {
  const leading = cobsCodec({ maxFrameBytes: 8, leadingDelimiter: true });
  expect([...leading.encode(Uint8Array.of(1))]).toEqual([0, 2, 1, 0]);
  expect(decode([2, 9, 0, 2, 1, 0], leading)).toEqual({ frames: [[1]], discards: [['noise', 2]] });
});
