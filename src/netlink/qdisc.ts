/** Queueing disciplines: struct tcmsg of rtnetlink.h, statistics of gen_stats.h. */

import {
  AF_UNSPEC,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  RTM_DELQDISC,
  RTM_GETQDISC,
  RTM_NEWQDISC,
  TCA_KIND,
  TCA_OPTIONS,
  TCA_STATS_BASIC,
  TCA_STATS_QUEUE,
  TCA_STATS2,
} from './constants.js';
import { MessageWriter, OctetReader } from './message.js';
import { type QdiscOptions, writeQdiscOptions } from './qdisc-options.js';

const TCMSG_BYTES = 20;

/** A handle or a class, e.g. 1:0 or 10:2, as one number. */
export function tcHandle(major: number, minor = 0): number {
  return ((major << 16) | minor) >>> 0;
}

/** As `tc` prints it: the minor number 0 is left out. */
export function formatHandle(handle: number): string {
  const minor = handle & 0xffff;
  return `${(handle >>> 16).toString(16)}:${minor === 0 ? '' : minor.toString(16)}`;
}

export interface QdiscPlace {
  /** Where it hangs: TC_H_ROOT, or a class of another one. */
  readonly parent: number;
  /** Its own number; 0 lets the kernel choose. */
  readonly handle: number;
}

/** One that is to be set up. */
export interface QdiscRequest extends QdiscPlace {
  readonly options: QdiscOptions;
}

/** One that the kernel has, with its counters. */
export interface Qdisc extends QdiscPlace {
  readonly ifindex: number;
  readonly kind: string;
  /** TCA_OPTIONS as the kernel tells them; empty where it tells none. */
  readonly rawOptions: Uint8Array;
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly backlogPackets: number;
  readonly backlogBytes: number;
  readonly dropped: number;
  readonly overlimits: number;
  readonly requeues: number;
}

function tcMessage(type: number, flags: number, ifindex: number, place: QdiscPlace): MessageWriter {
  return new MessageWriter(type, NLM_F_REQUEST | flags)
    .u8(AF_UNSPEC)
    .u8(0)
    .u16(0)
    .u32(ifindex)
    .u32(place.handle)
    .u32(place.parent)
    .u32(0);
}

/** Sets one up; what hangs in that place is replaced, or changed where it is of the same kind. */
export function replaceQdiscMessage(ifindex: number, request: QdiscRequest): MessageWriter {
  const writer = tcMessage(RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, ifindex, request);
  writer.attributeString(TCA_KIND, request.options.kind);
  writeQdiscOptions(writer, request.options);
  return writer;
}

/** Changes the options of one that must be there. */
export function changeQdiscMessage(ifindex: number, request: QdiscRequest): MessageWriter {
  const writer = tcMessage(RTM_NEWQDISC, NLM_F_ACK, ifindex, request);
  writer.attributeString(TCA_KIND, request.options.kind);
  writeQdiscOptions(writer, request.options);
  return writer;
}

/** Sets one up again from what the kernel told about it. */
export function recreateQdiscMessage(ifindex: number, qdisc: Qdisc): MessageWriter {
  const writer = tcMessage(RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, ifindex, qdisc);
  writer.attributeString(TCA_KIND, qdisc.kind);
  if (qdisc.rawOptions.length > 0) writer.attributeOctets(TCA_OPTIONS, qdisc.rawOptions);
  return writer;
}

export function deleteQdiscMessage(ifindex: number, place: QdiscPlace): MessageWriter {
  return tcMessage(RTM_DELQDISC, NLM_F_ACK, ifindex, place);
}

/** Asks for those of all interfaces: the kernel offers no narrower dump. */
export function dumpQdiscsMessage(): MessageWriter {
  return tcMessage(RTM_GETQDISC, NLM_F_DUMP, 0, { parent: 0, handle: 0 });
}

/** Reads the payload of an RTM_NEWQDISC; throws SluiceError `system` when it is malformed. */
export function parseQdisc(payload: Uint8Array): Qdisc {
  const reader = new OctetReader(payload, 'qdisc message');
  const attributes = reader.attributes(TCMSG_BYTES);
  const statistics = attributes.get(TCA_STATS2)?.attributes();
  const basic = statistics?.get(TCA_STATS_BASIC);
  const queue = statistics?.get(TCA_STATS_QUEUE);
  return {
    ifindex: reader.i32(4),
    handle: reader.u32(8),
    parent: reader.u32(12),
    kind: attributes.get(TCA_KIND)?.text() ?? '',
    rawOptions: attributes.get(TCA_OPTIONS)?.octets() ?? new Uint8Array(0),
    sentBytes: basic?.u64(0) ?? 0,
    sentPackets: basic?.u32(8) ?? 0,
    backlogPackets: queue?.u32(0) ?? 0,
    backlogBytes: queue?.u32(4) ?? 0,
    dropped: queue?.u32(8) ?? 0,
    requeues: queue?.u32(12) ?? 0,
    overlimits: queue?.u32(16) ?? 0,
  };
}
