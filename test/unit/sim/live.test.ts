/** The live medium under timers that come late: the pace holds, nothing piles up, a host that writes too fast is held back. */
import { describe, expect, it } from 'vitest';
import type { Scheduler } from '../../../src/base/clock.js';
import { seededRandom } from '../../../src/base/random.js';
import { lateScheduler } from '../../../src/sim/late-host.js';
import { LiveMedium, type PtyPort } from '../../../src/sim/live.js';
import { parseMediumFile } from '../../../src/sim/medium-file.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';

/** A pty whose slave side is a test: reads are handed over in pieces, while not paused. */
class FakePty implements PtyPort {
  readonly slavePath: string;
  readonly read: number[] = [];
  readonly writes: { readonly atUs: number; readonly octets: Uint8Array }[] = [];
  readonly #now: () => number;
  #take: ((octets: Uint8Array) => void) | undefined;
  #waiting = new Uint8Array(0);
  #paused = false;
  #pumping = false;
  closed = false;
  /** Octets the slave still takes before its queue is full. */
  room = Number.POSITIVE_INFINITY;

  constructor(station: number, now: () => number) {
    this.slavePath = `/dev/pts/fake-${station}`;
    this.#now = now;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The host writes into the slave. */
  hostWrites(octets: Uint8Array): void {
    this.#waiting = Buffer.concat([this.#waiting, octets]);
    this.#pump();
  }

  write(octets: Uint8Array): number {
    const taken = Math.min(octets.length, this.room);
    this.room -= taken;
    this.writes.push({ atUs: this.#now(), octets: octets.slice(0, taken) });
    return taken;
  }

  onData(take: (octets: Uint8Array) => void): void {
    this.#take = take;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  close(): void {
    this.closed = true;
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#paused && this.#waiting.length > 0) {
      const piece = this.#waiting.subarray(0, 128);
      this.#waiting = this.#waiting.subarray(128);
      this.#take?.(piece);
    }
    this.#pumping = false;
  }
}

function live(source: string, scheduler: Scheduler): { medium: LiveMedium; ptys: Map<number, FakePty> } {
  const ptys = new Map<number, FakePty>();
  const ptyOf = (station: number): FakePty => {
    const pty = new FakePty(station, () => scheduler.nowUs());
    ptys.set(station, pty);
    return pty;
  };
  return { medium: new LiveMedium({ scheduler, plan: parseMediumFile(source), ptyOf, seed: 1 }), ptys };
}

const pty = (ptys: Map<number, FakePty>, station: number): FakePty => {
  const found = ptys.get(station);
  if (found === undefined) throw new Error(`no station ${station}`);
  return found;
};

const TWO = 'rateBps: 9600\nlineBaud: 19200\nstations: [{ id: 1 }, { id: 2 }]\n';

describe('LiveMedium', () => {
  it('keeps its pace under timers up to 20 ms late: no drift, no octet early', () => {
    const real = new VirtualTime(123_456);
    const random = seededRandom(5);
    const { medium, ptys } = live(
      TWO,
      lateScheduler(real, () => random.below(20_000)),
    );
    expect(medium.slavePaths.get(2)).toBe('/dev/pts/fake-2');
    const sent = Uint8Array.from({ length: 12_000 }, (_, k) => k & 0xff);
    pty(ptys, 1).hostWrites(sent);
    real.runFor(11_000_000);
    const { writes } = pty(ptys, 2);
    expect(Buffer.concat(writes.map(({ octets }) => octets))).toEqual(Buffer.from(sent));
    let octets = 0;
    for (const write of writes) {
      octets += write.octets.length;
      // Line, air, line; the last of these octets cannot be earlier, and is not later than a timer.
      const dueUs = 123_456 + 1e7 / 19_200 + (octets * 8e6) / 9600 + 1e7 / 19_200;
      expect(write.atUs).toBeGreaterThanOrEqual(Math.floor(dueUs) - 1);
      expect(write.atUs).toBeLessThan(dueUs + 20_000 + 1500);
    }
    const summary = medium.stop();
    expect(summary.stations[0]).toMatchObject({ id: 1, airtimeUs: 10_000_000, frames: 1, collisions: 0 });
    expect(summary.stations[1]).toMatchObject({ id: 2, deliveries: 1, octetsReceived: 12_000 });
    expect(summary.channel.busyUs + summary.channel.idleUs).toBe(summary.channel.elapsedUs);
  });

  it('catches up with hosts that come late in the order of the air', () => {
    const real = new VirtualTime();
    let lateness = 0;
    const { ptys } = live(
      TWO,
      lateScheduler(real, () => lateness),
    );
    pty(ptys, 1).hostWrites(new Uint8Array(100));
    lateness = 500_000;
    real.runFor(1000);
    // The host of station 2 writes while all timers are stuck; station 1 has long ended by then.
    real.runFor(300_000);
    pty(ptys, 2).hostWrites(Uint8Array.of(9));
    lateness = 0;
    real.runFor(1_000_000);
    expect(Buffer.concat(pty(ptys, 2).writes.map(({ octets }) => octets)).length).toBe(100);
    expect(Buffer.concat(pty(ptys, 1).writes.map(({ octets }) => octets))).toEqual(Buffer.of(9));
  });

  it('leaves with the host what the line has not carried', () => {
    const real = new VirtualTime();
    const { medium, ptys } = live(`${TWO}bufferBytes: 64\n`, real);
    pty(ptys, 1).hostWrites(new Uint8Array(10_000));
    real.runFor(1_000_000);
    // 1200 octets are on the air, 64 in the modem, and a piece or two on the line.
    const held = 10_000 - pty(ptys, 1).waiting - 1200 - 64;
    expect(held).toBeGreaterThanOrEqual(0);
    expect(held).toBeLessThan(256 + 128 + 2);
    expect(medium.summary().stations[0]?.emulator.inputOverrun).toBe(0);
  });

  it('counts what a host does not read, and goes on', () => {
    const real = new VirtualTime();
    const { medium, ptys } = live(TWO, real);
    pty(ptys, 2).room = 50;
    pty(ptys, 1).hostWrites(new Uint8Array(80));
    real.runFor(200_000);
    expect(medium.summary().stations[1]?.emulator.unread).toBe(30);
  });

  it('is quiet when nothing happens, and stops once', () => {
    const real = new VirtualTime();
    const { medium, ptys } = live(TWO, real);
    expect(real.nextDueUs).toBeUndefined();
    real.runFor(1_000_000);
    const summary = medium.stop();
    expect(summary.channel).toEqual({ elapsedUs: 1_000_000, busyUs: 0, collisionUs: 0, idleUs: 1_000_000 });
    expect(medium.stop().channel).toEqual(summary.channel);
    expect(pty(ptys, 1).closed).toBe(true);
    pty(ptys, 1).hostWrites(new Uint8Array(10));
    expect(real.nextDueUs).toBeUndefined();
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  });
});
