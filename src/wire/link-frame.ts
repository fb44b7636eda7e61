/**
 * Link frame v1: what two stations exchange over the air. The octet-exact document is link-frame.md beside this file,
 * and its vectors are run as tests.
 */
import { crc16X25, crc32c } from '../base/crc.js';
import type { DropCause } from '../base/drops.js';
import { SluiceError } from '../base/errors.js';
import { roomFor } from '../base/octets.js';
import { BROADCAST, MAX_STATION, type Station } from './packet.js';
import {
  CARRIED_MAX,
  type CarriedAck,
  decodePiggyback,
  encodePiggyback,
  type Piggyback,
  piggybackBytes,
} from './piggyback.js';

export const LINK_HEADER_BYTES = 4;
export const LINK_VERSION = 1;

/** 4: CRC-32C; 2: CRC-16/X-25; 0: the modem checks integrity itself. The same on all stations of a channel. */
export type FcsBytes = 0 | 2 | 4;

export type LinkFrameType =
  | 'ip'
  | 'arp'
  | 'ethernet'
  | 'ack'
  | 'fragment'
  | 'aggregate'
  | 'poll'
  | 'rts'
  | 'cts'
  | 'identification'
  | 'acks';

/** Sequence numbers are 0 to 31. */
export const SEQUENCES = 32;
/** Frames of one sender to one receiver that may be unsettled at a time. */
export const WINDOW = 8;

export interface LinkFrame {
  readonly type: LinkFrameType;
  /** 1 to 254, or 255 for all. */
  readonly destination: Station;
  /** 1 to 254. */
  readonly source: Station;
  /** 0 to 31; of an `ack`: the sequence that is expected next; of a `poll`: that of the oldest unsettled frame. */
  readonly sequence: number;
  /** 0 to 7: how far the sender's oldest unsettled frame to this receiver lies behind this one; 0 for an `ack`. */
  readonly behind: number;
  /** The sender keeps the channel: another frame of its burst follows. */
  readonly more: boolean;
  /** This frame was sent before. */
  readonly retry: boolean;
  /**
   * The payload; of an `ack`: nothing, or one octet, whose bit i says that `sequence` + i has arrived; of `rts` and `cts`:
   * for how long the channel is taken from their end on, see `encodeReservation`; of an `identification`: text; of `acks`:
   * nothing, all of it is in `piggyback`.
   */
  readonly body: Uint8Array;
  /** What comes along with data: acknowledgements, and that the frame's own may wait. Absent: nothing. */
  readonly piggyback?: Piggyback;
}

const TYPE_CODES: Readonly<Record<LinkFrameType, number>> = {
  ip: 1,
  arp: 2,
  ethernet: 3,
  ack: 4,
  fragment: 5,
  aggregate: 6,
  poll: 7,
  rts: 8,
  cts: 9,
  identification: 10,
  // Never on its own, only behind what comes along.
  acks: 0,
};
const TYPES_BY_CODE: readonly (LinkFrameType | undefined)[] = [
  undefined,
  ...(['ip', 'arp', 'ethernet', 'ack', 'fragment', 'aggregate', 'poll', 'rts', 'cts', 'identification'] as const),
];

/** Something comes along, which begins the body; the type of the frame is said there. */
const PIGGYBACK_CODE = 11;
/** What something may come along with, by code. */
const CARRIERS_BY_CODE: readonly (LinkFrameType | undefined)[] = [
  ...(['acks', 'ip', 'arp', 'ethernet', undefined, 'fragment', 'aggregate'] as const),
];

/** Reservations count in steps of 10 us, three octets, most significant first: up to 167 s. */
const RESERVATION_STEP_US = 10;
const RESERVATION_BYTES = 3;
const RESERVATION_STEPS_MAX = 0xff_ff_ff;

const NEVER_TO_ALL: ReadonlySet<LinkFrameType> = new Set(['ack', 'poll', 'rts', 'cts', 'acks']);
const NEVER_BEHIND: ReadonlySet<LinkFrameType> = new Set(['ack', 'poll', 'rts', 'cts', 'identification', 'acks']);

const VERSION_SHIFT = 6;
const TYPE_SHIFT = 2;
const TYPE_MASK = 0x0f;
const SEQUENCE_SHIFT = 3;
const BEHIND_MASK = 0x07;
const MORE_BIT = 0x02;
const RETRY_BIT = 0x01;

/**
 * The frame as it goes to the modem: header, body, FCS.
 * @throws SluiceError `internal` on values that no frame can have.
 */
export function encodeLinkFrame(frame: LinkFrame, fcsBytes: FcsBytes): Uint8Array {
  const impossible = impossibility(frame);
  if (impossible !== null) throw new SluiceError('internal', `link frame cannot be encoded: ${impossible}`);
  const { piggyback } = frame;
  const bodyAt = LINK_HEADER_BYTES + (piggyback === undefined ? 0 : piggybackBytes(piggyback));
  const octets = roomFor(bodyAt + frame.body.length + fcsBytes);
  octets[0] =
    (LINK_VERSION << VERSION_SHIFT) |
    ((piggyback === undefined ? TYPE_CODES[frame.type] : PIGGYBACK_CODE) << TYPE_SHIFT) |
    (frame.more ? MORE_BIT : 0) |
    (frame.retry ? RETRY_BIT : 0);
  octets[1] = frame.destination;
  octets[2] = frame.source;
  octets[3] = (frame.sequence << SEQUENCE_SHIFT) | frame.behind;
  if (piggyback !== undefined) encodePiggyback(piggyback, TYPE_CODES[frame.type], octets.subarray(LINK_HEADER_BYTES));
  octets.set(frame.body, bodyAt);
  writeFcs(octets, fcsBytes);
  return octets;
}

/**
 * The frame in these octets, or why there is none. Never throws. The FCS is checked before anything else is believed.
 * The body is a view into `octets`, not a copy; what it holds is checked by whoever reads it.
 */
export function decodeLinkFrame(octets: Uint8Array, fcsBytes: FcsBytes): LinkFrame | DropCause {
  const [control, destination, source, order] = octets;
  if (octets.length < LINK_HEADER_BYTES + fcsBytes) return 'rx-truncated';
  // Said again for the compiler: four octets are there.
  if (control === undefined || destination === undefined || source === undefined || order === undefined) {
    return 'rx-truncated';
  }
  const end = octets.length - fcsBytes;
  if (!fcsMatches(octets, end, fcsBytes)) return 'rx-fcs';
  const version = control >> VERSION_SHIFT;
  if (version > LINK_VERSION) return 'rx-version';
  const code = (control >> TYPE_SHIFT) & TYPE_MASK;
  const content = octets.subarray(LINK_HEADER_BYTES, end);
  const carried = code === PIGGYBACK_CODE ? decodePiggyback(content) : undefined;
  if (version < LINK_VERSION || carried === null) return 'rx-malformed';
  const type = carried === undefined ? TYPES_BY_CODE[code] : CARRIERS_BY_CODE[carried.code];
  if (type === undefined) return 'rx-malformed';
  const frame: LinkFrame = {
    type,
    destination,
    source,
    sequence: order >> SEQUENCE_SHIFT,
    behind: order & BEHIND_MASK,
    more: (control & MORE_BIT) !== 0,
    retry: (control & RETRY_BIT) !== 0,
    body: carried?.body ?? content,
    ...(carried === undefined ? {} : { piggyback: carried.piggyback }),
  };
  return impossibility(frame) === null ? frame : 'rx-malformed';
}

/**
 * A copy of an encoded frame with the retry bit set and the FCS made anew; the body is not looked at.
 * @throws SluiceError `internal` on octets too short to be a frame.
 */
export function setRetry(encoded: Uint8Array, fcsBytes: FcsBytes): Uint8Array {
  const control = encoded[0];
  if (control === undefined || encoded.length < LINK_HEADER_BYTES + fcsBytes) {
    throw new SluiceError('internal', `no link frame to send again: ${encoded.length} octets`);
  }
  const octets = new Uint8Array(encoded);
  octets[0] = control | RETRY_BIT;
  writeFcs(octets, fcsBytes);
  return octets;
}

/** The body of `rts` and `cts`: how long the channel is taken, rounded up; the longest that can be said if it is longer. */
export function encodeReservation(durationUs: number): Uint8Array {
  const steps = Math.min(RESERVATION_STEPS_MAX, Math.max(0, Math.ceil(durationUs / RESERVATION_STEP_US)));
  return Uint8Array.of(steps >> 16, (steps >> 8) & 0xff, steps & 0xff);
}

/** How long an `rts` or `cts` says that the channel is taken, in microseconds. */
export function decodeReservation(body: Uint8Array): number {
  const [high = 0, middle = 0, low = 0] = body;
  return ((high << 16) | (middle << 8) | low) * RESERVATION_STEP_US;
}

/** What no sender may send and no receiver may believe, or null. */
function impossibility(frame: LinkFrame): string | null {
  if (!isOctet(frame.destination) || frame.destination === 0) return `destination ${frame.destination}`;
  if (!isOctet(frame.source) || frame.source === 0 || frame.source > MAX_STATION) return `source ${frame.source}`;
  if (!isBelow(frame.sequence, SEQUENCES)) return `sequence ${frame.sequence}`;
  if (!isBelow(frame.behind, WINDOW)) return `behind ${frame.behind}`;
  if (NEVER_TO_ALL.has(frame.type) && frame.destination === BROADCAST) return `${frame.type} to all`;
  if (frame.type === 'identification' && frame.destination !== BROADCAST) return 'identification to one station';
  if (NEVER_BEHIND.has(frame.type) && frame.behind !== 0) return `${frame.type} with something behind`;
  return impossiblePiggyback(frame) ?? impossibleBody(frame);
}

function impossiblePiggyback({ type, destination, more, piggyback }: LinkFrame): string | null {
  if (piggyback === undefined) return type === 'acks' ? 'acks without acknowledgements' : null;
  const { later, acks } = piggyback;
  if (!CARRIERS_BY_CODE.includes(type)) return `${type} with something that comes along`;
  if (later && (type === 'acks' || destination === BROADCAST || more)) return 'acknowledgement that may wait, of none';
  const wrong = acks.find((ack) => !isCarriedAck(ack));
  if (wrong !== undefined) return `acknowledgement of ${wrong.next}, ${wrong.bitmap} for ${wrong.to}`;
  if (acks.length > CARRIED_MAX) return `${acks.length} acknowledgements`;
  return acks.length === 0 && !later ? 'nothing that comes along' : null;
}

function impossibleBody({ type, body }: LinkFrame): string | null {
  switch (type) {
    case 'ack':
      // Bit 0 would say that what is expected next has arrived.
      return body.length > 1 || ((body[0] ?? 0) & 1) === 1 ? 'acknowledgement with a wrong body' : null;
    case 'poll':
    case 'acks':
      return body.length > 0 ? `${type} with a body` : null;
    case 'rts':
    case 'cts':
      return body.length === RESERVATION_BYTES ? null : `${type} without a reservation`;
    default:
      return body.length === 0 ? `${type} without a body` : null;
  }
}

function isCarriedAck({ to, next, bitmap }: CarriedAck): boolean {
  return isBelow(to, MAX_STATION + 1) && to > 0 && isBelow(next, SEQUENCES) && isOctet(bitmap) && (bitmap & 1) === 0;
}

function isOctet(value: number): boolean {
  return isBelow(value, 0x100);
}

function isBelow(value: number, bound: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < bound;
}

function fcsOf(octets: Uint8Array, end: number, fcsBytes: FcsBytes): number {
  return fcsBytes === 4 ? crc32c(octets, 0, end) : crc16X25(octets, 0, end);
}

/** Least significant octet first, as is right for reflected CRCs: any burst error as long as the CRC is seen. */
function writeFcs(octets: Uint8Array, fcsBytes: FcsBytes): void {
  if (fcsBytes === 0) return;
  const end = octets.length - fcsBytes;
  const fcs = fcsOf(octets, end, fcsBytes);
  for (let i = 0; i < fcsBytes; i++) octets[end + i] = fcs >>> (8 * i);
}

function fcsMatches(octets: Uint8Array, end: number, fcsBytes: FcsBytes): boolean {
  if (fcsBytes === 0) return true;
  let received = 0;
  for (let i = fcsBytes - 1; i >= 0; i--) received = (received << 8) | (octets[end + i] ?? 0);
  return received >>> 0 === fcsOf(octets, end, fcsBytes) >>> 0;
}
