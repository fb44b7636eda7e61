/** IP addresses as text. */
import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIpAddress, parseIpAddress, parsePrefix } from '../../../src/wire/ip-address.js';
import { hex } from './frames.js';

describe('parseIpAddress', () => {
  it.each([
    ['10.9.0.3', '0a090003'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['fd00:9::3', 'fd000009000000000000000000000003'],
    ['fd00:9::', 'fd000009000000000000000000000000'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['FE80::73:6CFF:FE00:3', 'fe8000000000000000736cfffe000003'],
    ['::ffff:10.9.0.3', '00000000000000000000ffff0a090003'],
  ])('%s', (text, octets) => {
    expect(parseIpAddress(text)).toEqual(hex(octets));
  });

  it.each([
    '',
    '10.9.0',
    '10.9.0.256',
    '10.9.0.03',
    '10.9.0.3.4',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4::5:6:7:8',
    'fe80::1%tap0',
  ])('refuses "%s"', (text) => {
    expect(parseIpAddress(text)).toBeNull();
  });

  it('agrees with node:net on what is an address', () => {
    const piece = fc.constantFrom(':', '::', '.', '0', '1', '10', '255', '256', 'fd00', 'abcde', '1.2.3.4', ' ');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 12 }).map((p) => p.join('')),
          fc.ipV4(),
          fc.ipV6(),
        ),
        (text) => {
          expect(parseIpAddress(text) !== null).toBe(isIP(text) !== 0);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('formatIpAddress', () => {
  it.each([
    ['0a090003', '10.9.0.3'],
    ['00000000000000000000000000000000', '::'],
    ['fd000009000000000000000000000003', 'fd00:9::3'],
    // RFC 5952 sections 4.2.2 and 4.2.3: one zero group is kept, the longest run is shortened, the first of equals.
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['20010000000000010000000000000001', '2001:0:0:1::1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
  ])('%s is %s', (octets, text) => {
    expect(formatIpAddress(hex(octets))).toBe(text);
  });

  it('is undone by parsing', () => {
    const address = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.uint8Array({ minLength: 16, maxLength: 16, max: 1 }),
    );
    fc.assert(
      fc.property(address, (octets) => {
        expect(parseIpAddress(formatIpAddress(octets))).toEqual(octets);
      }),
    );
  });
});

describe('parsePrefix', () => {
  it('reads the length', () => {
    expect(parsePrefix('10.9.0.3/24')).toEqual({ address: hex('0a090003'), prefixBits: 24 });
    expect(parsePrefix('::/0')).toEqual({ address: new Uint8Array(16), prefixBits: 0 });
  });

  it.each([
    '10.9.0.3',
    '10.9.0.3/',
    '10.9.0.3/33',
    '10.9.0.3/24/1',
    '10.9.0.3/-1',
    'fd00::1/129',
    '/24',
    '10.9.0.3/024',
  ])('refuses "%s"', (text) => {
    expect(parsePrefix(text)).toBeNull();
  });
});
