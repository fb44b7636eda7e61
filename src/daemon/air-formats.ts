/** What a capture is written as: a pcapng file, or a line of JSON for each frame, for a terminal. */
import { arch, release, type } from 'node:os';
import {
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  LINK_TYPES,
  sectionHeader,
} from '../observe/pcapng.js';
import { decodeLinkFrame, type FcsBytes, type LinkFrameType } from '../wire/link-frame.js';
import { BROADCAST, type Station } from '../wire/packet.js';
import type { AirOutcome, AirRecord } from './air-recorder.js';

const US = 1000;
const MICROSECOND_DIGITS = 6;

export interface AirParts {
  readonly encapsulation: 'sluice' | 'ethernet' | 'ip' | 'ax25';
  readonly fcsBytes: FcsBytes;
  airtimeUs(frameBytes: number): number;
  /** Name and description of the interface, now. */
  describe(): { readonly name: string; readonly description: string };
}

export interface AirTotals {
  /** Frames that passed, those included that the capture dropped. */
  readonly frames: number;
  readonly dropped: number;
  readonly startUs: number;
}

/** What a reader gets, item by item. */
export interface AirFormat<Item> {
  start(): readonly Item[];
  frame(record: AirRecord, droppedBefore: number): Item;
  end(totals: AirTotals): Item;
}

/** Link frames do not tell their FCS themselves, so each kind has a link type of its own: see link-frame.md. */
export function linkTypeOf(encapsulation: AirParts['encapsulation'], fcsBytes: FcsBytes): number {
  switch (encapsulation) {
    case 'sluice':
      return LINK_TYPES.user0 + fcsBytes;
    case 'ethernet':
      return LINK_TYPES.ethernet;
    case 'ip':
      return LINK_TYPES.rawIp;
    case 'ax25':
      return LINK_TYPES.ax25;
  }
}

export function pcapngFormat(parts: AirParts): AirFormat<Uint8Array> {
  const { encapsulation, fcsBytes } = parts;
  return {
    start: () => [
      sectionHeader({ hardware: arch(), os: `${type()} ${release()}`, application: 'sluice' }),
      interfaceDescription({
        ...parts.describe(),
        linkType: linkTypeOf(encapsulation, fcsBytes),
        timeDigits: MICROSECOND_DIGITS,
        snapBytes: 0,
      }),
    ],
    frame: (record, dropped) => {
      const { octets, direction, outcome } = record;
      const isLinkFrame = encapsulation === 'sluice' && outcome !== 'rx-fcs' && outcome !== 'rx-truncated';
      return enhancedPacket({
        interface: 0,
        at: BigInt(record.atUs),
        octets,
        direction,
        cast: isLinkFrame ? castOf(record) : 'unspecified',
        fcsBytes: encapsulation === 'sluice' ? fcsBytes : 0,
        crcError: outcome === 'rx-fcs',
        dropped,
        comment: commentOf(record, parts.airtimeUs(octets.length)),
      });
    },
    end: ({ frames, dropped, startUs }) => {
      const [from, to] = [BigInt(startUs), BigInt(Date.now() * US)];
      return interfaceStatistics({ interface: 0, from, to, received: frames, dropped });
    },
  };
}

function castOf({ octets, outcome }: AirRecord): 'broadcast' | 'promiscuous' | 'unicast' {
  if (octets[1] === BROADCAST) return 'broadcast';
  return outcome === 'overheard' ? 'promiscuous' : 'unicast';
}

/** Words that both people and scripts can read: `key=value`, the unit in the key. */
function commentOf({ outcome, attempt = 0, rssiDbm, snrDb }: AirRecord, airtimeUs: number): string {
  const words = [`outcome=${outcome}`];
  if (attempt > 0) words.push(`attempt=${attempt}`);
  words.push(`airtime_us=${Math.round(airtimeUs)}`);
  if (rssiDbm !== undefined) words.push(`rssi_dbm=${rssiDbm}`);
  if (snrDb !== undefined) words.push(`snr_db=${snrDb}`);
  return words.join(' ');
}

/** One frame; `link` where its octets are a link frame. */
export interface AirFrameLine {
  readonly atUs: number;
  readonly direction: 'inbound' | 'outbound';
  readonly bytes: number;
  readonly airtimeUs: number;
  readonly outcome: AirOutcome;
  readonly attempt?: number;
  readonly rssiDbm?: number;
  readonly snrDb?: number;
  readonly droppedBefore?: number;
  readonly link?: {
    readonly type: LinkFrameType;
    readonly source: Station;
    readonly destination: Station;
    readonly sequence: number;
    readonly more: boolean;
  };
}

/** A frame, or the last line. */
export type AirLine = AirFrameLine | { readonly frames: number; readonly dropped: number };

export function lineFormat({ encapsulation, fcsBytes, airtimeUs }: AirParts): AirFormat<AirLine> {
  return {
    start: () => [],
    frame: ({ octets, ...record }, droppedBefore) => {
      const { atUs, direction, outcome, attempt, rssiDbm, snrDb } = record;
      const frame = encapsulation === 'sluice' ? decodeLinkFrame(octets, fcsBytes) : 'rx-malformed';
      return {
        ...{ atUs, direction, bytes: octets.length, airtimeUs: Math.round(airtimeUs(octets.length)), outcome },
        ...(attempt === undefined || attempt === 0 ? {} : { attempt }),
        ...(rssiDbm === undefined ? {} : { rssiDbm }),
        ...(snrDb === undefined ? {} : { snrDb }),
        ...(droppedBefore === 0 ? {} : { droppedBefore }),
        ...(typeof frame === 'string' ? {} : { link: withoutBody(frame) }),
      };
    },
    end: ({ frames, dropped }) => ({ frames, dropped }),
  };
}

function withoutBody({ type, source, destination, sequence, more }: NonNullable<AirFrameLine['link']>) {
  return { type, source, destination, sequence, more };
}
