/** MAVLink messages are taken out of a stream wherever it is cut, and nothing else is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16X25 } from '../../../../src/base/crc.js';
import { HEARTBEAT, MavlinkFilter, type RadioStatus, signalDbm } from '../../../../src/modem/drivers/mavlink-filter.js';

function status(body: readonly number[]): Uint8Array {
  const covered = [9, 7, 0x33, 0x44, 109, ...body];
  const sum = crc16X25(Uint8Array.from([...covered, 185])) ^ 0xffff;
  return Uint8Array.from([0xfe, ...covered, sum & 0xff, sum >> 8]);
}

const STATUS = status([1, 2, 3, 0, 110, 90, 55, 40, 41]);

function run(octets: Uint8Array, cuts: readonly number[]): { data: Uint8Array; reports: RadioStatus[] } {
  const reports: RadioStatus[] = [];
  const filter = new MavlinkFilter((report) => reports.push(report));
  const edges = [0, ...[...cuts].sort((a, b) => a - b), octets.length].map((edge) => Math.min(edge, octets.length));
  const pieces = edges.slice(1).map((edge, i) => filter.filter(octets.slice(edges[i], edge)));
  return { data: Buffer.concat(pieces), reports };
}

describe('the MAVLink filter', () => {
  it('takes both messages out at any place, at any cut', () => {
    const octet = fc.oneof(fc.constantFrom(0xfe, 9, 0x33, 0x44, 109, 0), fc.integer({ min: 0, max: 255 }));
    const text = fc.array(octet, { maxLength: 40 });
    fc.assert(
      fc.property(text, text, fc.array(fc.nat(120), { maxLength: 6 }), (before, after, cuts) => {
        // The last octet begins nothing, as with our framings.
        const stream = Uint8Array.from([...before, ...STATUS, ...after, ...HEARTBEAT, 0]);
        const { data, reports } = run(stream, cuts);
        expect([...data]).toEqual([...before, ...after, 0]);
        expect(reports).toEqual([
          { rxErrors: 513, fixed: 3, rssi: 110, remoteRssi: 90, bufferFree: 55, noise: 40, remoteNoise: 41 },
        ]);
      }),
    );
  });

  it('leaves a message with a wrong checksum where it is', () => {
    const broken = STATUS.slice();
    broken[10] = 1;
    expect([...run(broken, [3]).data]).toEqual([...broken]);
  });

  it('keeps nothing back but what may begin a message', () => {
    const filter = new MavlinkFilter(() => {});
    expect([...filter.filter(Uint8Array.of(1, 0xfe, 8))]).toEqual([1, 0xfe, 8]);
    expect([...filter.filter(Uint8Array.of(1, 0xfe))]).toEqual([1]);
    expect([...filter.filter(Uint8Array.of(2))]).toEqual([0xfe, 2]);
  });

  it('reads the signal as the radio counts it', () => {
    expect(signalDbm(0)).toBe(-127);
    expect(signalDbm(190)).toBe(-27);
  });
});
