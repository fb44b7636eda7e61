/** A line that comes back: pauses, counts, states, and the end of trying. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Cancel, Scheduler } from '../../../src/base/clock.js';
import { SluiceError } from '../../../src/base/errors.js';
import { ReopeningLine } from '../../../src/serial/reopening-line.js';
import { FakeLine } from '../../contract/fake-line.js';
import { describeLineContract } from '../../contract/line-contract.js';
import { timerScheduler } from '../../contract/timer-scheduler.js';

/** Time that stands still until the test runs the next call. */
class ManualTime implements Scheduler {
  #nowUs = 0;
  readonly #calls: { atUs: number; callback: () => void }[] = [];

  nowUs(): number {
    return this.#nowUs;
  }

  at(atUs: number, callback: () => void): Cancel {
    const call = { atUs, callback };
    this.#calls.push(call);
    return () => {
      const at = this.#calls.indexOf(call);
      if (at >= 0) this.#calls.splice(at, 1);
    };
  }

  /** Runs the one call that waits; returns how long it had to, in microseconds, or undefined when none did. */
  async next(): Promise<number | undefined> {
    expect(this.#calls.length).toBeLessThanOrEqual(1);
    const call = this.#calls.shift();
    if (call === undefined) return undefined;
    const pauseUs = call.atUs - this.#nowUs;
    this.#nowUs = call.atUs;
    call.callback();
    await turns();
    return pauseUs;
  }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe('ReopeningLine', () => {
  let time: ManualTime;
  let made: FakeLine[];
  let absent: boolean;
  let events: string[];
  let line: ReopeningLine;

  beforeEach(() => {
    time = new ManualTime();
    made = [];
    absent = false;
    events = [];
    line = new ReopeningLine({
      create: () => {
        const fake = new FakeLine();
        fake.far.absent = absent;
        made.push(fake);
        return fake;
      },
      scheduler: time,
      onOpen: () => events.push(`open ${line.reopens}`),
      onLost: () => events.push('lost'),
      onRetry: (_, pauseUs) => events.push(`retry in ${pauseUs}`),
    });
  });

  const listener = {
    data: (octets: Uint8Array) => events.push(`data ${octets.join()}`),
    lost: () => events.push('listener lost'),
  };
  const last = (): FakeLine => made.at(-1) as FakeLine;

  it('throws when the first opening fails, tries no more, and can be opened later', async () => {
    last().far.absent = true;
    await expect(line.open(listener)).rejects.toBeInstanceOf(SluiceError);
    expect(await time.next()).toBeUndefined();
    expect(line.state).toBe('closed');
    last().far.absent = false;
    await line.open(listener);
    expect(line.state).toBe('open');
    expect(events).toEqual(['open 0']);
  });

  it('reopens with pauses that double from 0.25 s to 5 s, and starts afresh after the next loss', async () => {
    await line.open(listener);
    last().far.hangUp();
    await turns();
    expect(line.state).toBe('lost');
    absent = true;
    const pauses: (number | undefined)[] = [];
    for (let i = 0; i < 7; i++) pauses.push(await time.next());
    expect(pauses).toEqual([250_000, 500_000, 1_000_000, 2_000_000, 4_000_000, 5_000_000, 5_000_000]);
    absent = false;
    await time.next();
    expect(line.state).toBe('open');
    expect(line.reopens).toBe(1);
    expect(events.slice(0, 4)).toEqual(['open 0', 'listener lost', 'lost', 'retry in 500000']);
    expect(events.at(-1)).toBe('open 1');
    last().far.hangUp();
    await turns();
    expect(await time.next()).toBe(250_000);
    expect(line.reopens).toBe(2);
  });

  it('carries data again after it came back, and sums the statistics', async () => {
    await line.open(listener);
    line.write(Uint8Array.of(1, 2));
    last().far.send(Uint8Array.of(9));
    await turns();
    last().far.hangUp();
    await turns();
    line.write(Uint8Array.of(3, 4, 5));
    await time.next();
    line.write(Uint8Array.of(6));
    last().far.send(Uint8Array.of(7));
    await turns();
    expect([...last().far.received()]).toEqual([6]);
    expect(events.filter((event) => event.startsWith('data'))).toEqual(['data 9', 'data 7']);
    expect(line.statistics).toEqual({ bytesIn: 2, bytesOut: 3, bytesDropped: 3 });
  });

  it('stops trying when it is closed', async () => {
    await line.open(listener);
    last().far.hangUp();
    await turns();
    await line.close();
    expect(await time.next()).toBeUndefined();
    expect(line.state).toBe('closed');
    expect(made).toHaveLength(1);
  });

  it('stops trying when it is closed during an attempt', async () => {
    await line.open(listener);
    last().far.hangUp();
    await turns();
    const attempt = time.next();
    await line.close();
    await attempt;
    await turns();
    expect(await time.next()).toBeUndefined();
    expect(line.state).toBe('closed');
    expect(events).toEqual(['open 0', 'listener lost', 'lost']);
  });

  it('lets the listener close it when it is lost', async () => {
    await line.open({ data: listener.data, lost: () => void line.close() });
    last().far.hangUp();
    await turns();
    expect(await time.next()).toBeUndefined();
    expect(line.state).toBe('closed');
  });
});

describeLineContract({
  name: 'ReopeningLine',
  floodBytes: 262_144,
  bench: async () => {
    const fakes: FakeLine[] = [];
    const line = new ReopeningLine({
      create: () => {
        const fake = new FakeLine();
        fakes.push(fake);
        return fake;
      },
      scheduler: timerScheduler,
      firstPauseUs: 60_000_000,
    });
    const far = () => (fakes.at(-1) as FakeLine).far;
    return {
      line,
      send: (octets) => far().send(octets),
      received: () => far().received(),
      receivedBytes: () => far().received().length,
      setReading: (reading) => {
        far().reading = reading;
      },
      hangUp: () => far().hangUp(),
      dispose: async () => undefined,
    };
  },
  absent: async () => {
    const fake = new FakeLine('/dev/absent');
    fake.far.absent = true;
    return new ReopeningLine({ create: () => fake, scheduler: timerScheduler });
  },
});
