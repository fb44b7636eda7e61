/** Lines of text: ends, bounds, splits. */
import { expect, it } from 'vitest';
import type { DiscardCause } from '../../../src/framing/codec.js';
import { lineSplitter } from '../../../src/framing/lines.js';

const split = (pushes: string[], maxLineBytes = 20) => {
  const lines: string[] = [];
  const discards: [DiscardCause, number][] = [];
  const decoder = lineSplitter(
    { maxLineBytes },
    {
      line: (octets) => lines.push(Buffer.from(octets).toString('latin1')),
      discard: (cause, octets) => discards.push([cause, octets]),
    },
  );
  for (const push of pushes) decoder.push(Buffer.from(push, 'latin1'));
  return { lines, discards, held: decoder.heldOctets };
};

it('ends lines at CR, LF or CR LF and passes over empty ones', () => {
  expect(split(['\r\nOK\r\nA\rB\n\n\rC\r', '\nD'])).toEqual({ lines: ['OK', 'A', 'B', 'C'], discards: [], held: 1 });
});

it('finds the same lines at every split point', () => {
  const text = '+RCV=1,3,abc,-40,11\r\nOK\r\n+EVT:TXP2P DONE\r\n';
  for (let at = 0; at <= text.length; at++) {
    expect(split([text.slice(0, at), text.slice(at)]).lines).toEqual(['+RCV=1,3,abc,-40,11', 'OK', '+EVT:TXP2P DONE']);
  }
});

it('throws away a line beyond the bound, and goes on with the next', () => {
  expect(split(['12345678', '9012345678901', 'x\rOK\r'])).toMatchObject({
    lines: ['OK'],
    discards: [
      ['too-long', 21],
      ['too-long', 1],
    ],
  });
});
