/** Finds what is wrong with who hears whom: stuck carriers, deaf stations, hidden ones. */
import type { Cause } from './cause.js';
import { sumOf } from './figures.js';
import { airtimeMs, blockedShare, coveredMs, hears, type Stretch, senders, stuckShare } from './stretch.js';
import { capital, count, duration, list, percent, stations, times } from './words.js';

/** A carrier that takes this share of the time without a frame, while nobody else senses the like, is one's own. */
const STRANGE_SHARE = 0.5;
const STUCK_SHARE = 0.02;
/** As often as this must one have called before silence tells. */
const CALLS = 3;

export function stuckCarriers(stretch: Stretch): Cause[] {
  const sensed = [...stretch.figures].map(([station, figures]) => {
    const stuck = stuckShare(figures);
    const begun = (stretch.notes.get(station) ?? []).some(({ note }) => note.kind === 'stuck-busy' && note.begins);
    return { station, figures, stuck, share: blockedShare(figures), isStuck: stuck >= STUCK_SHARE || begun };
  });
  const median = sensed.map(({ share }) => share).sort((a, b) => a - b)[Math.floor((sensed.length - 1) / 2)] ?? 0;
  const found = sensed.filter(
    ({ share, isStuck }) => isStuck || (sensed.length > 2 && share >= STRANGE_SHARE && share > 3 * median),
  );
  if (found.length === 0) return [];
  if (found.length > 1 && found.length > sensed.length / 2) return [endlessCarrier(found, sensed.length)];
  return found.map(({ station, figures, share, isStuck }): Cause => {
    const others = sensed.filter((each) => each.station !== station);
    const compared =
      others.length === 0
        ? 'There is no other station’s log to compare with.'
        : `Of the others, none sensed the like for more than ${percent(Math.max(...others.map((each) => each.share)))} of the time, so it is at station ${station} itself.`;
    const ignored = isStuck
      ? `For ${duration(figures.stuckMs)} it no longer believed it and sent regardless, into whatever others were sending.`
      : 'It waited all that time.';
    return {
      kind: 'stuck-carrier',
      stations: [station],
      weight: Math.min(1, share),
      title: `Station ${station} has a stuck carrier`,
      text: `It sensed a carrier for ${percent(share)} of the time that no frame came of. ${ignored} ${compared}`,
      remedy: `At station ${station}: close the squelch further, check the carrier line’s wiring and polarity, and look for a source of noise near its antenna.`,
    };
  });
}

function endlessCarrier(found: readonly { station: number; share: number }[], all: number): Cause {
  const numbers = found.map(({ station }) => station);
  return {
    kind: 'endless-carrier',
    stations: numbers,
    weight: Math.min(1, Math.max(...found.map(({ share }) => share))),
    title: 'Somebody’s carrier does not end',
    text: `${numbers.length} of ${all} stations (${list(numbers)}) sensed a carrier for so long that they no longer believed it. So many squelches do not stick at once: something transmits all the time.`,
    remedy: 'Look for a transmitter whose key line hangs, or for a stranger on the frequency.',
  };
}

/** A sends, B senses nothing of it, though A hears B, or others hear A: B is deaf to A. Neither hears the other: hidden. */
export function deafAndHidden(stretch: Stretch): Cause[] {
  const all = senders(stretch);
  const causes: Cause[] = [];
  for (const listener of all) {
    const deafTo = all.filter(
      (sender) =>
        sender !== listener && hears(stretch, listener, sender) === false && hears(stretch, sender, listener) === true,
    );
    if (deafTo.length > 0) causes.push(deaf(stretch, listener, deafTo));
  }
  for (const [index, one] of all.entries()) {
    for (const other of all.slice(index + 1)) {
      if (hears(stretch, one, other) === false && hears(stretch, other, one) === false) {
        causes.push(hidden(stretch, one, other));
      }
    }
  }
  return [...causes, ...neverAnswered(stretch, causes)];
}

function deaf(stretch: Stretch, listener: number, deafTo: readonly number[]): Cause {
  const missedMs = sumOf(deafTo.map((sender) => airtimeMs(stretch, sender)));
  const calls = deafTo.map((sender) => ({ sender, ...exchanges(stretch, sender, listener) }));
  const called = calls.filter(({ unanswered }) => unanswered > 0);
  const unanswered =
    called.length === 0
      ? ''
      : ` ${called.map(({ sender, unanswered }) => `Station ${sender} called it ${times(unanswered)} and was never answered.`).join(' ')}`;
  const relays = senders(stretch).filter(
    (relay) =>
      relay !== listener &&
      !deafTo.includes(relay) &&
      [listener, ...deafTo].every((each) => hears(stretch, relay, each) === true && hears(stretch, each, relay)),
  );
  const relayed =
    relays.length === 0 ? '' : ` Until then, ${stations(relays)} could relay: all of them hear each other.`;
  return {
    kind: 'deaf',
    stations: [listener, ...deafTo],
    weight: Math.max(0.2, lostShare(stretch, called)),
    title: `Station ${listener} is deaf to ${stations(deafTo)}`,
    text: `${capital(stations(deafTo))} sent for ${duration(missedMs)} in all and hear${deafTo.length === 1 ? 's' : ''} station ${listener}; station ${listener} understood none of it.${unanswered} What it does not hear it cannot wait for, either: it sends into it.`,
    remedy: `At station ${listener}: receiver, antenna, noise nearby; at ${stations(deafTo)}: power and antenna.${relayed}`,
  };
}

function hidden(stretch: Stretch, one: number, other: number): Cause {
  const between = [...stretch.figures].filter(
    ([station, figures]) =>
      figures.garbled > 0 && hears(stretch, station, one) === true && hears(stretch, station, other) === true,
  );
  const spoilt = sumOf(between.map(([, figures]) => figures.garbled));
  const losses = [one, other].map((station) => failedShare(stretch, station));
  const collide =
    between.length === 0
      ? ''
      : ` ${capital(stations(between.map(([station]) => station)))}, between them, had ${count(spoilt)} receptions that were no good frame.`;
  return {
    kind: 'hidden',
    stations: [one, other],
    weight: Math.min(1, Math.max(0.05, ...(between.length > 0 ? losses : []))),
    title: `Stations ${one} and ${other} do not hear each other`,
    text: `Both sent (${duration(airtimeMs(stretch, one))} and ${duration(airtimeMs(stretch, other))}) and neither understood anything of the other. Neither can wait for the other, so their frames meet wherever both are heard.${collide}`,
    remedy: 'Better antennas or a relay help; so do shorter bursts, and requests to send, where they are not on yet.',
  };
}

/** From the caller's log alone: who was called and never answered, as far as `known` does not explain it. */
function neverAnswered(stretch: Stretch, known: readonly Cause[]): Cause[] {
  const causes: Cause[] = [];
  for (const [caller, figures] of stretch.figures) {
    for (const [called, unanswered] of figures.unanswered) {
      // Who is deaf to a station hears no answers of it, either.
      const isKnown = known.some(
        ({ stations: [first, ...rest] }) =>
          (first === called && rest.includes(caller)) || (first === caller && rest.includes(called)),
      );
      if (isKnown || unanswered < CALLS || (figures.answered.get(called) ?? 0) > 0) continue;
      const isHeard = (figures.heardMs.get(called) ?? 0) > 0;
      causes.push({
        kind: isHeard ? 'deaf' : 'unreached',
        stations: [called, caller],
        weight: Math.max(0.1, lostShare(stretch, [{ sender: caller, unanswered }])),
        title: isHeard
          ? `Station ${called} is deaf to station ${caller}`
          : `Station ${called} never answers station ${caller}`,
        text: isHeard
          ? `Station ${caller} hears station ${called}, called it ${times(unanswered)} and was never answered.`
          : `Station ${caller} called it ${times(unanswered)} and did not hear it once.`,
        remedy: isHeard
          ? `At station ${called}: receiver, antenna, noise nearby; at station ${caller}: power and antenna.`
          : `Is station ${called} switched on, on this channel, and in range?`,
      });
    }
  }
  return causes;
}

function exchanges(stretch: Stretch, sender: number, receiver: number): { answered: number; unanswered: number } {
  const figures = stretch.figures.get(sender);
  return { answered: figures?.answered.get(receiver) ?? 0, unanswered: figures?.unanswered.get(receiver) ?? 0 };
}

/** Share of all exchanges of these callers that were these calls. */
function lostShare(stretch: Stretch, calls: readonly { sender: number; unanswered: number }[]): number {
  const lost = sumOf(calls.map(({ unanswered }) => unanswered));
  const figures = calls.flatMap(({ sender }) => stretch.figures.get(sender) ?? []);
  const all = sumOf(figures.map(({ answered, unanswered }) => sumOf(answered.values()) + sumOf(unanswered.values())));
  return all > 0 ? Math.min(1, lost / all) : 0;
}

function failedShare(stretch: Stretch, station: number): number {
  const figures = stretch.figures.get(station);
  if (figures === undefined || figures.attempts === 0 || coveredMs(stretch) === 0) return 0;
  return figures.unacked / figures.attempts;
}
