/** Lines with counted data: any octet in it, wrong counts, bounds. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DiscardCause } from '../../../src/framing/codec.js';
import { countedLineSplitter } from '../../../src/framing/counted-lines.js';

/** `=nn` and so many octets. */
const dataEnd = (beginning: Uint8Array): number | undefined => {
  const count = /^=(\d\d)$/.exec(Buffer.from(beginning).toString('latin1'));
  return count === null ? undefined : 3 + Number(count[1]);
};

const split = (pushes: readonly Uint8Array[], maxLineBytes = 60) => {
  const lines: string[] = [];
  const discards: [DiscardCause, number][] = [];
  const decoder = countedLineSplitter(
    { maxLineBytes, dataEnd },
    {
      line: (octets) => lines.push(Buffer.from(octets).toString('latin1')),
      discard: (cause, octets) => discards.push([cause, octets]),
    },
  );
  for (const push of pushes) decoder.push(push);
  return { lines, discards, decoder };
};
const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1');

it('keeps line ends in the data, and text behind it', () => {
  expect(split([octets('OK\r\n=05a\r\nb\n,Q7\r\nE\r')]).lines).toEqual(['OK', '=05a\r\nb\n,Q7', 'E']);
});

it('returns any data at any split', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(50), (data, at) => {
      const text = `=${String(data.length).padStart(2, '0')}${Buffer.from(data).toString('latin1')}`;
      const stream = octets(`${text}\r\nOK\r\n`);
      expect(split([stream.subarray(0, at), stream.subarray(at)]).lines).toEqual([text, 'OK']);
    }),
  );
});

it('does not believe a count beyond the bound', () => {
  expect(split([octets('=99abc\r\nOK\r\n')])).toMatchObject({ lines: ['=99abc', 'OK'], discards: [] });
});

it('throws away a line beyond the bound, also an endless one, and goes on', () => {
  const { lines, discards } = split([octets(`${'x'.repeat(70)}\r\nOK\r\n`)]);
  expect({ lines, discards }).toEqual({ lines: ['OK'], discards: [['too-long', 70]] });
  const endless = split([octets('x'.repeat(1000))]);
  expect(endless.decoder.heldOctets).toBeLessThan(120);
  endless.decoder.push(octets('\rOK\r'));
  expect(endless.lines).toEqual(['OK']);
  expect(endless.discards.reduce((sum, [, count]) => sum + count, 0)).toBe(1000);
});

it('forgets a half line at a reset, and its count', () => {
  const { lines, discards, decoder } = split([octets('=30abc')]);
  decoder.reset();
  decoder.push(octets('OK\r\n'));
  expect({ lines, discards }).toEqual({ lines: ['OK'], discards: [['aborted', 6]] });
  expect(() => split([], 0)).toThrow(/positive integer/);
});
