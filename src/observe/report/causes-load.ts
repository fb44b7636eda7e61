/** Finds what is wrong with how the channel is used: floods, a full channel, collisions, weak signals, strangers. */
import type { Cause } from './cause.js';
import { type Figures, sumOf } from './figures.js';
import { airtimeMs, coveredMs, type Stretch, senders, strangeMs, stuckShare } from './stretch.js';
import { capital, count, list, percent, stations, times } from './words.js';

/** Who sends for such a share of the time, for such a share of all airtime, and so much more than the next one, floods. */
const FLOOD_TIME = 0.25;
/** Where so many packets wait, there would be more if it could. */
const FLOOD_TIME_QUEUED = 0.15;
const FLOOD_QUEUE = 20;
const FLOOD_SHARE = 0.4;
const FLOOD_FACTOR = 1.5;
const FULL = 0.75;
/** Of fewer, some are lost by chance. */
const MANY_ATTEMPTS = 10;
const HIGH_LOSS = 0.2;
const STRANGE_SHARE = 0.15;

export function floods(stretch: Stretch): Cause[] {
  const lengthMs = coveredMs(stretch);
  const all = senders(stretch).map((station) => ({ station, ms: airtimeMs(stretch, station) }));
  const [greedy, next] = all.sort((left, right) => right.ms - left.ms);
  if (lengthMs === 0 || greedy === undefined || next === undefined) return [];
  const sumMs = sumOf(all.map(({ ms }) => ms));
  const { station, ms } = greedy;
  const queue = stretch.figures.get(station)?.queueMax ?? 0;
  const leastMs = (queue >= FLOOD_QUEUE ? FLOOD_TIME_QUEUED : FLOOD_TIME) * lengthMs;
  if (ms < leastMs || ms < FLOOD_SHARE * sumMs || ms < FLOOD_FACTOR * next.ms) {
    const share = sumMs / lengthMs;
    return share >= FULL ? [full(stretch, all.length, share)] : [];
  }
  const queued = queue > 0 ? ` Up to ${count(queue)} packets wait in its queue.` : '';
  const waiting = waits(stretch, station);
  return [
    {
      kind: 'flood',
      stations: [station],
      weight: Math.min(1, (ms / lengthMs) * 0.9),
      title: `Station ${station} floods the channel`,
      text: `It sent for ${percent(ms / lengthMs)} of the time, which is ${percent(ms / sumMs)} of all that was sent and ${times(ms / Math.max(next.ms, 1))} as much as the next one.${queued}${waiting}`,
      remedy: `Find out what sends so much at station ${station} and limit it there; give what matters a higher priority.`,
    },
  ];
}

function full(stretch: Stretch, howMany: number, share: number): Cause {
  return {
    kind: 'full',
    stations: [],
    weight: Math.min(1, share) * 0.5,
    title: 'The channel is full',
    text: `${howMany} stations sent for ${percent(share)} of the time together, and none of them for most of it.${waits(stretch)}`,
    remedy: 'This is all that the channel carries: send less, or use a faster rate.',
  };
}

function waits(stretch: Stretch, except?: number): string {
  const waiting = [...stretch.figures].filter(([station, { queueMax }]) => station !== except && queueMax > 0);
  return waiting.length === 0 ? '' : ` Packets also waited at ${stations(waiting.map(([station]) => station))}.`;
}

/**
 * Attempts that came to nothing.
 * @param explained calls, as `from>to`, that are lost for a reason that is known
 * @param blind stations that send without hearing all others
 */
export function losses(stretch: Stretch, explained: ReadonlySet<string>, blind: ReadonlySet<number>): Cause[] {
  const lossy = [...stretch.figures].flatMap(([station, figures]) => {
    const share = lossShare(station, figures, explained);
    return share === null || share < HIGH_LOSS ? [] : [{ station, figures, share }];
  });
  const [first, ...rest] = lossy.map(({ station }) => station);
  if (first === undefined) return [];
  const facts = list(
    lossy.map(({ station, figures, share }) => `station ${station} ${percent(share)} (of ${count(figures.attempts)})`),
  );
  const garbled = sumOf([...stretch.figures.values()].map((figures) => figures.garbled));
  const spoilt = garbled >= 0.5 ? ` ${count(garbled)} receptions were no good frame.` : '';
  const why = whyLost(stretch, rest.length > 0 ? undefined : first, blind);
  const worst = Math.max(...lossy.map(({ share }) => share));
  return [
    {
      kind: why.kind,
      stations: [first, ...rest],
      weight: worst * 0.8,
      title: why.kind === 'collisions' ? 'Frames collide' : 'Frames are lost on a quiet channel',
      text: `Attempts that no acknowledgement came for: ${facts}.${spoilt} ${why.text}`,
      remedy: why.remedy,
    },
  ];
}

/** @param only the one that loses frames; undefined when several do */
function whyLost(
  stretch: Stretch,
  only: number | undefined,
  blind: ReadonlySet<number>,
): Pick<Cause, 'text' | 'remedy'> & { kind: 'collisions' | 'weak' } {
  const others = senders(stretch).filter((station) => station !== only);
  const shareOf = (station: number): number => airtimeMs(stretch, station) / Math.max(1, coveredMs(stretch));
  const blindOnes = others.filter((station) => blind.has(station) && shareOf(station) > 0);
  if (blindOnes.length > 0) {
    return {
      kind: 'collisions',
      text: `${capital(stations(blindOnes))} sent without hearing all the others, and so into what they were sending.`,
      remedy: `Put right what is said of ${stations(blindOnes)} first.`,
    };
  }
  const crowd = sumOf(others.map(shareOf));
  if (crowd >= HIGH_LOSS) {
    return {
      kind: 'collisions',
      text: `Others sent for ${percent(crowd)} of the time, so collisions are the likely cause.`,
      remedy:
        'Check that slot and propagation time of the profile fit the modem and are the same at all stations; fewer, larger packets collide less.',
    };
  }
  return {
    kind: 'weak',
    text: `Others sent for ${percent(crowd)} of the time, too little for collisions: the signal is weak, or there is noise.`,
    remedy: 'Check antennas, power, and the rate of the modem.',
  };
}

function lossShare(station: number, figures: Figures, explained: ReadonlySet<string>): number | null {
  const isExplained = (to: number): boolean => explained.has(`${station}>${to}`);
  if (figures.answered.size + figures.unanswered.size === 0) {
    const hasReason = [...explained].some((pair) => pair.startsWith(`${station}>`));
    return figures.attempts < MANY_ATTEMPTS || hasReason ? null : figures.unacked / figures.attempts;
  }
  const sum = (counts: ReadonlyMap<number, number>): number =>
    sumOf([...counts].map(([to, calls]) => (isExplained(to) ? 0 : calls)));
  const unanswered = sum(figures.unanswered);
  const all = unanswered + sum(figures.answered);
  return all < MANY_ATTEMPTS ? null : unanswered / all;
}

/** Carrier without frames that many sense: strangers, or noise. `stuck` stations are explained already. */
export function strangers(stretch: Stretch, stuck: ReadonlySet<number>): Cause[] {
  const found = [...stretch.figures].filter(
    ([station, figures]) =>
      !stuck.has(station) && stuckShare(figures) === 0 && strangeMs(figures) > STRANGE_SHARE * figures.coveredMs,
  );
  if (found.length === 0) return [];
  const most = Math.max(...found.map(([, figures]) => strangeMs(figures) / figures.coveredMs));
  const spoilt = sumOf(found.map(([, { garbled }]) => garbled));
  return [
    {
      kind: 'strangers',
      stations: found.map(([station]) => station),
      weight: most * 0.6,
      title: 'The channel is busy with what nobody understands',
      text: `${capital(stations(found.map(([station]) => station)))} sensed a carrier for up to ${percent(most)} of the time that no frame came of; ${count(spoilt)} receptions were spoilt.`,
      remedy:
        'Collisions of others, stations out of range of their words but not of their noise, strangers on the frequency, or a squelch that opens too easily.',
    },
  ];
}

export function dutySpent(stretch: Stretch): Cause[] {
  return [...stretch.figures]
    .filter(([, { dutySpentMs, queueMax }]) => dutySpentMs > 0 && queueMax > 0)
    .map(([station, { dutySpentMs, coveredMs: lengthMs }]) => ({
      kind: 'duty',
      stations: [station],
      weight: Math.min(1, dutySpentMs / lengthMs),
      title: `Station ${station} has used up its duty budget`,
      text: `For ${percent(dutySpentMs / lengthMs)} of the time the limit allowed it no airtime, and packets waited.`,
      remedy: 'Send less; the limit is the law’s or the profile’s.',
    }));
}
