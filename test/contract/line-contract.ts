/** What every line must do, whatever it is made of. Each adapter, and the fake, runs this. */
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/base/errors.js';
import type { Line, LineListener } from '../../src/serial/line.js';
import { delay, until } from './timer-scheduler.js';

/** A line and its other end, in the hands of a test. */
export interface LineBench {
  /** Not open yet. */
  readonly line: Line;
  /** Sends from the far end. */
  send(octets: Uint8Array): void;
  /** What has come out at the far end. */
  received(): Uint8Array;
  receivedBytes(): number;
  /** Whether the far end takes what comes. */
  setReading(reading: boolean): void;
  /** Ends the far end, as when a device is unplugged. */
  hangUp(): void;
  dispose(): Promise<void>;
}

export interface LineSubject {
  readonly name: string;
  /** More octets than the kernel holds between the two ends. */
  readonly floodBytes: number;
  bench(): Promise<LineBench>;
  /** A line that cannot be opened because nothing is there. */
  absent(): Promise<Line>;
}

interface Listening extends LineListener {
  readonly octets: number[];
  readonly losses: SluiceError[];
}

const listening = (): Listening => {
  const octets: number[] = [];
  const losses: SluiceError[] = [];
  return {
    octets,
    losses,
    data: (arrived) => {
      for (const octet of arrived) octets.push(octet);
    },
    lost: (error) => losses.push(error),
  };
};

/** Octets that betray loss, repetition and reordering: no short period, every value. */
const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (Math.imul(i ^ (i >>> 8), 0x9e3779b1) >>> 11) & 0xff);

const MEGABYTE = 1_048_576;

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

export function describeLineContract(subject: LineSubject): void {
  describe(`${subject.name}, as a line`, () => {
    let bench: LineBench;
    let seen: Listening;

    beforeEach(async () => {
      bench = await subject.bench();
      seen = listening();
    });

    afterEach(async () => {
      await bench.line.close();
      await bench.dispose();
    });

    it('cannot be opened when nothing is there, and says what to do', async () => {
      const line = await subject.absent();
      const failure = await line.open(seen).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(SluiceError);
      if (!(failure instanceof SluiceError)) return;
      expect(failure.code).toBe('line');
      expect(failure.message).toContain(line.path);
      expect(failure.details.subject).toBe(line.path);
      expect(failure.details.remedy).toMatch(/\.$/);
      await line.close();
    });

    it('carries every octet value in both directions', async () => {
      await bench.line.open(seen);
      const all = Uint8Array.from({ length: 256 }, (_, octet) => octet);
      bench.line.write(all);
      bench.send(all);
      await until('both directions', () => bench.receivedBytes() >= 256 && seen.octets.length >= 256);
      expect([...bench.received()]).toEqual([...all]);
      expect(seen.octets).toEqual([...all]);
      expect(bench.line.unwrittenBytes).toBe(0);
      expect(bench.line.statistics).toEqual({ bytesIn: 256, bytesOut: 256, bytesDropped: 0 });
    });

    it('lets the caller use its buffer again after write', async () => {
      bench.setReading(false);
      await bench.line.open(seen);
      const buffer = new Uint8Array(subject.floodBytes / 32);
      for (let i = 0; i < 32; i++) {
        buffer.fill(i);
        bench.line.write(buffer);
      }
      buffer.fill(0xee);
      bench.setReading(true);
      await until('everything', () => bench.receivedBytes() === 32 * buffer.length);
      bench.received().forEach((octet, at) => {
        if (octet !== Math.floor(at / buffer.length)) expect.unreachable(`octet ${at} is ${octet}`);
      });
    });

    it('continues partial writes, and receives meanwhile', async () => {
      bench.setReading(false);
      await bench.line.open(seen);
      // In writes of many sizes.
      const sent = pattern(subject.floodBytes);
      for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 3 + 7) % 300_007) {
        bench.line.write(sent.subarray(at, at + size));
      }
      await delay(50);
      const waiting = bench.line.unwrittenBytes;
      expect(waiting).toBeGreaterThan(0);
      bench.send(Uint8Array.of(1, 2, 3));
      await until('reception while the write is blocked', () => seen.octets.length === 3);
      expect(bench.line.unwrittenBytes).toBe(waiting);
      for (let i = 0; i < 5; i++) {
        bench.setReading(true);
        await delay(2);
        bench.setReading(false);
        await delay(2);
      }
      bench.setReading(true);
      await until('everything', () => bench.receivedBytes() >= sent.length, 60_000);
      await until('the count', () => bench.line.unwrittenBytes === 0);
      expect(Buffer.compare(bench.received(), sent)).toBe(0);
      expect(bench.line.statistics).toEqual({ bytesIn: 3, bytesOut: sent.length, bytesDropped: 0 });
    });

    it('receives a megabyte whole and in order', async () => {
      await bench.line.open(seen);
      const sent = pattern(MEGABYTE);
      bench.send(sent);
      await until('everything', () => seen.octets.length >= sent.length, 60_000);
      expect(Buffer.compare(Uint8Array.from(seen.octets), sent)).toBe(0);
      expect(bench.line.statistics.bytesIn).toBe(sent.length);
    });

    it('closes as often as it is told, and drops what is written then with a count', async () => {
      await bench.line.close();
      bench.line.write(Uint8Array.of(1, 2));
      await bench.line.open(seen);
      await Promise.all([bench.line.close(), bench.line.close()]);
      await bench.line.close();
      bench.line.write(Uint8Array.of(3));
      bench.send(Uint8Array.of(4));
      await delay(30);
      expect(seen.octets).toEqual([]);
      expect(seen.losses).toEqual([]);
      expect(bench.line.unwrittenBytes).toBe(0);
      expect(bench.line.pendingInputBytes()).toBeGreaterThanOrEqual(0);
      expect(bench.line.statistics.bytesDropped).toBe(3);
    });

    it('forgets, with a count, what was not written when it is closed', async () => {
      bench.setReading(false);
      await bench.line.open(seen);
      bench.line.write(new Uint8Array(subject.floodBytes));
      await delay(50);
      await bench.line.close();
      await until('the count', () => {
        const { bytesOut, bytesDropped } = bench.line.statistics;
        return bytesOut + bytesDropped === subject.floodBytes;
      });
      expect(bench.line.statistics.bytesDropped).toBeGreaterThan(0);
      expect(bench.line.unwrittenBytes).toBe(0);
    });

    it('cannot be opened twice', async () => {
      await bench.line.open(seen);
      await expect(bench.line.open(listening())).rejects.toThrow(/open already/);
      bench.send(Uint8Array.of(5));
      await until('data', () => seen.octets.length === 1);
    });

    it('gives up opening when it is closed meanwhile', async () => {
      const opening = bench.line.open(seen).then(
        () => 'open',
        (error: unknown) => error,
      );
      await bench.line.close();
      expect(await opening).toBeInstanceOf(SluiceError);
    });

    it('reports a loss once, forgets what was not written, and counts later writes as dropped', async () => {
      await bench.line.open(seen);
      bench.setReading(false);
      bench.line.write(new Uint8Array(subject.floodBytes));
      bench.hangUp();
      await until('the loss', () => seen.losses.length > 0);
      bench.line.write(Uint8Array.of(1, 2, 3));
      await delay(50);
      expect(seen.losses).toHaveLength(1);
      expect(seen.losses[0]?.code).toBe('line');
      expect(seen.losses[0]?.message).toContain(bench.line.path);
      expect(bench.line.unwrittenBytes).toBe(0);
      const { bytesOut, bytesDropped } = bench.line.statistics;
      expect(bytesOut + bytesDropped).toBe(subject.floodBytes + 3);
    });

    it('does not call back from within write, nor after close, when the line is gone', async () => {
      await bench.line.open(seen);
      bench.hangUp();
      for (let i = 0; i < 100; i++) {
        bench.line.write(Uint8Array.of(1));
        expect(seen.losses).toEqual([]);
      }
      await bench.line.close();
      const before = seen.losses.length;
      await delay(50);
      expect(seen.losses).toHaveLength(before);
    });

    it('leaks no descriptor in 50 openings and closings', async () => {
      await bench.line.open(seen);
      await bench.line.close();
      await delay(20);
      const before = openDescriptors();
      for (let i = 0; i < 50; i++) {
        await bench.line.open(seen);
        await bench.line.close();
      }
      await until(`descriptors back to ${before}, not ${openDescriptors()}`, () => openDescriptors() <= before);
      const gone = await subject.absent();
      const beforeFailures = openDescriptors();
      for (let i = 0; i < 10; i++) await gone.open(seen).catch(() => undefined);
      await until('descriptors of failed openings back', () => openDescriptors() <= beforeFailures);
    });
  });
}
