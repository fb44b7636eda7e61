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
/** A duty cycle that has room for fewer wins of the channel in its window, frames or bursts, is a mistake. */
const BUDGET_WINS = 4;
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
  const winUs = longestWinUs(limits);
  const autoBurstUs = burstFrames > 1 ? Math.min(burstFrames * frameUs, winUs) : 0;
  // Fragments of a burst share its waits.
  const rounds = Math.ceil(fragments / Math.max(1, burstFrames));
  const autoDeadlineUs = (link.maxRetries + rounds) * WAITS_AN_ATTEMPT * frameUs * Math.max(1, burstFrames);
  return {
    linkFrames,
    fcsBytes,
    arq: link.arq && linkFrames,
    maxRetries: link.maxRetries,
    broadcastRepeats: link.broadcastRepeats,
    deadlineUs: link.deadlineMs === 'auto' ? Math.max(DEADLINE_MIN_US, autoDeadlineUs) : link.deadlineMs * 1000,
    burstAirtimeUs: linkFrames ? (mac.burstMs === 'auto' ? autoBurstUs : burstUs(mac.burstMs, limits)) : 0,
    aggregate: linkFrames && link.aggregate,
    ...(link.interactiveDeadlineMs === 'auto' ? {} : { interactiveDeadlineUs: link.interactiveDeadlineMs * 1000 }),
    limits: macLimits(limits, {
      frameUs,
      bodyBytes: (keyDownUs) => longestFrameBytes(driver, keyDownUs) - LINK_HEADER_BYTES - fcsBytes,
      fits: (body) => linkFrames && mayCarry(link.mtuBytes, body),
    }),
  };
}

/** Whether packets of that length can go in frames with so short bodies. */
function mayCarry(mtuBytes: number, bodyBytes: number): boolean {
  return bodyBytes > FRAGMENT_HEADER_BYTES && fragmentCount(mtuBytes, bodyBytes) <= FRAGMENTS_MAX;
}

type LimitSettings = Configuration['limits'];

function refuse(key: string, what: string, remedy: string): never {
  throw new SluiceError('configuration', `${key}: ${what}`, { subject: key, remedy });
}

function budgetUs({ dutyCyclePermille, dutyCycleWindowMs }: LimitSettings): number {
  return dutyCyclePermille < 1000 ? dutyCyclePermille * dutyCycleWindowMs : Number.POSITIVE_INFINITY;
}

/** A win that is longer than what the duty cycle ever leaves would never begin. */
function longestWinUs(limits: LimitSettings): number {
  return budgetUs(limits) / BUDGET_WINS;
}

function burstUs(burstMs: number, limits: LimitSettings): number {
  const winUs = longestWinUs(limits);
  const { keyDownMs = burstMs } = limits;
  if (Math.min(burstMs, keyDownMs) * 1000 > winUs) {
    const most = Math.floor(winUs / 1000);
    refuse(
      'mac.burstMs',
      `at most ${most}: ${BUDGET_WINS} bursts must fit into what limits.dutyCyclePermille leaves`,
      `Set mac.burstMs to auto or ${most}.`,
    );
  }
  return burstMs * 1000;
}

interface Frames {
  /** Of a frame of full size. */
  readonly frameUs: number;
  /** What fits into a frame that keeps the key down no longer than that. */
  bodyBytes(keyDownUs?: number): number;
  /** Whether frames with so short bodies can carry a packet of full size. */
  fits(bodyBytes: number): boolean;
}

function macLimits(limits: LimitSettings, { frameUs, bodyBytes, fits }: Frames): MacLimits {
  const { dutyCyclePermille, dutyCycleWindowMs, keyDownMs, quietMs, identification } = limits;
  const share = dutyCyclePermille / 1000;
  const windowUs = dutyCycleWindowMs * 1000;
  if (frameUs > longestWinUs(limits)) {
    refuse(
      'limits.dutyCyclePermille',
      `at least ${BUDGET_WINS} frames of ${Math.ceil(frameUs / 1000)} ms must fit into its window`,
      'Shorten frames (driver.maxFrameBytes) or, where the law allows it, raise the share or limits.dutyCycleWindowMs.',
    );
  }
  if (keyDownMs !== undefined && keyDownMs * 1000 < frameUs && !fits(bodyBytes(keyDownMs * 1000))) {
    refuse(
      'limits.keyDownMs',
      `${keyDownMs} is too short for a packet of link.mtuBytes, even in ${FRAGMENTS_MAX} fragments, which only ` +
        `link.encapsulation sluice makes; ${Math.ceil(frameUs / 1000)} holds a frame of full size`,
      `Shorten packets (link.mtuBytes), or raise limits.keyDownMs as far as the modem and the law allow.`,
    );
  }
  const text = new TextEncoder().encode(identification?.text ?? '');
  const roomBytes = bodyBytes(keyDownMs === undefined ? undefined : keyDownMs * 1000);
  if (identification !== undefined && text.length > roomBytes) {
    refuse(
      'limits.identification.text',
      `at most ${roomBytes} octets, what a frame of this modem holds within its limits`,
      keyDownMs === undefined ? 'Shorten the text.' : 'Shorten the text, or raise limits.keyDownMs.',
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
            text,
            intervalUs: identification.everyMinutes * MINUTE_US,
          },
        }),
  };
}
