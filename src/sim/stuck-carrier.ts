/**
 * A carrier that never ends, at one antenna: an open squelch, or a source of noise beside it. It covers what others send,
 * and a modem that hands on octets as they come gives noise.
 */
import type { Scheduler } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { Antenna } from './antenna.js';
import { noStationCounts, type Signal } from './signal.js';

/** Nobody's number. */
const NOBODY = 0;
/** As loud as a station one metre away. */
const POWER = 1;
/** One signal takes over from the other this often, so that what an antenna remembers of the past stays short. */
const RENEWED_US = 1_000_000;

/** Begins now. @param octetUs time of one octet */
export function holdCarrier(antenna: Antenna, scheduler: Scheduler, octetUs: number, random: Random): void {
  let noise: Signal | undefined;
  const renew = (): void => {
    const startUs = scheduler.nowUs();
    const next = { speaker: NOBODY, startUs, preambleUs: 0, speakerCounts: noStationCounts(), hit: false };
    antenna.arrive(next, POWER);
    if (noise !== undefined) antenna.end(noise);
    noise = next;
    scheduler.at(startUs + RENEWED_US, renew);
  };
  // Not rounded, so that no error adds up.
  const give = (fromUs: number): void => {
    const toUs = fromUs + octetUs;
    scheduler.at(Math.round(toUs), () => {
      antenna.noiseOctet(random.below(256), Math.round(fromUs), Math.round(toUs));
      give(toUs);
    });
  };
  renew();
  scheduler.at(scheduler.nowUs() + antenna.carrierDetectUs, () => antenna.detect());
  give(scheduler.nowUs());
}
