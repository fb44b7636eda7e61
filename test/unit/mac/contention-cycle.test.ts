import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { optimalAttempts } from '../../../src/mac/contention.js';
import { CycleContention } from '../../../src/mac/contention-cycle.js';

type Outcome = 'idle' | 'success' | 'collision';

interface SlotsOptions {
  readonly seed?: number;
  readonly a?: number;
  readonly misheard?: (listener: number) => boolean;
  /** Whether senders are told that they were understood, or were not. Default: yes. */
  readonly confirmed?: boolean;
}

/** Stations on a channel that is nothing but slots; all hear all. */
class Slots {
  readonly stations: CycleContention[];
  readonly #due: (number | null)[];
  readonly #active: boolean[];
  #idle = 0;
  /** Who sent with success, slot by slot; 0: idle, -1: collision. */
  readonly history: number[] = [];
  readonly #misheard: (listener: number) => boolean;
  readonly #confirmed: boolean;

  constructor(count: number, options: SlotsOptions = {}) {
    const { seed = 1, a = 0.03 } = options;
    this.#confirmed = options.confirmed ?? true;
    this.stations = Array.from(
      { length: count },
      (_, i) => new CycleContention({ random: seededRandom(seed * 100 + i), station: i + 1, a }),
    );
    this.#active = this.stations.map(() => true);
    this.#due = this.stations.map(() => null);
    this.#misheard = options.misheard ?? (() => false);
  }

  activate(station: number, active: boolean): void {
    this.#active[station - 1] = active;
    if (!active) this.#due[station - 1] = null;
  }

  run(slots: number): void {
    for (let i = 0; i < slots; i++) this.#slot();
  }

  /** Of the last slots. */
  share(outcome: Outcome, slots: number): number {
    const of = (entry: number): Outcome => (entry === 0 ? 'idle' : entry < 0 ? 'collision' : 'success');
    return this.history.slice(-slots).filter((entry) => of(entry) === outcome).length / slots;
  }

  #slot(): void {
    this.stations.forEach((station, i) => {
      if (this.#active[i] === true) this.#due[i] ??= this.#idle + station.drawSlots(this.#idle);
    });
    const senders = this.#due.flatMap((due, i) => (due === this.#idle ? [i] : []));
    if (senders.length === 0) {
      this.#idle++;
      this.history.push(0);
      return;
    }
    const idle = this.#idle;
    this.#idle = 0;
    this.history.push(senders.length === 1 ? (senders[0] ?? 0) + 1 : -1);
    this.stations.forEach((station, i) => {
      const own = senders.includes(i);
      station.began(idle, own);
      const due = this.#due[i] ?? null;
      if (!own && due !== null) this.#due[i] = station.recount();
    });
    const speaker = senders.length === 1 ? (senders[0] ?? 0) : null;
    const understood = speaker !== null && !this.#misheard((speaker + 1) % this.stations.length);
    this.stations.forEach((station, i) => {
      if (senders.includes(i)) {
        if (!this.#confirmed) station.succeeded(false);
        else if (understood) station.succeeded(true);
        else station.failed();
        this.#due[i] = this.#active[i] === true ? station.drawSlots(0) : null;
      } else if (speaker !== null && !this.#misheard(i)) station.heard(speaker + 1, this.#confirmed);
    });
  }
}

describe('a schedule', () => {
  for (const n of [2, 3, 5, 8, 20, 50]) {
    it(`of ${n} stations has one slot for each and one more, and no collision`, () => {
      const slots = new Slots(n);
      slots.run(40 * n);
      slots.run(10 * (n + 1));
      expect(slots.share('collision', 10 * (n + 1))).toBe(0);
      expect(slots.share('success', 10 * (n + 1))).toBeCloseTo(n / (n + 1), 10);
      const turns = new Map<number, number>();
      for (const entry of slots.history.slice(-10 * (n + 1))) turns.set(entry, (turns.get(entry) ?? 0) + 1);
      expect([...turns.values()]).toEqual(Array.from({ length: n + 1 }, () => 10));
    });
  }

  it('takes in newcomers and closes up behind those who leave', () => {
    const slots = new Slots(20);
    for (let station = 3; station <= 20; station++) slots.activate(station, false);
    slots.run(100);
    expect(slots.share('success', 30)).toBeCloseTo(2 / 3, 1);
    for (let station = 3; station <= 20; station++) slots.activate(station, true);
    slots.run(400);
    expect(new Set(slots.history.slice(-21)).size).toBe(21);
    expect(slots.share('collision', 21)).toBe(0);
    for (let station = 3; station <= 20; station++) slots.activate(station, false);
    slots.run(200);
    expect(slots.share('success', 30)).toBeCloseTo(2 / 3, 1);
    expect(slots.share('collision', 30)).toBe(0);
  });

  it('survives frame errors', () => {
    const noise = seededRandom(77);
    const slots = new Slots(10, { misheard: () => noise.unit() < 0.1 });
    slots.run(4000);
    expect(slots.share('collision', 3000)).toBeLessThan(0.06);
    for (let station = 1; station <= 10; station++) {
      const turns = slots.history.slice(-3000).filter((entry) => entry === station).length;
      expect(turns).toBeGreaterThan(60);
    }
  });
});

describe('a channel that was idle for months', () => {
  it('is taken into account at once, like one that was idle for a minute', () => {
    const idleFor = (idleSlots: number): { window: number; slots: number } => {
      const station = new CycleContention({ random: seededRandom(3), station: 1, a: 0.03 });
      for (const source of [2, 3, 4]) {
        station.began(0, false);
        station.heard(source, true);
      }
      const slots = station.drawSlots(idleSlots);
      return { window: station.window, slots };
    };
    // One by one this would take minutes.
    expect(idleFor(5e9)).toEqual(idleFor(10_000));
  });
});

describe('a lone sender', () => {
  it('leaves little of the channel free, and a newcomer comes in without a collision', () => {
    const slots = new Slots(2, { a: 0.03 });
    slots.activate(2, false);
    slots.run(500);
    expect(slots.share('idle', 300) * 0.03).toBeLessThan(0.02);
    slots.activate(2, true);
    slots.run(20);
    expect(slots.history.slice(-20)).toContain(2);
    expect(slots.share('collision', 20)).toBe(0);
  });

  it('leaves it at once when somebody else is heard', () => {
    const slots = new Slots(2);
    slots.activate(2, false);
    slots.run(200);
    slots.activate(2, true);
    slots.run(60);
    const last = slots.history.slice(-30);
    expect(last.filter((entry) => entry === 1)).toHaveLength(10);
    expect(last.filter((entry) => entry === 2)).toHaveLength(10);
  });
});

describe('backoff', () => {
  const station = (seed: number): CycleContention =>
    new CycleContention({ random: seededRandom(seed), station: 1, a: 0.01 });

  it('of who hears nobody is over at once', () => {
    expect(station(1).drawSlots(10_000)).toBe(0);
  });

  it('of who fails and hears nobody keeps frames apart, but never for ever', () => {
    const drawn = Array.from({ length: 200 }, (_, seed) => {
      const contention = station(seed);
      let last = 0;
      for (let i = 0; i < 40; i++) {
        last = contention.drawSlots(0);
        contention.began(last, true);
        contention.failed();
      }
      return contention.drawSlots(0);
    });
    expect(Math.max(...drawn)).toBeGreaterThan(300);
    expect(Math.max(...drawn)).toBeLessThan(5000);
  });

  it('never takes a slot in which somebody is expected', () => {
    for (let seed = 0; seed < 50; seed++) {
      const contention = station(seed);
      // Two others, in turn, with one idle slot after both.
      for (let turn = 0; turn < 10; turn++) {
        for (const other of [2, 3]) {
          contention.began(other === 2 ? 1 : 0, false);
          contention.heard(other, true);
        }
      }
      expect(contention.drawSlots(0)).not.toBe(1);
      expect(contention.drawSlots(0)).not.toBe(2);
    }
  });

  it('does not take for a lone sender who is heard twice in a row among others', () => {
    const draws = new Set<number>();
    for (let seed = 0; seed < 50; seed++) {
      const contention = station(seed);
      // 0: a collision, so that there are contenders.
      for (const other of [0, 0, 0, 2, 3, 4, 4]) {
        contention.began(0, false);
        if (other > 0) contention.heard(other, true);
      }
      draws.add(contention.drawSlots(0));
    }
    expect(draws.size).toBeGreaterThan(5);
  });

  it('of frames that do not say who sends them knows no seats', () => {
    const contention = new CycleContention({ random: seededRandom(3), station: 1, a: 0.01, named: false });
    const draws = new Set<number>();
    for (let i = 0; i < 30; i++) {
      contention.began(contention.drawSlots(0), true);
      contention.succeeded(false);
      contention.began(0, false);
      contention.heard(null, false);
      draws.add(contention.drawSlots(0));
    }
    expect(draws.size).toBeGreaterThan(10);
  });
});

describe('what nobody confirms', () => {
  for (const n of [2, 5, 20, 50]) {
    it(`ends in a schedule too, though those who meet are never told: ${n} stations`, () => {
      for (const seed of [1, 2, 3]) {
        const slots = new Slots(n, { confirmed: false, seed });
        slots.run(300 + 60 * n);
        const last = 60 * n;
        slots.run(last);
        expect(slots.share('collision', last)).toBeLessThan(0.02);
        const turns = Array.from({ length: n }, (_, i) =>
          slots.history.slice(-last).filter((entry) => entry === i + 1),
        );
        const counts = turns.map(({ length }) => length);
        expect(Math.min(...counts)).toBeGreaterThan(0.7 * Math.max(...counts));
      }
    });
  }

  it('two that hold the same seat part', () => {
    for (let seed = 1; seed <= 20; seed++) {
      // Both begin in slot 0, and from then on take the same slot for theirs.
      const slots = new Slots(2, { confirmed: false, seed });
      slots.run(150);
      expect(slots.share('collision', 50)).toBe(0);
    }
  });
});

describe('optimal attempts', () => {
  it('are those of slotted ALOHA where slots are as long as frames are wasted, and fewer with short slots', () => {
    expect(optimalAttempts(1e6)).toBeCloseTo(1, 1);
    // For short slots G -> sqrt(2 a).
    expect(optimalAttempts(0.001)).toBeCloseTo(Math.sqrt(0.002), 2);
    expect(optimalAttempts(0.1)).toBeLessThan(optimalAttempts(0.3));
  });
});

describe('whose turn comes when', () => {
  /** Stations 1, 2 and 3 were heard one after the other; this is 2. */
  const settled = (): CycleContention => {
    const two = new CycleContention({ random: seededRandom(1), station: 2, a: 0.03 });
    for (let round = 0; round < 3; round++) {
      for (const station of [1, 2, 3]) {
        two.began(0, station === 2);
        if (station === 2) two.succeeded(true);
        else two.heard(station, true);
      }
      two.drawSlots(two.window - 3);
      two.began(two.window - 3, false);
      two.heard(1, true);
    }
    return two;
  };

  it('is known of those with a seat, and of nobody else', () => {
    const two = settled();
    expect(two.precedes(3)).toBe(true);
    // Has just had its turn, and has another before our next one.
    expect(two.precedes(1)).toBe(true);
    expect(two.precedes(9)).toBe(false);
    expect(two.precedes(2)).toBe(false);
  });
});
