/** A whole bridge hears from its line what it should not, and goes on: each kind is counted, none reaches a socket. */
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/base/crc.js';
import { seededRandom } from '../../src/base/random.js';
import { openPtyPort } from '../../src/daemon/pty-port.js';
import { writeDatagram } from '../../src/daemon/station-datagrams.js';
import { encodeLinkFrame, type LinkFrame } from '../../src/wire/link-frame.js';
import { eventually, SINK, withNeighbourhood } from './bridge-support.js';

/** RFC 1055 */
const [END, ESC, ESC_END, ESC_ESC] = [0xc0, 0xdb, 0xdc, 0xdd] as const;
const FCS_BYTES = 4;

function slip(octets: Uint8Array): Uint8Array {
  const escaped = [...octets].flatMap((octet) =>
    octet === END ? [ESC, ESC_END] : octet === ESC ? [ESC, ESC_ESC] : [octet],
  );
  return Uint8Array.of(END, ...escaped, END);
}

/** RFC 1071 */
function checksum(octets: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += ((octets[i] ?? 0) << 8) | (octets[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An IPv4 packet with a UDP datagram for the sink of station 1; UDP without checksum (RFC 768). */
function packet(stream: number): Uint8Array {
  const payload = new Uint8Array(40);
  writeDatagram(payload, stream, 0);
  const octets = new Uint8Array(28 + payload.length);
  const view = new DataView(octets.buffer);
  octets.set([0x45, 0]);
  view.setUint16(2, octets.length);
  octets.set([64, 17], 8);
  octets.set([10, 0, 0, 2, 10, 0, 0, 1], 12);
  view.setUint16(10, checksum(octets.subarray(0, 20)));
  view.setUint16(20, 5000);
  view.setUint16(22, SINK);
  view.setUint16(24, 8 + payload.length);
  octets.set(payload, 28);
  return octets;
}

function frame(change: Partial<LinkFrame>): Uint8Array {
  const whole: LinkFrame = {
    ...({ type: 'ip', destination: 1, source: 2, sequence: 0, behind: 0, more: false, retry: false } as const),
    body: packet(9),
    ...change,
  };
  return encodeLinkFrame(whole, FCS_BYTES);
}

/** The same frame, as a later version would mark it, with its check sequence right. */
function ofVersion(version: number, octets: Uint8Array): Uint8Array {
  const changed = octets.slice();
  changed[0] = ((changed[0] ?? 0) & 0x3f) | (version << 6);
  new DataView(changed.buffer).setUint32(changed.length - FCS_BYTES, crc32c(changed.subarray(0, -FCS_BYTES)), true);
  return changed;
}

describe('bad input from the line', () => {
  it('is counted by its cause; good frames after it arrive', async () => {
    const modem = openPtyPort();
    modem.onData(() => undefined);
    try {
      await withNeighbourhood(async (place) => {
        const station = await place.open();
        await station.up({ number: 1, profile: 'null-modem', port: modem.slavePath });
        await station.call('receive', { port: SINK });
        const random = seededRandom(3);
        const garbage = Uint8Array.from({ length: 3000 }, () => random.below(256));
        const spoiled = frame({});
        spoiled[10] = (spoiled[10] ?? 0) ^ 1;
        const heard = async (octets: Uint8Array, ...causes: string[]): Promise<void> => {
          const before = (await station.status()).drops as Record<string, number>;
          const sum = (drops: Record<string, number>): number =>
            causes.reduce((total, cause) => total + (drops[cause] ?? 0), 0);
          // In pieces: a pty takes 4 kB at a time.
          for (let at = 0; at < octets.length; ) {
            const taken = modem.write(octets.subarray(at, at + 1024));
            if (taken > 0) at += taken;
            else await new Promise((resolve) => setTimeout(resolve, 10));
          }
          await eventually(
            async () => (await station.status()).drops as Record<string, number>,
            (drops) => sum(drops) > sum(before),
            causes.join(' or '),
          );
        };
        await heard(garbage, 'rx-framing', 'rx-fcs', 'rx-truncated');
        await heard(slip(Uint8Array.of(0x44, 1)), 'rx-truncated');
        await heard(slip(new Uint8Array(20_000).fill(0x55)), 'rx-too-long');
        await heard(slip(spoiled), 'rx-fcs');
        await heard(slip(ofVersion(2, frame({}))), 'rx-version');
        await heard(slip(frame({ source: 1 })), 'rx-own-address');
        const [conflict] = await eventually(
          async () => station.log.filter(({ event }) => event === 'address-conflict'),
          (lines) => lines.length > 0,
          'the conflict in the log',
        );
        expect(conflict).toMatchObject({ type: 'ip', destination: 1, sequence: 0, bodyBytes: 68 });
        expect(await station.call('received', { port: SINK })).toEqual([]);
        modem.write(slip(frame({})));
        const arrivals = await eventually(
          () => station.call('received', { port: SINK }),
          (seen) => seen.length > 0,
          'the good frame',
        );
        expect(arrivals).toMatchObject([{ stream: 9, sequence: 0, octets: 40 }]);
        expect(await station.call('down', { signal: 'SIGTERM' })).toEqual({ status: 0, signal: null });
      });
    } finally {
      modem.close();
    }
  });
});
