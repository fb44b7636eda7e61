/** What the suite `mac` measures in virtual time, in pieces that run beside each other in any order. */
import { RIVALS, rivalCell } from './mac-cells.js';
import { persistentRow, randomAccessRow } from './mac-closed-forms.js';
import {
  acousticRow,
  arqRows,
  broadcastRow,
  burstNoiseRow,
  hiddenRows,
  loneRow,
  noiseRow,
  stepRow,
} from './mac-conditions.js';
import { type MacRow, SLOTS, STATIONS } from './mac-rows.js';
import { TWO_WAY_CASES, TWO_WAY_SCENES, twoWayRow } from './mac-two-way.js';

export interface Job {
  readonly name: string;
  run(): readonly MacRow[];
}

function cells(): Job[] {
  return Object.entries(RIVALS).flatMap(([mac, rival]) =>
    SLOTS.flatMap((a) =>
      STATIONS.map((stations) => ({
        name: `${mac}, n = ${stations}, a = ${a}`,
        run: () => [rivalCell(mac, rival, stations, a)],
      })),
    ),
  );
}

function closedForms(): Job[] {
  const randomAccess = [
    ['slotted ALOHA', 1, 0],
    ['slotted ALOHA', 0.5, 0],
    ['non-persistent', 1, 0.1],
    ['non-persistent', 5, 0.01],
    ['non-persistent', 3, 0.1],
    ['slotted non-persistent', 1, 0.1],
    ['slotted non-persistent', 5, 0.01],
    ['slotted non-persistent', 3, 0.1],
  ] as const;
  const persistent = [
    [2, 0.2, 0.03],
    [5, 0.05, 0.03],
    [10, 0.05, 0.1],
    [20, 0.01, 0.01],
    [5, 0.25, 0.1],
  ] as const;
  return [
    ...randomAccess.map(([rule, offered, a]) => ({
      name: `${rule}, G = ${offered}, a = ${a}`,
      run: () => [randomAccessRow(rule, offered, a)],
    })),
    ...persistent.map(([n, p, a]) => ({
      name: `p-persistent, n = ${n}, p = ${p}, a = ${a}`,
      run: () => [persistentRow(n, p, a)],
    })),
  ];
}

/** In the order of the report. */
export function virtualJobs(): Job[] {
  return [
    ...closedForms(),
    ...cells(),
    ...SLOTS.map((a) => ({ name: `lone sender, a = ${a}`, run: () => [loneRow(a)] })),
    ...SLOTS.map((a) => ({ name: `changing populations, a = ${a}`, run: () => [stepRow(a)] })),
    ...SLOTS.map((a) => ({ name: `hidden terminals, a = ${a}`, run: () => hiddenRows(a) })),
    ...[1, 3, 5].flatMap((a) =>
      [2, 5, 10].map((n) => ({ name: `under water, n = ${n}, a = ${a}`, run: () => [acousticRow(n, a)] })),
    ),
    ...STATIONS.map((n) => ({ name: `noise, n = ${n}`, run: () => [noiseRow(n)] })),
    { name: 'ARQ', run: arqRows },
    ...TWO_WAY_SCENES.flatMap((scene) =>
      TWO_WAY_CASES.map(([a, frameErrorRate]) => ({
        name: `${scene}, both ways, a = ${a}, frame errors ${frameErrorRate}`,
        run: () => [twoWayRow(scene, a, frameErrorRate)],
      })),
    ),
    ...SLOTS.flatMap((a) =>
      STATIONS.map((n) => ({ name: `broadcasts only, n = ${n}, a = ${a}`, run: () => [broadcastRow(n, a)] })),
    ),
    ...(
      [
        ['single frames', 0],
        ['bursts of four', 2_000_000],
      ] as const
    ).map(([name, burstUs]) => ({
      name: `noise, point to point, ${name}`,
      run: () => [burstNoiseRow(name, burstUs)],
    })),
  ];
}
