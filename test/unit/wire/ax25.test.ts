/** AX.25 UI frames and the encapsulation: vectors as Linux sends them, and what must be refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { macOfStation } from '../../../src/wire/address.js';
import {
  callsignOfMac,
  decodeUi,
  encodeUi,
  formatCallsign,
  macOfCallsign,
  parseCallsign,
  requireCallsign,
} from '../../../src/wire/ax25.js';
import { Ax25Encapsulation } from '../../../src/wire/ax25-encapsulation.js';
import { BROADCAST, type OutboundPacket } from '../../../src/wire/packet.js';
import { allMac, arp, ethernet, hex, ipv4, ipv6, stationMac, udp } from './frames.js';

const one = { name: 'N0CALL', ssid: 1 };
const two = { name: 'N0CALL', ssid: 2 };
const encapsulation1 = new Ax25Encapsulation({ station: 1, callsign: one });
const encapsulation2 = new Ax25Encapsulation({ station: 2, callsign: two });
const datagram = ipv4({ upper: udp(9000, 9001, [1, 2, 3]) });
const toHex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
const packet = (result: OutboundPacket | string): OutboundPacket => {
  if (typeof result === 'string') throw new Error(result);
  return result;
};
const inbound = (payload: Uint8Array) => ({ source: 0, destination: BROADCAST, kind: 'raw' as const, payload });

const callsigns = fc.record({
  name: fc.stringMatching(/^[A-Z0-9]{1,6}$/),
  ssid: fc.integer({ min: 0, max: 15 }),
});

// N0CALL-2, N0CALL-1 (the last address), UI: characters shifted by one, reserved bits set, command bits 0 as Linux has them.
const HEADER = '9c608682989864' + '9c608682989863' + '03';

describe('AX.25', () => {
  it.each([
    ['N0CALL-1', one],
    ['n0call-2', two],
    ['QST', { name: 'QST', ssid: 0 }],
    ['DL1ABC-15', { name: 'DL1ABC', ssid: 15 }],
    ['DL1ABC-16', null],
    ['TOOLONG', null],
    ['', null],
    ['A B', null],
  ])('callsign %s', (text, expected) => {
    expect(parseCallsign(text)).toEqual(expected);
  });

  it('a missing callsign is named with its key', () => {
    expect(() => requireCallsign(undefined, 'interface.callsign')).toThrow('interface.callsign: is missing');
  });

  it('a UI frame, octet for octet', () => {
    const frame = encodeUi({ destination: two, source: one, pid: 0xcc, payload: Uint8Array.of(0x45) });
    expect(toHex(frame)).toBe(`${HEADER}cc45`);
  });

  it('any frame comes back', () => {
    fc.assert(
      fc.property(
        callsigns,
        callsigns,
        fc.integer({ min: 0, max: 255 }),
        fc.uint8Array(),
        (destination, source, pid, payload) => {
          expect(decodeUi(encodeUi({ destination, source, pid, payload }))).toEqual({
            destination,
            source,
            pid,
            payload,
          });
        },
      ),
    );
  });

  it('any callsign has a MAC address of its own, which is no group and no station', () => {
    fc.assert(
      fc.property(callsigns, (callsign) => {
        const mac = macOfCallsign(callsign);
        expect((mac[0] as number) & 1).toBe(0);
        expect(callsignOfMac(mac)).toEqual(callsign);
        expect(formatCallsign(callsignOfMac(mac) ?? one)).toBe(formatCallsign(callsign));
      }),
    );
    expect(callsignOfMac(macOfStation(7))).toBeNull();
    expect(callsignOfMac(hex('02a0ffffffff'))).toBeNull();
  });

  it.each([
    ['command bits set', '9c6086829898e4' + '9c608682989863' + '03cc45', 'ui'],
    ['with the poll bit', '9c608682989864' + '9c608682989863' + '13cc45', 'ui'],
    ['repeated by a digipeater', '9c608682989864' + '9c608682989862' + '9c6086829898e7' + '03cc45', 'ui'],
    ['a digipeater has still to repeat it', '9c608682989864' + '9c608682989862' + '9c608682989867' + '03cc45', 'other'],
    ['an I frame', '9c608682989864' + '9c608682989863' + '00f041', 'other'],
    ['cut within an address', '9c6086829898', 'malformed'],
    ['cut before the PID', HEADER, 'malformed'],
    ['no end of the addresses', '9c608682989864'.repeat(12), 'malformed'],
    ['small letters', 'dc608682989864' + '9c608682989863' + '03cc45', 'malformed'],
  ])('%s', (_name, text, expected) => {
    const frame = decodeUi(hex(text));
    expect(typeof frame === 'string' ? frame : 'ui').toBe(expected);
  });

  it('never throws, whatever comes', () => {
    fc.assert(fc.property(fc.uint8Array(), (octets) => void encapsulation1.inbound(inbound(octets))));
  });
});

describe('IP over AX.25', () => {
  it('a datagram goes to a callsign and arrives', () => {
    const frame = ethernet(macOfCallsign(two), stationMac(1), 0x0800, datagram);
    const sent = packet(encapsulation1.outbound(frame));
    expect(toHex(sent.payload)).toBe(`${HEADER}cc${toHex(datagram)}`);
    const expected = ethernet(stationMac(2), macOfCallsign(one), 0x0800, datagram);
    expect(encapsulation2.inbound(inbound(sent.payload))).toEqual(expected);
  });

  it('ARP is that of hardware type 3, and back', () => {
    const question = arp(1, stationMac(1), [10, 0, 0, 1], new Uint8Array(6), [10, 0, 0, 2]);
    const sent = packet(encapsulation1.outbound(ethernet(allMac, stationMac(1), 0x0806, question)));
    const air =
      'a2a6a840404060' +
      '9c608682989863' +
      '03cd' +
      '000300cc07040001' +
      '9c608682989862' +
      '0a000001' +
      '00000000000000' +
      '0a000002';
    expect(toHex(sent.payload)).toBe(air);
    const there = arp(1, macOfCallsign(one), [10, 0, 0, 1], new Uint8Array(6), [10, 0, 0, 2]);
    expect(encapsulation2.inbound(inbound(sent.payload))).toEqual(ethernet(allMac, macOfCallsign(one), 0x0806, there));
    const answer = arp(2, stationMac(2), [10, 0, 0, 2], macOfCallsign(one), [10, 0, 0, 1]);
    const back = packet(encapsulation2.outbound(ethernet(macOfCallsign(one), stationMac(2), 0x0806, answer)));
    const here = arp(2, macOfCallsign(two), [10, 0, 0, 2], stationMac(1), [10, 0, 0, 1]);
    expect(encapsulation1.inbound(inbound(back.payload))).toEqual(
      ethernet(stationMac(1), macOfCallsign(two), 0x0806, here),
    );
  });

  it('broadcasts go to QST and arrive as broadcasts, multicast as its group', () => {
    const group = ipv4({ destination: [239, 1, 2, 3] });
    const sent = packet(encapsulation1.outbound(ethernet(hex('01005e010203'), stationMac(1), 0x0800, group)));
    expect(toHex(sent.payload.subarray(0, 7))).toBe('a2a6a840404060');
    expect(encapsulation2.inbound(inbound(sent.payload))).toEqual(
      ethernet(hex('01005e010203'), macOfCallsign(one), 0x0800, group),
    );
  });

  it('refuses what it cannot carry, and drops what is not for us', () => {
    const v6 = ipv6({ payload: udp(1, 2, [3]) });
    expect(encapsulation1.outbound(ethernet(macOfCallsign(two), stationMac(1), 0x86dd, v6))).toBe('not-encapsulable');
    expect(encapsulation1.outbound(ethernet(stationMac(9), stationMac(1), 0x0800, datagram))).toBe('no-neighbour');
    const sent = packet(encapsulation1.outbound(ethernet(macOfCallsign(two), stationMac(1), 0x0800, datagram)));
    expect(encapsulation1.inbound(inbound(sent.payload))).toBe('rx-not-for-us');
    const third = new Ax25Encapsulation({ station: 3, callsign: { name: 'N0CALL', ssid: 3 } });
    expect(third.inbound(inbound(sent.payload))).toBe('rx-not-for-us');
    expect(
      third.inbound(
        inbound(encodeUi({ destination: { name: 'N0CALL', ssid: 3 }, source: one, pid: 0xf0, payload: datagram })),
      ),
    ).toBe('rx-other');
  });
});
