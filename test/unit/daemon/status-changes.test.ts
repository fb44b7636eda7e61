/** Only what changed: whoever applies it has what a whole dump would have said. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DaemonStatus } from '../../../src/daemon/status.js';
import { applyChanges, changesBetween } from '../../../src/daemon/status-changes.js';
import { StatusDumps } from '../../../src/daemon/status-dumps.js';
import { neighbour, statusOf } from '../cli/top/statuses.js';

const stations = fc.uniqueArray(
  fc.record({
    station: fc.integer({ min: 1, max: 6 }),
    lastHeardMs: fc.integer({ min: 0, max: 100_000 }),
    attempts: fc.integer({ min: 0, max: 3 }),
    lossRatio: fc.constantFrom(0, 0.5, 1),
    rssiDbm: fc.option(fc.constantFrom(-80, -90), { nil: undefined }),
  }),
  { selector: ({ station }) => station },
);
const statuses = fc
  .record({
    uptimeMs: fc.integer({ min: 0, max: 1_000_000 }),
    neighbours: stations,
    drops: fc.dictionary(fc.constantFrom('deadline', 'rx-fcs', 'shutdown'), fc.integer({ min: 1, max: 3 })),
    attempts: fc.integer({ min: 0, max: 3 }),
    profile: fc.constantFrom('radio-9600', 'kiss-1200'),
  })
  .map(({ neighbours, drops, attempts, ...rest }) => ({
    ...statusOf({
      ...{ ...rest, drops, mac: { attempts } },
      neighbours: [...neighbours]
        .sort((left, right) => left.station - right.station)
        .map(({ station, rssiDbm, ...fields }) =>
          neighbour(station, { ...fields, ...(rssiDbm === undefined ? {} : { rssiDbm }) }),
        ),
    }),
    capture: { readers: 0, frames: 0, dropped: 0 },
  }));

describe('changes', () => {
  it('applied to what they were made against give the whole', () => {
    fc.assert(
      fc.property(statuses, statuses, (before, after) => {
        const sent = JSON.parse(JSON.stringify(changesBetween(before, after)));
        const result = applyChanges(before, sent) as unknown as DaemonStatus;
        // Times that grew as they must are worked out, within what rounding makes of them.
        for (const [index, { lastHeardMs }] of result.neighbours.entries()) {
          expect(Math.abs(lastHeardMs - (after.neighbours[index]?.lastHeardMs ?? Number.NaN))).toBeLessThanOrEqual(2);
        }
        const timeless = (status: DaemonStatus) => ({
          ...status,
          neighbours: status.neighbours.map((each) => ({ ...each, lastHeardMs: 0 })),
        });
        expect(timeless(result)).toEqual(timeless(after));
      }),
    );
  });

  it('are next to nothing where nothing happened', () => {
    const before = statusOf({ uptimeMs: 10_000, neighbours: [neighbour(2, { lastHeardMs: 300 }), neighbour(3)] });
    const after = statusOf({
      uptimeMs: 14_000,
      neighbours: [neighbour(2, { lastHeardMs: 4301 }), neighbour(3, { lastHeardMs: 4300 })],
    });
    expect(changesBetween(before, after)).toEqual({ uptimeMs: 14_000 });
    expect(applyChanges(before, { uptimeMs: 14_000 })).toMatchObject({
      neighbours: [{ lastHeardMs: 4300 }, { lastHeardMs: 4300 }],
    });
  });

  it('name what came, what changed and what went', () => {
    const before = statusOf({ neighbours: [neighbour(2, { rssiDbm: -80 }), neighbour(3)], drops: { deadline: 1 } });
    const after = statusOf({
      ...{ uptimeMs: 12_000, mac: { attempts: 4 }, drops: { deadline: 1, 'rx-fcs': 2 } },
      neighbours: [neighbour(2, { lastHeardMs: 100 }), neighbour(7)],
    });
    expect(changesBetween(before, after)).toEqual({
      uptimeMs: 12_000,
      mac: { attempts: 4 },
      neighbours: [{ station: 2, lastHeardMs: 100, rssiDbm: null }, neighbour(7), { station: 3, gone: true }],
      drops: { 'rx-fcs': 2 },
    });
  });
});

describe('dumps', () => {
  const status = (uptimeMs: number): DaemonStatus => ({
    ...statusOf({ uptimeMs }),
    capture: { readers: 0, frames: 0, dropped: 0 },
  });

  it('are whole at first, then say what changed since the one that is named', () => {
    let uptimeMs = 1000;
    const dumps = new StatusDumps(() => status(uptimeMs));
    const whole = dumps.dump('');
    expect(whole).toEqual({ ...status(1000), token: whole.token });
    uptimeMs = 2000;
    const changes = dumps.dump(whole.token);
    expect(changes).toEqual({ token: changes.token, since: whole.token, changed: { uptimeMs: 2000 } });
    expect(changes.token).not.toBe(whole.token);
    // The same one again: an answer may have been lost on the way.
    expect(dumps.dump(whole.token)).toMatchObject({ since: whole.token });
  });

  it('are whole for tokens of another run, and for those that are forgotten', () => {
    const first = new StatusDumps(() => status(1));
    const other = new StatusDumps(() => status(1));
    const { token } = first.dump('');
    expect(other.dump(token)).toHaveProperty('neighbours');
    for (let dump = 0; dump < 32; dump++) first.dump('');
    expect(first.dump(token)).toHaveProperty('neighbours');
  });
});
