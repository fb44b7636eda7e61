/** Everything that is wrong in a stretch of time, the worst first. */
import type { Cause } from './cause.js';
import { deafAndHidden, stuckCarriers } from './causes-hearing.js';
import { hostTroubles } from './causes-host.js';
import { dutySpent, floods, losses, strangers } from './causes-load.js';
import type { Stretch } from './stretch.js';

export function causesOf(stretch: Stretch): Cause[] {
  const stuck = stuckCarriers(stretch);
  const hearing = deafAndHidden(stretch);
  const stuckStations = new Set(stuck.flatMap((cause) => cause.stations));
  // Calls to a station that does not hear, and its own, which it hears no answers to, are lost for that reason.
  const explained = new Set<string>();
  for (const { kind, stations } of hearing) {
    const [called, ...callers] = stations;
    if (kind !== 'hidden') {
      for (const caller of callers) explained.add(`${caller}>${called}`).add(`${called}>${caller}`);
    }
  }
  // What they do not sense they send into.
  const blind = new Set(stuckStations);
  for (const { kind, stations } of hearing) {
    const [deaf] = stations;
    if (kind === 'deaf' && deaf !== undefined) blind.add(deaf);
    if (kind === 'hidden') for (const station of stations) blind.add(station);
  }
  const causes = [
    ...stuck,
    ...hearing,
    ...floods(stretch),
    ...losses(stretch, explained, blind),
    ...strangers(stretch, stuckStations),
    ...dutySpent(stretch),
    ...hostTroubles(stretch),
  ];
  return causes.sort((left, right) => right.weight - left.weight);
}
