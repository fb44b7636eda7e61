/** Which cause is found in which logs: one crafted for each. */
import { describe, expect, it } from 'vitest';
import type { Cause, CauseKind } from '../../../../src/observe/report/cause.js';
import { causesOf } from '../../../../src/observe/report/causes.js';
import { channels, line, modest, recordOf, T0_MS } from './crafted-logs.js';

function found(...logs: string[][]): Cause[] {
  return causesOf(recordOf(...logs).whole);
}

function only(kind: CauseKind, causes: readonly Cause[]): Cause {
  expect(causes.map((cause) => cause.kind)).toEqual([kind]);
  return causes[0] as Cause;
}

/** Two stations that get on well. */
const ONE = channels(1, 0, 120, () => modest(2));
const TWO = channels(2, 0, 120, () => modest(1));
/** A station that all three others hear, and that hears them. */
const threeOthers = (peers: readonly number[]) => () =>
  modest(peers[0] ?? 0, { busyRatio: 0.15, heardMs: Object.fromEntries(peers.map((peer) => [peer, 500])) });
const FOUR = [1, 2, 3, 4].map((station) =>
  channels(station, 0, 120, threeOthers([1, 2, 3, 4].filter((each) => each !== station))),
);

describe('nothing', () => {
  it('is wrong between two stations that get on well, in one log or both', () => {
    expect(found(ONE, TWO)).toEqual([]);
    expect(found(ONE)).toEqual([]);
  });

  it('is wrong with four of them, nor with a station that has nothing to say', () => {
    expect(found(...FOUR)).toEqual([]);
    expect(
      found(
        ONE,
        TWO,
        channels(3, 0, 120, () => ({ busyRatio: 0.1, heardMs: { 1: 600, 2: 600 } })),
      ),
    ).toEqual([]);
  });

  it('is said of what the duty limit, the queue and chatter do on purpose', () => {
    expect(
      found(
        channels(1, 0, 120, () => modest(2, { dutyLeftMs: 9, drops: { 'chatter-mdns': 9 } })),
        TWO,
      ),
    ).toEqual([]);
  });
});

describe('a stuck carrier', () => {
  const stuck = channels(4, 0, 120, (atS) =>
    modest(1, atS < 60 ? { heardMs: { 1: 500, 2: 500, 3: 500 } } : { stuckMs: 9000, heardMs: {} }),
  );

  it('is found by what the station itself no longer believed', () => {
    const { stations, text } = only('stuck-carrier', found(...FOUR.slice(0, 3), stuck));
    expect(stations).toEqual([4]);
    expect(text).toMatch(/54 s/);
  });

  it('is found in its own log alone', () => {
    expect(only('stuck-carrier', found(stuck)).text).toMatch(/no other station/);
  });

  it('is found before it is noticed, by comparison', () => {
    const busy = channels(4, 0, 120, () => modest(1, { busyRatio: 0.97, heardMs: { 1: 500, 2: 500, 3: 500 } }));
    expect(only('stuck-carrier', found(...FOUR.slice(0, 3), busy)).stations).toEqual([4]);
  });

  it('of all stations at once is somebody who never stops sending', () => {
    const all = [1, 2, 3].map((station) =>
      channels(station, 0, 60, () => modest(station === 1 ? 2 : 1, { stuckMs: 9000 })),
    );
    expect(found(...all).map(({ kind }) => kind)).toContain('endless-carrier');
    expect(found(...all).map(({ kind }) => kind)).not.toContain('stuck-carrier');
  });
});

describe('a deaf station', () => {
  const deaf = channels(2, 0, 120, () => modest(9, { heardMs: {}, answered: {}, attempts: 3 }));
  const caller = channels(1, 0, 120, () => modest(2, { unacked: 5, acked: 0, answered: {}, unanswered: { 2: 5 } }));

  it('is found from both logs, and its calls are no collisions', () => {
    const { stations, title, text } = only('deaf', found(caller, deaf));
    expect(stations).toEqual([2, 1]);
    expect(title).toBe('Station 2 is deaf to station 1');
    expect(text).toMatch(/60 times/);
  });

  it('is found from the log of the one that calls in vain', () => {
    expect(only('deaf', found(caller)).stations).toEqual([2, 1]);
  });

  it('that is not heard either is not there', () => {
    const vain = channels(1, 0, 120, () =>
      modest(2, { heardMs: {}, unacked: 5, acked: 0, answered: {}, unanswered: { 2: 5 } }),
    );
    expect(only('unreached', found(vain)).stations).toEqual([2, 1]);
  });

  it('is not called so when some answers come', () => {
    const some = channels(1, 0, 120, (atS) =>
      modest(2, atS === 0 ? {} : { unacked: 5, unanswered: { 2: 5 }, answered: {} }),
    );
    expect(found(some).map(({ kind }) => kind)).toEqual(['weak']);
  });

  it('is told who could relay', () => {
    const heard = (...from: number[]) => Object.fromEntries(from.map((each) => [each, 500]));
    const causes = found(
      channels(1, 0, 120, () => modest(3, { heardMs: heard(2, 3) })),
      channels(2, 0, 120, () => modest(3, { heardMs: heard(3) })),
      channels(3, 0, 120, () => modest(1, { heardMs: heard(1, 2) })),
    );
    expect(only('deaf', causes).remedy).toMatch(/station 3 could relay/);
  });
});

describe('hidden stations', () => {
  it('are found, and the one between them that hears both', () => {
    const outer = (station: number) =>
      channels(station, 0, 120, () => modest(3, { acked: 3, unacked: 2, unanswered: { 3: 2 } }));
    const middle = channels(3, 0, 120, () => modest(1, { heardMs: { 1: 500, 2: 500 }, garbled: 4 }));
    const causes = found(outer(1), outer(2), middle);
    expect(causes.map(({ kind }) => kind)).toEqual(['hidden', 'collisions']);
    expect(causes[0]?.stations).toEqual([1, 2]);
    expect(causes[0]?.text).toMatch(/Station 3.*48 receptions/);
  });
});

describe('load', () => {
  const flooder = (share: number) =>
    channels(2, 0, 120, () => modest(1, { txRatio: share, heardMs: { 1: 500 }, queue: 30 }));
  const flooded = channels(1, 0, 120, () => modest(2, { busyRatio: 0.7, heardMs: { 2: 7000 }, queue: 3 }));

  it('of one station for most of the time is a flood, with its own log and without', () => {
    const { stations, text } = only('flood', found(flooded, flooder(0.7)));
    expect(stations).toEqual([2]);
    expect(text).toMatch(/70 % of the time.*30 packets.*also waited at station 1/);
    expect(only('flood', found(flooded)).stations).toEqual([2]);
  });

  it('of all alike is a full channel', () => {
    const alike = (station: number, ...peers: number[]) =>
      channels(station, 0, 120, () =>
        modest(peers[0] ?? 0, {
          txRatio: 0.3,
          busyRatio: 0.6,
          heardMs: Object.fromEntries(peers.map((peer) => [peer, 3000])),
          queue: 8,
        }),
      );
    expect(only('full', found(alike(1, 2, 3), alike(2, 1, 3), alike(3, 1, 2))).text).toMatch(/90 %/);
  });

  it('that makes attempts fail is collisions; failing on a quiet channel is a weak signal', () => {
    const lossy = (heardMs: number) =>
      channels(1, 0, 120, () =>
        modest(2, {
          busyRatio: heardMs / 10_000,
          heardMs: { 2: heardMs / 2, 3: heardMs / 2 },
          unacked: 4,
          attempts: 9,
          answered: { 2: 5 },
          unanswered: { 2: 4 },
        }),
      );
    expect(only('collisions', found(lossy(6000))).text).toMatch(/station 1 44 %/);
    expect(only('weak', found(lossy(600))).stations).toEqual([1]);
  });

  it('that nobody understands is strangers', () => {
    const noisy = (station: number, peer: number) =>
      channels(station, 0, 120, () => modest(peer, { busyRatio: 0.4, garbled: 6 }));
    expect(only('strangers', found(noisy(1, 2), noisy(2, 1))).stations).toEqual([1, 2]);
  });

  it('beyond the duty limit is named', () => {
    const limited = channels(1, 0, 120, (atS) => modest(2, { dutyLeftMs: atS < 60 ? 500 : 0, queue: 4 }));
    expect(only('duty', found(limited, TWO)).text).toMatch(/50 %/);
  });
});

describe('a station’s own trouble', () => {
  const at = (seconds: number): number => T0_MS + 1000 * seconds;

  it('is a line that was lost, for how long', () => {
    const log = [
      ...ONE,
      line(1, at(30), 'line-lost', { line: '/dev/ttyUSB0', cause: 'the device is gone' }),
      line(1, at(60), 'line-open', { line: '/dev/ttyUSB0', reopens: 1 }),
    ];
    expect(only('line-lost', found(log, TWO)).text).toMatch(/once.*30 s \(25 %.*the device is gone/i);
  });

  it('is a process that hung, leaks, a number used twice', () => {
    const notes = [
      line(1, at(30), 'hung', { forMs: 12_000, meaning: '' }),
      line(1, at(31), 'back-pressure-leak', { mode: 'gate', tapDropped: 4, qdiscDropped: 1 }),
      line(1, at(32), 'address-conflict', {
        ...{ type: 'ip', destination: 2, sequence: 7, bodyBytes: 40 },
        remedy: '',
      }),
    ];
    expect(found([...ONE, ...notes], TWO).map(({ kind }) => kind)).toEqual(['address-conflict', 'leak', 'hung']);
  });
});
