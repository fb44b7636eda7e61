/** Ethernet frames: header, VLAN tags, and every length at which a frame can end. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildEthernet, parseEthernet } from '../../../src/wire/ethernet.js';
import { ethernet, hex, join, stationMac } from './frames.js';

const payload = hex('45001122');

describe('parseEthernet', () => {
  it('reads an untagged frame', () => {
    expect(parseEthernet(ethernet(stationMac(1), stationMac(3), 0x0800, payload))).toEqual({
      destination: stationMac(1),
      source: stationMac(3),
      etherType: 0x0800,
      vlanPriority: null,
      payload,
    });
  });

  it('looks through one tag and two', () => {
    const tagged = ethernet(stationMac(1), stationMac(3), 0x8100, join([0xa0, 0x05, 0x86, 0xdd], payload));
    expect(parseEthernet(tagged)).toMatchObject({ etherType: 0x86dd, vlanPriority: 5, payload });
    const twice = ethernet(
      stationMac(1),
      stationMac(3),
      0x88a8,
      join([0x20, 0x05, 0x81, 0x00, 0xe0, 0x06, 0x08, 0x06], payload),
    );
    expect(parseEthernet(twice)).toMatchObject({ etherType: 0x0806, vlanPriority: 1, payload });
  });

  it('stops at a third tag', () => {
    const tags = join([0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 8, 0], payload);
    expect(parseEthernet(ethernet(stationMac(1), stationMac(3), 0x8100, tags))).toMatchObject({ etherType: 0x8100 });
  });

  it('refuses a header cut short anywhere', () => {
    const frame = ethernet(stationMac(1), stationMac(3), 0x0800, payload);
    for (let length = 0; length < 14; length++) expect(parseEthernet(frame.subarray(0, length))).toBeNull();
    expect(parseEthernet(frame.subarray(0, 14))).toMatchObject({ payload: new Uint8Array(0) });
  });

  it('does not look into half a tag', () => {
    const tagged = ethernet(stationMac(1), stationMac(3), 0x8100, hex('a0050800'));
    expect(parseEthernet(tagged)).toMatchObject({ etherType: 0x0800, vlanPriority: 5, payload: new Uint8Array(0) });
    for (let length = 14; length < tagged.length; length++) {
      const rest = tagged.subarray(14, length);
      expect(parseEthernet(tagged.subarray(0, length))).toMatchObject({
        etherType: 0x8100,
        vlanPriority: null,
        payload: rest,
      });
    }
  });

  it('takes any octets, and loses none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
        const frame = parseEthernet(octets);
        if (frame === null || frame.vlanPriority !== null) return;
        expect(buildEthernet(frame.destination, frame.source, frame.etherType, frame.payload)).toEqual(octets);
      }),
    );
  });
});
