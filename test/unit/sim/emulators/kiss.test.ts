/** The KISS TNC: frames whole or not at all, its parameters, its own channel access. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/base/random.js';
import { encodeKiss, kissDecoder } from '../../../../src/framing/kiss.js';
import type { EmulatorSettings } from '../../../../src/sim/emulators/emulator.js';
import { encodeHdlcAir } from '../../../../src/sim/emulators/hdlc-air.js';
import { KissEmulator } from '../../../../src/sim/emulators/kiss.js';
import { Medium, type MediumOptions } from '../../../../src/sim/medium.js';
import { VirtualLine } from '../../../../src/sim/virtual-line.js';
import { VirtualTime } from '../../../../src/sim/virtual-time.js';

interface Heard {
  readonly atUs: number;
  readonly type: number;
  readonly payload: Uint8Array;
}

function tncs(count: number, options: Partial<MediumOptions> = {}, settings: EmulatorSettings = {}) {
  const time = new VirtualTime();
  const medium = new Medium({
    scheduler: time,
    random: seededRandom(1),
    rateBps: 9600,
    stations: Array.from({ length: count }, (_, i) => ({ id: i + 1 })),
    ...options,
  });
  const stations = medium.stations.map((station) => {
    const line = new VirtualLine(`virtual-${station}`);
    const random = seededRandom(station);
    const tnc = new KissEmulator({ scheduler: time, random, medium, station, port: line.port, settings });
    const heard: Heard[] = [];
    const decoder = kissDecoder(
      { maxFrameBytes: 4096 },
      {
        frame: (type, payload) => heard.push({ atUs: time.nowUs(), type, payload }),
        discard: (cause) => {
          throw new Error(`the TNC sent a ${cause} frame`);
        },
      },
    );
    line.openNow({ data: (octets) => decoder.push(octets), lost: () => {} });
    const send = (type: number, ...payload: number[]): void => line.write(encodeKiss(type, Uint8Array.from(payload)));
    return { line, tnc, heard, send };
  });
  const at = (n: number) => {
    const found = stations[n - 1];
    if (found === undefined) throw new Error(`no station ${n}`);
    return found;
  };
  /** TXDELAY, P, SlotTime, TXtail, as their octets. */
  const parameters = (n: number, txDelay: number, persistence: number, slot: number, tail: number): void => {
    for (const [k, value] of [txDelay, persistence, slot, tail].entries()) at(n).send(k + 1, value);
  };
  return { time, medium, at, parameters };
}

const PAYLOAD = Uint8Array.from({ length: 256 }, (_, k) => (k < 3 ? 0xc0 : k < 6 ? 0xdb : 255 - k));

describe('KISS TNC', () => {
  it('carries a frame with every octet there is, escaped on both lines', () => {
    const { time, at, medium } = tncs(3);
    at(1).line.write(encodeKiss(0, PAYLOAD));
    time.runAll();
    for (const n of [2, 3]) {
      expect(at(n).heard.map(({ type, payload }) => [type, [...payload]])).toEqual([[0, [...PAYLOAD]]]);
    }
    expect(at(1).heard).toEqual([]);
    expect(medium.counts(1).frames).toBe(1);
  });

  it('keys for TXDELAY before and TXtail after the frame, to the microsecond', () => {
    const { time, medium, at, parameters } = tncs(2);
    parameters(1, 20, 255, 1, 5);
    at(1).line.write(encodeKiss(0, PAYLOAD));
    time.runAll();
    const airUs = medium.octetsUs(encodeHdlcAir(PAYLOAD).length);
    expect(medium.counts(1).airtimeUs).toBe(200_000 + airUs + 50_000);
    // The frame goes on to the host when its last octet is there, not after the tail.
    const lineOctets = 2 * 13 + 256 + 3 + 6;
    expect(at(2).heard[0]?.atUs).toBeLessThan(((lineOctets + 290) * 1e7) / 57_600 + 200_000 + airUs + 1000);
    expect(medium.counts(2).octetsReceived).toBe(encodeHdlcAir(PAYLOAD).length);
  });

  it('draws with probability (P + 1) / 256, a slot apart', () => {
    const { time, at, parameters } = tncs(2);
    parameters(1, 0, 63, 2, 0);
    const frames = 2000;
    for (let i = 0; i < frames; i++) {
      at(1).send(0, 1, 2, 3);
      time.runAll();
    }
    const { slotsWaited = 0, keyUps = 0 } = at(1).tnc.counts();
    expect(keyUps).toBe(frames);
    // Failures before a success at p = 1/4: mean 3, variance 12.
    expect(Math.abs(slotsWaited / frames - 3)).toBeLessThan(4 * Math.sqrt(12 / frames));
  });

  it('waits while it sees a carrier, and collides with those that it does not see', () => {
    const run = (hears: (listener: number, speaker: number) => boolean): [number, number] => {
      const { time, medium, at, parameters } = tncs(3, { hears });
      for (const n of [1, 3]) parameters(n, 10, 255, 1, 0);
      at(1).line.write(encodeKiss(0, PAYLOAD));
      time.runFor(150_000);
      at(3).line.write(encodeKiss(0, PAYLOAD));
      time.runAll();
      return [at(2).heard.length, medium.counts(2).collisionsHeard];
    };
    expect(run(() => true)).toEqual([2, 0]);
    expect(run((listener, speaker) => listener === 2 || speaker === 2)).toEqual([0, 2]);
  });

  it('sends what has queued up meanwhile in one key-up', () => {
    const { time, medium, at, parameters } = tncs(2);
    parameters(1, 30, 255, 1, 0);
    for (let i = 0; i < 5; i++) at(1).send(0, i, i, i);
    time.runAll();
    expect(at(2).heard.map(({ payload }) => payload[0])).toEqual([0, 1, 2, 3, 4]);
    expect(at(1).tnc.counts().keyUps).toBe(1);
    expect(medium.counts(1).frames).toBe(5);
  });

  it('delivers nothing that noise has touched', () => {
    const { time, at, parameters, medium } = tncs(2, { bitErrorRate: 1e-3 });
    parameters(1, 0, 255, 1, 0);
    for (let i = 0; i < 300; i++) {
      at(1).line.write(encodeKiss(0, PAYLOAD.subarray(0, 100)));
      time.runAll();
    }
    const { heard, tnc } = at(2);
    for (const { payload } of heard) expect([...payload]).toEqual([...PAYLOAD.subarray(0, 100)]);
    expect(heard.length).toBeGreaterThanOrEqual(medium.counts(2).deliveries);
    expect(heard.length).toBeLessThan(200);
    expect(tnc.counts().fcsErrors).toBeGreaterThan(80);
  });

  it('ignores the carrier in full duplex', () => {
    const { time, at, medium } = tncs(2, { duplex: 'full' });
    for (const n of [1, 2]) {
      at(n).send(5, 1);
      at(n).line.write(encodeKiss(0, PAYLOAD));
    }
    time.runAll();
    expect([at(1).heard.length, at(2).heard.length]).toEqual([1, 1]);
    expect(medium.channelTime().collisionUs).toBeGreaterThan(0);
  });

  it('returns the identification of an ACKMODE frame once it is sent, and sends only the payload', () => {
    const { time, at, parameters, medium } = tncs(2);
    parameters(1, 10, 255, 1, 0);
    at(1).send(0x0c, 0xc0, 7, 1, 2, 3);
    time.runAll();
    expect(at(2).heard.map(({ payload }) => [...payload])).toEqual([[1, 2, 3]]);
    expect(at(1).heard.map(({ type, payload }) => [type, ...payload])).toEqual([[0x0c, 0xc0, 7]]);
    expect(at(1).heard[0]?.atUs).toBeGreaterThan(medium.counts(1).airtimeUs);
  });

  it('bounds its queue on request, drops whole frames, and counts them; ignores other ports', () => {
    const { time, at } = tncs(2, {}, { bufferBytes: 100 });
    for (let i = 0; i < 20; i++) at(1).send(0, ...new Uint8Array(40).fill(i));
    at(1).send(0x10, 9, 9, 9);
    at(1).send(0xff);
    time.runAll();
    const { framesQueued = 0, queueOverrun = 0, hostFramesIgnored } = at(1).tnc.counts();
    expect(framesQueued + queueOverrun).toBe(20);
    expect(queueOverrun).toBeGreaterThan(0);
    expect(at(2).heard.length).toBe(framesQueued);
    expect(hostFramesIgnored).toBe(2);
  });
});
