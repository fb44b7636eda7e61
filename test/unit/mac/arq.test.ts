import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { Inbox } from '../../../src/mac/inbox.js';
import { Outbox } from '../../../src/mac/outbox.js';
import { sequenceAfter } from '../../../src/mac/sequence.js';
import { WINDOW } from '../../../src/wire/link-frame.js';

interface Run {
  readonly delivered: number[];
  readonly settled: number[];
  readonly givenUp: number[];
}

/** Bursts of up to `burst` frames over a channel that loses frames and answers; frames may be given up. */
function exchange(options: {
  frames: number;
  burst: number;
  loss: number;
  maxAttempts: number;
  seed: number;
  restartAt?: number;
}): Run {
  const random = seededRandom(options.seed);
  const lost = (): boolean => random.unit() < options.loss;
  let outbox = new Outbox<number>(random.below(32));
  const inbox = new Inbox<number>();
  const run: Run = { delivered: [], settled: [], givenUp: [] };
  let pulled = 0;
  for (let round = 0; round < 100_000; round++) {
    if (pulled === options.restartAt && outbox.size === 0) outbox = new Outbox<number>(random.below(32));
    while (pulled < options.frames && !outbox.isFull && outbox.unacknowledged.length < options.burst) {
      outbox.add(pulled++);
      if (pulled === options.restartAt) break;
    }
    if (outbox.size === 0 && pulled === options.frames) return run;
    let heard = false;
    for (const frame of outbox.unacknowledged.slice(0, options.burst)) {
      const arrival = { sequence: frame.sequence, behind: outbox.behind(frame), retry: frame.attempts++ > 0 };
      if (lost()) continue;
      heard = true;
      run.delivered.push(...inbox.take(arrival, frame.item).ready);
    }
    if (heard && !lost()) run.settled.push(...outbox.acknowledge(inbox.acknowledgement).map((frame) => frame.item));
    run.givenUp.push(...outbox.giveUp((frame) => frame.attempts >= options.maxAttempts).map((frame) => frame.item));
  }
  throw new Error('the exchange came to no end');
}

describe('outbox and inbox', () => {
  it('deliver everything in order and once, whatever is lost, when nothing is given up', () => {
    fc.assert(
      fc.property(
        fc.record({
          burst: fc.integer({ min: 1, max: WINDOW }),
          loss: fc.double({ min: 0, max: 0.6, noNaN: true }),
          seed: fc.nat(),
        }),
        ({ burst, loss, seed }) => {
          const { delivered } = exchange({ frames: 150, burst, loss, maxAttempts: 1e9, seed });
          expect(delivered).toEqual(Array.from({ length: 150 }, (_, index) => index));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('settle each frame once: acknowledged or given up; what was acknowledged was delivered, in order and once', () => {
    fc.assert(
      fc.property(
        fc.record({
          burst: fc.integer({ min: 1, max: WINDOW }),
          loss: fc.double({ min: 0, max: 0.7, noNaN: true }),
          maxAttempts: fc.integer({ min: 1, max: 4 }),
          seed: fc.nat(),
        }),
        ({ burst, loss, maxAttempts, seed }) => {
          const { delivered, settled, givenUp } = exchange({ frames: 200, burst, loss, maxAttempts, seed });
          expect([...settled, ...givenUp].sort((a, b) => a - b)).toEqual(
            Array.from({ length: 200 }, (_, index) => index),
          );
          expect(delivered).toEqual([...new Set(delivered)].sort((a, b) => a - b));
          for (const item of settled) expect(delivered.includes(item) || item >= Math.max(...delivered)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('go on after the sender has started anew with other numbers', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: WINDOW }), (seed, burst) => {
        const { delivered } = exchange({ frames: 60, burst, loss: 0, maxAttempts: 1e9, seed, restartAt: 30 });
        expect(delivered).toEqual(Array.from({ length: 60 }, (_, index) => index));
      }),
      { numRuns: 100 },
    );
  });
});

describe('outbox', () => {
  it('is full when the oldest open frame is a window behind, whatever of the rest was acknowledged', () => {
    const outbox = new Outbox<string>(30);
    for (let i = 0; i < WINDOW; i++) outbox.add(`frame ${i}`);
    expect(outbox.isFull).toBe(true);
    outbox.acknowledge({ next: 30, bitmap: 0b1111_1110 });
    expect(outbox.isFull).toBe(true);
    expect(outbox.unacknowledged.map((frame) => frame.item)).toEqual(['frame 0']);
    outbox.acknowledge({ next: sequenceAfter(30, WINDOW), bitmap: 0 });
    expect(outbox.isFull).toBe(false);
    expect(outbox.size).toBe(0);
  });

  it('takes no answer for numbers that it never gave out', () => {
    const outbox = new Outbox<string>(5);
    outbox.add('one');
    expect(outbox.acknowledge({ next: 9, bitmap: 0 })).toEqual([]);
    expect(outbox.acknowledge({ next: 4, bitmap: 0 })).toEqual([]);
    expect(outbox.size).toBe(1);
    expect(outbox.acknowledge({ next: 6, bitmap: 0 }).map((frame) => frame.item)).toEqual(['one']);
  });
});

describe('inbox', () => {
  it('takes a repetition for one, delivers nothing, and acknowledges it again', () => {
    const inbox = new Inbox<string>();
    expect(inbox.take({ sequence: 3, behind: 0, retry: false }, 'a')).toEqual({ ready: ['a'], isNew: true });
    expect(inbox.take({ sequence: 3, behind: 0, retry: true }, 'a')).toEqual({ ready: [], isNew: false });
    expect(inbox.acknowledgement).toEqual({ next: 4, bitmap: 0 });
  });

  it('holds back what came too early until the sender has settled what is missing', () => {
    const inbox = new Inbox<string>();
    inbox.take({ sequence: 0, behind: 0, retry: false }, 'a');
    expect(inbox.take({ sequence: 2, behind: 1, retry: false }, 'c').ready).toEqual([]);
    expect(inbox.acknowledgement).toEqual({ next: 1, bitmap: 0b10 });
    // The sender gave up frame 1: nothing older than 3 is open.
    expect(inbox.take({ sequence: 3, behind: 0, retry: false }, 'd').ready).toEqual(['c', 'd']);
  });

  it('knows a repetition for one also when it settles what was missing before it', () => {
    const inbox = new Inbox<string>();
    inbox.take({ sequence: 0, behind: 0, retry: false }, 'a');
    inbox.take({ sequence: 2, behind: 1, retry: false }, 'c');
    // Frame 1 was given up meanwhile, and the answer to frame 2 was lost.
    expect(inbox.take({ sequence: 2, behind: 0, retry: true }, 'c')).toEqual({ ready: ['c'], isNew: false });
  });

  it.each([
    ['before what is held', 1],
    ['of what is held', 2],
  ])('takes a first transmission %s for that of a sender that has started anew', (_what, sequence) => {
    const inbox = new Inbox<string>();
    inbox.take({ sequence: 0, behind: 0, retry: false }, 'a');
    inbox.take({ sequence: 2, behind: 1, retry: false }, 'c');
    expect(inbox.take({ sequence, behind: 0, retry: false }, 'new')).toEqual({ ready: ['c', 'new'], isNew: true });
    expect(inbox.acknowledgement).toEqual({ next: sequence + 1, bitmap: 0 });
  });
});
