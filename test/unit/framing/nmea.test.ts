/** NMEA sentences: checksums, broken ones, what follows them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DiscardCause } from '../../../src/framing/codec.js';
import { encodeNmea, nmeaDecoder } from '../../../src/framing/nmea.js';

const decode = (pushes: readonly Uint8Array[], maxTextBytes = 80) => {
  const sentences: string[] = [];
  const discards: [DiscardCause, number][] = [];
  const decoder = nmeaDecoder(
    { maxTextBytes },
    {
      sentence: (text) => sentences.push(text),
      discard: (cause, octets) => discards.push([cause, octets]),
    },
  );
  for (const push of pushes) decoder.push(push);
  return { sentences, discards, held: decoder.heldOctets };
};
const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1');

// Checksums worked out by hand for the Micro-Modem's own sentences.
const KNOWN = ['$CCCFG,SRC,1*31', '$CCCFQ,ALL*39', '$CCMPC,1,2*5D', '$CAREV,181807,AUV,2.0.27087*12'];

it.each(KNOWN)('%s', (sentence) => {
  const text = sentence.slice(1, -3);
  expect(Buffer.from(encodeNmea(text)).toString()).toBe(`${sentence}\r\n`);
  expect(decode([octets(`${sentence}\r\n`)])).toEqual({ sentences: [text], discards: [], held: 0 });
  expect(decode([octets(`${sentence.toLowerCase().replace(text.toLowerCase(), text)}\n`)]).sentences).toEqual([text]);
});

it('finds the same sentences at every split point', () => {
  const stream = octets(`${KNOWN.join('\r\n')}\r\n`);
  for (let at = 0; at <= stream.length; at++) {
    expect(decode([stream.subarray(0, at), stream.subarray(at)]).sentences).toHaveLength(KNOWN.length);
  }
});

it('takes no broken sentence, and none with it', () => {
  const good = '$CCMPC,1,2*5D\r\n';
  expect(decode([octets(`$CCMPC,1,3*5D\r\n${good}`)])).toMatchObject({
    sentences: ['CCMPC,1,2'],
    discards: [['check', 13]],
  });
  // Cut off, and the next one behind it on the same line.
  expect(decode([octets(`$CARXD,1,2,0,1,4142${good}`)])).toMatchObject({
    sentences: ['CCMPC,1,2'],
    discards: [['malformed', 19]],
  });
  expect(decode([octets(`CCMPC,1,2*5D\r\n${good}`)])).toMatchObject({
    sentences: ['CCMPC,1,2'],
    discards: [['noise', 12]],
  });
  expect(decode([octets(`$CCMPC,1,2\r\n$CCMPC,1,2*5\r\n$CCMPC,1,2*GG\r\n${good}`)]).sentences).toEqual(['CCMPC,1,2']);
  expect(decode([octets(`$${'A'.repeat(90)}*00\r\n${good}`)])).toMatchObject({
    sentences: ['CCMPC,1,2'],
    discards: [['too-long', 94]],
  });
});

it('accounts for every octet, and finds what follows garbage', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0x24, 0x2a, 0x30, 0x41, 0x0d, 0x0a, 0xff), { maxLength: 300 }), (garbage) => {
      const { sentences, discards, held } = decode([Uint8Array.from(garbage), octets('\r\n$CCMPC,1,2*5D\r\n')]);
      expect(sentences.at(-1)).toBe('CCMPC,1,2');
      expect(held).toBe(0);
      const ends = garbage.filter((octet) => octet === 0x0d || octet === 0x0a).length;
      const taken = sentences.slice(0, -1).reduce((sum, text) => sum + text.length + 4, 0);
      expect(discards.reduce((sum, [, count]) => sum + count, 0)).toBe(garbage.length - ends - taken);
    }),
  );
});
