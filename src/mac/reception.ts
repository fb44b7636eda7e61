/** From octets that the modem received to a frame of another station, and what all who keep account are told of it. */
import { decodeLinkFrame, type LinkFrame } from '../wire/link-frame.js';
import { BROADCAST } from '../wire/packet.js';
import type { Heard } from './air-tap.js';
import { overhear } from './overhearing.js';
import type { MacParts } from './parts.js';
import type { ReceptionMeta } from './phy.js';
import type { MacOptions } from './ports.js';

/** An own address heard this soon after own octets is taken for an echo. */
const ECHO_TAIL_SLOTS = 4;

/** The frame, whomever it is for; or what became of the octets, where there is no frame or it is our own. */
export function hear(options: MacOptions, parts: MacParts, octets: Uint8Array, meta: ReceptionMeta): LinkFrame | Heard {
  const { config, station, observer, scheduler, phy } = options;
  const { access, counters, neighbours } = parts;
  if (!config.linkFrames) {
    access.heard(null, { airtimeUs: phy.timing.airtimeUs(octets.length) });
    counters.delivered++;
    observer.deliver({ source: 0, destination: BROADCAST, kind: 'raw', payload: octets });
    return 'accepted';
  }
  const frame = decodeLinkFrame(octets, config.fcsBytes);
  if (typeof frame === 'string') {
    access.spoiled(frame === 'rx-fcs' ? phy.timing.airtimeUs(octets.length) : null);
    observer.drop(frame);
    return frame;
  }
  if (frame.source === station) return ownAddressHeard(options, parts, frame, meta);
  const nowUs = scheduler.nowUs();
  const airtimeUs = phy.timing.airtimeUs(octets.length);
  const isNew = neighbours.heard(frame.source, nowUs, airtimeUs, meta);
  if (isNew) observer.neighbour?.(neighbours.get(frame.source));
  overhear(parts, frame, octets.length, airtimeUs, nowUs);
  return frame;
}

function ownAddressHeard(
  { observer }: MacOptions,
  { transmitter, timing, counters }: MacParts,
  frame: LinkFrame,
  meta: ReceptionMeta,
): Heard {
  if (transmitter.mayBeEcho(ECHO_TAIL_SLOTS * timing.slotUs)) {
    counters.echoes++;
    return 'echo';
  }
  observer.drop('rx-own-address');
  observer.addressConflict?.(frame, meta);
  return 'rx-own-address';
}
