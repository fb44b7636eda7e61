/** A made-up walk of ten minutes with five stations: 2 floods, 4 is deaf to 1 and 3, the carrier of 5 sticks in the seventh minute. */
import { channels, line, modest, T0_MS } from './crafted-logs.js';

const STUCK_FROM_S = 360;

export function walkLogs(): Map<number, string> {
  const stuck = (atS: number): boolean => atS >= STUCK_FROM_S;
  const wave = (atS: number): number => 1 + 0.3 * Math.sin(atS / 40);
  const others = (from: number, atS: number): Record<string, number> =>
    Object.fromEntries(
      [1, 2, 3, 4, 5]
        .filter((each) => each !== from && !(from === 4 && (each === 1 || each === 3)))
        .map((each) => [each, Math.round((each === 2 ? 5200 : 300) * wave(atS))]),
    );
  const common = (station: number) => (atS: number) => ({
    ...modest(station === 3 ? 2 : 3),
    busyRatio: 0.65,
    txRatio: 0.03 * wave(atS),
    heardMs: others(station, atS),
    garbled: stuck(atS) ? 6 : 1,
    contentionWindow: stuck(atS) ? 32 : 8,
  });
  const one = (atS: number) => ({
    ...common(1)(atS),
    attempts: 9,
    unacked: 4,
    unanswered: { 4: 2 },
    drops: { 'retry-limit': 1 },
  });
  const two = (atS: number) => ({
    ...common(2)(atS),
    busyRatio: 0.1,
    txRatio: 0.52 * wave(atS),
    attempts: 60,
    acked: stuck(atS) ? 45 : 58,
    unacked: stuck(atS) ? 15 : 2,
    answered: { 3: 58 },
    ...(stuck(atS) ? { unanswered: { 3: 15 }, answered: { 3: 45 } } : {}),
    retries: [50, 6, 2],
    queue: 40,
    delayHistogramMs: { '128': 30, '256': 20, '1024': 6, inf: 1 },
  });
  const five = (atS: number) =>
    stuck(atS) ? { ...common(5)(atS), busyRatio: 0.1, stuckMs: 8800, heardMs: { 2: 200 } } : common(5)(atS);
  const all = new Map([
    [1, channels(1, 0, 600, one)],
    [2, channels(2, 0, 600, two)],
    [3, channels(3, 0, 600, common(3))],
    [4, channels(4, 0, 600, common(4))],
    [5, channels(5, 0, 600, five)],
  ]);
  all.get(5)?.splice(36, 0, line(5, T0_MS + 1000 * STUCK_FROM_S, 'stuck-busy', { change: 'begin', busyMs: 30_000 }));
  return new Map([...all].map(([station, lines]) => [station, `${lines.join('\n')}\n`]));
}
