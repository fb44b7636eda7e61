/** When back pressure is put back, when it is given up, and what is said of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/base/errors.js';
import type { BackPressure, HungBackPressure } from '../../../src/flow/back-pressure.js';
import { RepairingBackPressure, type RepairReport } from '../../../src/flow/repair.js';

const QDISC = { kind: 'pfifo_fast', backlogPackets: 3, backlogBytes: 300, dropped: 0 };

class FakeGate implements HungBackPressure {
  readonly mode = 'gate';
  readonly reason = 'fake';
  grants = 0;
  broken: string | null = null;
  gone = false;
  rehung = 0;
  ended: 'closed' | 'left' | null = null;
  grant(): void {
    this.#reach();
    if (this.broken !== null) throw new SluiceError('system', this.broken);
    this.grants++;
  }
  fault(): string | null {
    this.#reach();
    return this.broken;
  }
  rehang(): number {
    this.#reach();
    this.broken = null;
    this.rehung++;
    return 5;
  }
  isKick(frame: Uint8Array): boolean {
    return frame.length === 18;
  }
  qdisc(): typeof QDISC {
    this.#reach();
    return QDISC;
  }
  followMtu(): void {}
  shut(): void {}
  leave(): void {
    this.ended = 'left';
  }
  close(): void {
    this.ended = 'closed';
  }
  #reach(): void {
    if (this.gone) throw new SluiceError('system', 'no such device', { errno: 'ENODEV' });
  }
}

let gate: FakeGate;
let nowUs: number;
let reports: RepairReport[];
let repairing: RepairingBackPressure;
const none = (reason: string): BackPressure => ({
  mode: 'none',
  reason,
  grants: 0,
  grant: () => undefined,
  isKick: () => false,
  qdisc: () => ({ ...QDISC, kind: 'pfifo' }),
  close: () => undefined,
});

beforeEach(() => {
  gate = new FakeGate();
  nowUs = 0;
  reports = [];
  repairing = new RepairingBackPressure({
    hung: gate,
    reason: 'why',
    makeNone: none,
    nowUs: () => nowUs,
    report: (report) => reports.push(report),
  });
});

describe('RepairingBackPressure', () => {
  it('does nothing while all is in place', () => {
    repairing.check();
    repairing.grant();
    expect(gate.rehung).toBe(0);
    expect(repairing.grants).toBe(1);
    expect(reports).toEqual([]);
  });

  it('repairs at a look, and says what was found and lost', () => {
    gate.broken = 'a pfifo in its place';
    repairing.check();
    expect(reports).toEqual([{ done: 'repaired', cause: 'a pfifo in its place', repairs: 1, lostPackets: 5 }]);
  });

  it('repairs at a grant, and grants', () => {
    gate.broken = 'gone';
    repairing.grant();
    expect(gate.rehung).toBe(1);
    expect(repairing.grants).toBe(1);
  });

  it('gives up after five within a minute, and not after five within more', () => {
    for (let i = 0; i < 12; i++) {
      gate.broken = 'again';
      repairing.check();
      nowUs += 13_000_000;
    }
    expect(repairing.mode).toBe('gate');
    for (let i = 0; i < 6; i++) {
      gate.broken = 'again';
      repairing.check();
    }
    expect(repairing.mode).toBe('none');
    expect(reports.at(-1)).toMatchObject({ done: 'given-up', cause: 'again' });
    expect(gate.ended).toBe('left');
    // Whose root qdisc it is now, is not ours to take off.
    repairing.close();
    expect(gate.ended).toBe('left');
    expect(repairing.isKick(new Uint8Array(18))).toBe(true);
    repairing.grant();
  });

  it('lets the caller hear of a device that is gone, and still tells what waited', () => {
    expect(repairing.qdisc()).toEqual(QDISC);
    gate.gone = true;
    expect(() => repairing.check()).toThrow('no such device');
    expect(() => repairing.grant()).toThrow('no such device');
    expect(repairing.qdisc()).toEqual(QDISC);
    expect(reports).toEqual([]);
  });

  it('goes on with another one, its grants added', () => {
    repairing.grant();
    const other = new FakeGate();
    repairing.take(other);
    repairing.grant();
    expect(repairing.grants).toBe(2);
    expect(gate.ended).toBe('left');
    repairing.leave();
    repairing.close();
    expect(other.ended).toBe('left');
  });

  it('is none from the start where nothing can be had', () => {
    const bare = new RepairingBackPressure({
      hung: null,
      reason: 'no privilege',
      makeNone: none,
      nowUs: () => 0,
      report: () => undefined,
    });
    bare.grant();
    bare.check();
    expect(bare).toMatchObject({ mode: 'none', reason: 'no privilege', grants: 0 });
  });
});
