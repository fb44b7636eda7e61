/** MAVLink messages are taken out of a stream wherever it is cut, and nothing else is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16X25 } from '../../../../src/base/crc.js';
import { HEARTBEAT, MavlinkFilter, type RadioStatus, signalDbm } from '../../../../src/modem/drivers/mavlink-filter.js';

function status(body: readonly number[], system = 0x33, component = 0x44, id = 109): Uint8Array {
  const covered = [9, 7, system, component, id, ...body];
  const sum = crc16X25(Uint8Array.from([...covered, id === 109 ? 185 : 50])) ^ 0xffff;
  return Uint8Array.from([0xfe, ...covered, sum & 0xff, sum >> 8]);
}

const STATUS = status([1, 2, 3, 0, 110, 90, 55, 40, 41]);

const MESSAGE_BYTES = 17;

/** CRC-16/MCRF4XX bit by bit, which is what MAVLink calls X.25, over all but STX and the checksum, and the seed. */
function isMessage(octets: readonly number[]): boolean {
  const [stx, length, , system, component, message] = octets;
  const sender = `${system}.${component}.${message}`;
  const seed = { '51.68.109': 185, '255.190.0': 50 }[sender];
  if (octets.length < MESSAGE_BYTES || stx !== 0xfe || length !== 9 || seed === undefined) return false;
  let sum = 0xffff;
  for (const octet of [...octets.slice(1, MESSAGE_BYTES - 2), seed]) {
    sum ^= octet;
    for (let bit = 0; bit < 8; bit++) sum = (sum >> 1) ^ ((sum & 1) * 0x8408);
  }
  return octets[MESSAGE_BYTES - 2] === (sum & 0xff) && octets[MESSAGE_BYTES - 1] === sum >> 8;
}

/** Where the data stands in a whole stream, by the plainest means; and how many reports there are. */
function dataIn(stream: readonly number[]): { at: number[]; reports: number } {
  const found = { at: [] as number[], reports: 0 };
  for (let i = 0; i < stream.length; ) {
    const candidate = stream.slice(i, i + MESSAGE_BYTES);
    if (!isMessage(candidate)) found.at.push(i++);
    else {
      if (candidate[5] === 109) found.reports++;
      i += MESSAGE_BYTES;
    }
  }
  return found;
}

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

  it('takes nothing else out of any stream, wherever it is cut, and keeps nothing back for longer than a message', () => {
    const special = [0xfe, 9, 0x33, 0x44, 109, 255, 190, 0];
    const octet = fc.oneof(fc.constantFrom(...special), fc.integer({ min: 0, max: 255 }));
    const whole = fc.oneof(
      fc.array(octet, { minLength: 9, maxLength: 9 }).map((body) => [...status(body)]),
      fc.constant([...HEARTBEAT]),
    );
    // Of others, though their checksums are right.
    const another = fc
      .tuple(fc.constantFrom(0x33, 255), fc.constantFrom(0x44, 190, 1), fc.constantFrom(109, 0))
      .map((sender) => [...status([1, 2, 3, 4, 5, 6, 7, 8, 9], ...sender)]);
    const piece = fc.oneof(
      another,
      whole,
      fc.tuple(whole, fc.nat(MESSAGE_BYTES)).map(([message, end]) => message.slice(0, end)),
      fc.tuple(whole, fc.nat(MESSAGE_BYTES - 1), octet).map(([message, at, other]) => message.with(at, other)),
      fc.array(octet, { maxLength: 12 }),
    );
    let reported = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.array(fc.nat(150), { maxLength: 8 }), (pieces, cuts) => {
        // At the end octets that begin nothing, so that all is decided.
        const stream = [...pieces.flat(), ...new Array<number>(MESSAGE_BYTES).fill(0)];
        const expected = dataIn(stream);
        const data: number[] = [];
        let reports = 0;
        const filter = new MavlinkFilter(() => reports++);
        const shared = new Uint8Array(stream.length);
        let start = 0;
        for (const end of [...cuts.filter((cut) => cut < stream.length), stream.length].sort((a, b) => a - b)) {
          // As a line may do: one buffer, overwritten after each push.
          const part = shared.subarray(0, end - start);
          part.set(stream.slice(start, end));
          data.push(...filter.filter(part));
          part.fill(0xfe);
          const decided = expected.at.filter((at) => at <= end - MESSAGE_BYTES).length;
          expect(data.length).toBeGreaterThanOrEqual(decided);
          start = end;
        }
        expect(data).toEqual(expected.at.map((at) => stream[at]));
        expect(reports).toBe(expected.reports);
        reported += reports;
      }),
      { numRuns: 3000 },
    );
    expect(reported).toBeGreaterThan(1000);
  });

  it('begins anew after a reset', () => {
    const filter = new MavlinkFilter(() => {});
    expect([...filter.filter(STATUS.subarray(0, 10))]).toEqual([]);
    filter.reset();
    expect([...filter.filter(STATUS.subarray(10))]).toEqual([...STATUS.subarray(10)]);
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
