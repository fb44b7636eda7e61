/** Finds what is wrong with a station itself, from what its log says happened. */
import type { Cause } from './cause.js';
import type { Note } from './log-book.js';
import { coveredMs, type Stretch } from './stretch.js';
import { count, duration, percent, times } from './words.js';

const HUNG_MS = 1000;

export function hostTroubles(stretch: Stretch): Cause[] {
  return [...stretch.notes].flatMap(([station, notes]) => [
    ...lineLost(stretch, station, notes),
    ...hung(stretch, station, notes),
    ...leak(station, notes),
    ...conflict(station, notes),
  ]);
}

function lineLost(stretch: Stretch, station: number, notes: readonly Note[]): Cause[] {
  const losses = notes.flatMap(({ atMs, note }) => (note.kind === 'line-lost' ? [{ atMs, cause: note.cause }] : []));
  const [first] = losses;
  if (first === undefined) return [];
  let downMs = 0;
  for (const { atMs } of losses) {
    const back = notes.find((each) => each.atMs > atMs && each.note.kind === 'line-open')?.atMs ?? stretch.untilMs;
    downMs += Math.min(back, stretch.untilMs) - atMs;
  }
  const share = Math.min(1, downMs / Math.max(1, stretch.untilMs - stretch.fromMs));
  return [
    {
      kind: 'line-lost',
      stations: [station],
      weight: Math.max(0.1, share),
      title: `Station ${station} lost the line to its modem`,
      text: `${times(losses.length)}, and was without it for ${duration(downMs)} (${percent(share)} of the time). It said: ${first.cause || 'no reason'}.`,
      remedy: `At station ${station}: cable, plug, power of the modem, USB hub.`,
    },
  ];
}

function hung(stretch: Stretch, station: number, notes: readonly Note[]): Cause[] {
  const forMs = notes.reduce((sum, { note }) => sum + (note.kind === 'hung' ? note.forMs : 0), 0);
  if (forMs < HUNG_MS) return [];
  return [
    {
      kind: 'hung',
      stations: [station],
      weight: Math.min(1, forMs / Math.max(1, coveredMs(stretch))),
      title: `Station ${station} did not run for ${duration(forMs)}`,
      text: 'Its process was stopped, or the machine was suspended or overloaded. It neither sent nor acknowledged.',
      remedy: `At station ${station}: look for what took the processor, or for suspend.`,
    },
  ];
}

function leak(station: number, notes: readonly Note[]): Cause[] {
  const last = notes.findLast(({ note }) => note.kind === 'back-pressure-leak')?.note;
  const none = notes.some(({ note }) => note.kind === 'back-pressure' && note.mode === 'none');
  if (last?.kind !== 'back-pressure-leak' && !none) return [];
  const lost = last?.kind === 'back-pressure-leak' ? last.tapDropped + last.qdiscDropped : 0;
  return [
    {
      kind: 'leak',
      stations: [station],
      weight: 0.3,
      title: `Station ${station} has no working back pressure`,
      text: `Packets are dropped before they reach the channel${lost > 0 ? `: ${count(lost)} so far` : ''}; priorities do not hold.`,
      remedy: `At station ${station}: "sluice check" says what is missing.`,
    },
  ];
}

function conflict(station: number, notes: readonly Note[]): Cause[] {
  if (!notes.some(({ note }) => note.kind === 'address-conflict')) return [];
  return [
    {
      kind: 'address-conflict',
      stations: [station],
      weight: 0.9,
      title: `Two stations have the number ${station}`,
      text: `Station ${station} heard another one that sends with its own number; acknowledgements go astray.`,
      remedy: 'Give one of them another number (--station).',
    },
  ];
}
