/** What the MAC is told, worked out from profile and modem where the configuration says `auto`. */
import type { MacConfig } from '../mac/ports.js';
import { deriveTiming } from '../mac/timing.js';
import type { ModemDriver } from '../modem/driver.js';
import type { Configuration } from '../modem/profile-schema.js';
import { fragmentCount } from '../wire/fragment.js';
import { LINK_HEADER_BYTES } from '../wire/link-frame.js';

/** Frames of others that an attempt may have to wait for, before the packet in hand is too old: own estimate. */
const WAITS_AN_ATTEMPT = 16;
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

export function macConfig({ link, mac }: Pick<Configuration, 'link' | 'mac'>, driver: ModemDriver): MacConfig {
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
  };
}
