/** KISS frames, types and noise. The properties common to all framings are in properties.test.ts. */
import { expect, it } from 'vitest';
import type { DiscardCause } from '../../../src/framing/codec.js';
import {
  encodeKiss,
  KISS_ACK_DATA,
  KISS_DATA,
  KISS_RETURN,
  KISS_TXDELAY,
  kissCommand,
  kissDecoder,
  kissPort,
  kissType,
  maxEncodedKissBytes,
} from '../../../src/framing/kiss.js';

const decode = (line: Uint8Array, maxFrameBytes = 8) => {
  const frames: [number, number[]][] = [];
  const discards: [DiscardCause, number][] = [];
  const decoder = kissDecoder(
    { maxFrameBytes },
    {
      frame: (type, payload) => frames.push([type, [...payload]]),
      discard: (cause, octets) => discards.push([cause, octets]),
    },
  );
  decoder.push(line);
  return { frames, discards };
};

it('encodes data, commands and Return', () => {
  expect([...encodeKiss(KISS_DATA, Uint8Array.of(0x54, 0xc0))]).toEqual([0xc0, 0x00, 0x54, 0xdb, 0xdc, 0xc0]);
  expect([...encodeKiss(kissType(5, KISS_TXDELAY), Uint8Array.of(50))]).toEqual([0xc0, 0x51, 50, 0xc0]);
  expect([...encodeKiss(KISS_RETURN, new Uint8Array())]).toEqual([0xc0, 0xff, 0xc0]);
});

it('takes type octets apart', () => {
  expect(kissPort(0x5c)).toBe(5);
  expect(kissCommand(0x5c)).toBe(KISS_ACK_DATA);
});

it('escapes a type octet that looks like a FEND (data on port 12)', () => {
  const line = encodeKiss(kissType(12, KISS_DATA), Uint8Array.of(1));
  expect([...line]).toEqual([0xc0, 0xdb, 0xdc, 1, 0xc0]);
  expect(decode(line).frames).toEqual([[0xc0, [1]]]);
});

it('brings every type and the longest payload through at worst-case escaping', () => {
  const payload = new Uint8Array(8).fill(0xdb);
  for (let type = 0; type < 256; type++) {
    const line = encodeKiss(type, payload);
    expect(line.length).toBeLessThanOrEqual(maxEncodedKissBytes(8));
    expect(decode(line)).toEqual({ frames: [[type, [...payload]]], discards: [] });
  }
  expect(encodeKiss(0xdb, payload).length).toBe(maxEncodedKissBytes(8));
});

it('counts the bound without the type octet', () => {
  expect(decode(encodeKiss(0, new Uint8Array(9)))).toEqual({ frames: [], discards: [['too-long', 10]] });
});

it('throws away the text of a modem that is not in KISS mode yet', () => {
  const line = Buffer.concat([Buffer.from('\r\ncmd:'), encodeKiss(0, Uint8Array.of(7))]);
  expect(decode(line)).toEqual({ frames: [[0, [7]]], discards: [['noise', 6]] });
});

it('delivers a frame of a type alone', () => {
  expect(decode(Uint8Array.of(0xc0, 0x0e, 0xc0, 0xc0))).toEqual({ frames: [[0x0e, []]], discards: [] });
});
