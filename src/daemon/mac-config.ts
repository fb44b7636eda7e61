/** What the MAC is told, worked out from profile and modem where the configuration says `auto`. */
import { SluiceError } from '../base/errors.js';
import type { MacConfig, MacLimits } from '../mac/ports.js';
import { deriveTiming, longestFrameBytes } from '../mac/timing.js';
import type { ModemDriver } from '../modem/driver.js';
import type { Configuration } from '../modem/profile-schema.js';
import { FRAGMENT_HEADER_BYTES, FRAGMENTS_MAX, fragmentCount } from '../wire/fragment.js';
import { LINK_HEADER_BYTES } from '../wire/link-frame.js';

/** Frames of others that an attempt may have to wait for, before the packet in hand is too old: own estimate. */
const WAITS_AN_ATTEMPT = 16;
/** A duty cycle that has room for fewer frames in its window is a mistake. */
const BUDGET_FRAMES = 4;
const MINUTE_US = 60_000_000;
const DEADLINE_MIN_US = 5_000_000;
/** What an exchange costs beside its data, two slots of contention and the answer, should be at most this share of it. */
const OVERHEAD_SHARE = 0.25;
/** The window of the ARQ. */
const BURST_FRAMES_MAX = 8;
/**
 * Slots shorter than this share of a frame cost too little to make others wait for several frames: seen live with three
 * stations at 9600 bit/s, bursts of four frames made everybody else wait for seconds.
 */
const BURST_FROM_A = 0.3;

/** @throws SluiceError `configuration` when the limits leave no room for a frame */
export function macConfig(
  { link, mac, limits }: Pick<Configuration, 'link' | 'mac' | 'limits'>,
  driver: ModemDriver,
): MacConfig {
  const { capabilities, timing } = driver;
  const linkFrames = link.encapsulation === 'sluice';
  const fcsBytes = link.fcsBytes === 'auto' ? (capabilities.checksIntegrity ? 0 : 4) : link.fcsBytes;
  const frameUs = timing.airtimeUs(capabilities.maxFrameBytes);
  const bodyBytes = capabilities.maxFrameBytes - LINK_HEADER_BYTES - fcsBytes;
  const fragments = linkFrames && link.mtuBytes > bodyBytes ? fragmentCount(link.mtuBytes, bodyBytes) : 1;
  const { slotUs, ackEndUs } = deriveTiming(driver, LINK_HEADER_BYTES + fcsBytes);
  const bursts = capabilities.channelAccess === 'host' && slotUs >= BURST_FROM_A * frameUs;
  const wantedFrames = Math.ceil((2 * slotUs + ackEndUs) / (OVERHEAD_SHARE * frameUs));
  const burstFrames = bursts ? Math.min(BURST_FRAMES_MAX, wantedFrames) : 1;
  const autoBurstUs = burstFrames > 1 ? burstFrames * frameUs : 0;
  // Fragments of a burst share its waits.
  const rounds = Math.ceil(fragments / Math.max(1, burstFrames));
  const autoDeadlineUs = (link.maxRetries + rounds) * WAITS_AN_ATTEMPT * frameUs * Math.max(1, burstFrames);
  return {
    linkFrames,
    fcsBytes,
    arq: link.arq && linkFrames,
    maxRetries: link.maxRetries,
    deadlineUs: link.deadlineMs === 'auto' ? Math.max(DEADLINE_MIN_US, autoDeadlineUs) : link.deadlineMs * 1000,
    burstAirtimeUs: linkFrames ? (mac.burstMs === 'auto' ? autoBurstUs : mac.burstMs * 1000) : 0,
    aggregate: linkFrames && link.aggregate,
    ...(link.interactiveDeadlineMs === 'auto' ? {} : { interactiveDeadlineUs: link.interactiveDeadlineMs * 1000 }),
    limits: macLimits(limits, frameUs, (keyDownUs) => {
      const shortestBytes = longestFrameBytes(driver, keyDownUs) - LINK_HEADER_BYTES - fcsBytes;
      return linkFrames && mayCarry(link.mtuBytes, shortestBytes);
    }),
  };
}

/** Whether packets of that length can go in frames with so short bodies. */
function mayCarry(mtuBytes: number, bodyBytes: number): boolean {
  return bodyBytes > FRAGMENT_HEADER_BYTES && fragmentCount(mtuBytes, bodyBytes) <= FRAGMENTS_MAX;
}

/** @param fits whether frames that keep the key down no longer than that can carry a packet of full size */
function macLimits(limits: Configuration['limits'], frameUs: number, fits: (keyDownUs: number) => boolean): MacLimits {
  const { dutyCyclePermille, dutyCycleWindowMs, keyDownMs, quietMs, identification } = limits;
  const share = dutyCyclePermille / 1000;
  const windowUs = dutyCycleWindowMs * 1000;
  const refuse = (key: string, what: string): never => {
    throw new SluiceError('configuration', `limits.${key}: ${what}`, { subject: `limits.${key}` });
  };
  if (share < 1 && share * windowUs < BUDGET_FRAMES * frameUs) {
    refuse(
      'dutyCyclePermille',
      `at least ${BUDGET_FRAMES} frames of ${Math.ceil(frameUs / 1000)} ms must fit into its window`,
    );
  }
  if (keyDownMs !== undefined && keyDownMs * 1000 < frameUs && !fits(keyDownMs * 1000)) {
    refuse(
      'keyDownMs',
      `${keyDownMs} is too short for a packet of link.mtuBytes, even in ${FRAGMENTS_MAX} fragments, which only ` +
        `link.encapsulation sluice makes; ${Math.ceil(frameUs / 1000)} holds a frame of full size`,
    );
  }
  return {
    quietUs: quietMs * 1000,
    ...(share < 1 ? { dutyCycle: { share, windowUs } } : {}),
    ...(keyDownMs === undefined ? {} : { keyDownUs: keyDownMs * 1000 }),
    ...(identification === undefined
      ? {}
      : {
          identification: {
            text: new TextEncoder().encode(identification.text),
            intervalUs: identification.everyMinutes * MINUTE_US,
          },
        }),
  };
}
