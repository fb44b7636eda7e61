/** Options of the queueing disciplines that we use, as include/uapi/linux/pkt_sched.h lays them out. */

import { SluiceError, unreachable } from '../base/errors.js';
import {
  PSCHED_TICK_NS,
  TC_LINKLAYER_ETHERNET,
  TC_RTAB_ENTRIES,
  TCA_CAKE_RTT,
  TCA_CAKE_TARGET,
  TCA_FQ_CODEL_ECN,
  TCA_FQ_CODEL_INTERVAL,
  TCA_FQ_CODEL_LIMIT,
  TCA_FQ_CODEL_TARGET,
  TCA_OPTIONS,
  TCA_TBF_BURST,
  TCA_TBF_PARMS,
  TCA_TBF_RTAB,
} from './constants.js';
import { type MessageWriter, OctetReader } from './message.js';

export interface TbfOptions {
  readonly kind: 'tbf';
  readonly rateBytesPerS: number;
  readonly burstBytes: number;
  /** Octets, except that a child of kind pfifo takes the number as packets. */
  readonly limit: number;
}

export interface CodelTimes {
  readonly targetUs: number;
  readonly intervalUs: number;
}

export type QdiscOptions =
  | TbfOptions
  | { readonly kind: 'pfifo_fast' }
  | { readonly kind: 'pfifo'; readonly limitPackets: number }
  | { readonly kind: 'bfifo'; readonly limitBytes: number }
  /** Three bands with the kernel's usual map of priorities. */
  | { readonly kind: 'prio' }
  | ({ readonly kind: 'fq_codel'; readonly limitPackets: number } & CodelTimes)
  | ({ readonly kind: 'cake' } & CodelTimes);

export type QdiscKind = QdiscOptions['kind'];

/** Three bands; the map of priority (SO_PRIORITY 0 to 15) to band is the kernel's default, net/sched/sch_generic.c. */
export const PRIO_BANDS = 3;
const PRIO_MAP = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];

/** 2^3 octets for each entry of the rate table: what `tc` uses for packets up to 2047 octets. */
const RTAB_CELL_LOG = 3;
/** struct tc_tbf_qopt begins with struct tc_ratespec, whose last field of 12 octets is the rate. */
const TBF_RATE_OFFSET = 8;
const NS_PER_S = 1e9;
const MAX_U32 = 0xffffffff;

function ticksFor(bytes: number, rateBytesPerS: number): number {
  return Math.floor((bytes * NS_PER_S) / rateBytesPerS / PSCHED_TICK_NS);
}

/**
 * The slowest rate, in octets/s, at which a bucket of `burstBytes` can be told to TBF: struct tc_tbf_qopt holds the
 * time to fill it as 32 bits of ticks, 274.8 s.
 */
export function slowestTbfRate(burstBytes: number): number {
  return Math.max(1, Math.ceil((burstBytes * NS_PER_S) / (MAX_U32 * PSCHED_TICK_NS)));
}

/** The rate in octets/s of a TBF, from its options as the kernel tells them. */
export function tbfRateOf(rawOptions: Uint8Array): number | undefined {
  return new OctetReader(rawOptions, 'TBF options').attributes().get(TCA_TBF_PARMS)?.u32(TBF_RATE_OFFSET);
}

function writeTbf(writer: MessageWriter, options: TbfOptions): void {
  const { rateBytesPerS, burstBytes, limit } = options;
  const bufferTicks = ticksFor(burstBytes, rateBytesPerS);
  if (bufferTicks > MAX_U32) {
    throw new SluiceError('internal', `a TBF burst of ${burstBytes} octets at ${rateBytesPerS}/s exceeds 32 bits`);
  }
  const writeRate = (cellLog: number, linkLayer: number, cellAlign: number, rate: number): void => {
    // struct tc_ratespec: cell_log, linklayer, overhead, cell_align, mpu, rate
    writer.u8(cellLog).u8(linkLayer).u16(0).u16(cellAlign).u16(0).u32(rate);
  };
  // struct tc_tbf_qopt: rate, peak rate, limit, buffer, mtu
  writer.attribute(TCA_TBF_PARMS, () => {
    writeRate(RTAB_CELL_LOG, TC_LINKLAYER_ETHERNET, 0xffff, rateBytesPerS);
    writeRate(0, 0, 0, 0);
    writer.u32(limit).u32(bufferTicks).u32(0);
  });
  writer.attributeU32(TCA_TBF_BURST, burstBytes);
  // Transmission times by packet length; kernels since 3.14 calculate them on their own and ignore the table.
  writer.attribute(TCA_TBF_RTAB, () => {
    for (let i = 1; i <= TC_RTAB_ENTRIES; i++) writer.u32(ticksFor(i << RTAB_CELL_LOG, rateBytesPerS) >>> 0);
  });
}

/** Appends TCA_OPTIONS; a discipline without options gets none. */
export function writeQdiscOptions(writer: MessageWriter, options: QdiscOptions): void {
  const nested = (fill: () => void): void => {
    writer.attribute(TCA_OPTIONS, fill);
  };
  switch (options.kind) {
    case 'pfifo_fast':
      break;
    case 'tbf':
      nested(() => writeTbf(writer, options));
      break;
    case 'pfifo':
      nested(() => writer.u32(options.limitPackets));
      break;
    case 'bfifo':
      nested(() => writer.u32(options.limitBytes));
      break;
    case 'prio':
      nested(() => {
        writer.u32(PRIO_BANDS);
        for (const band of PRIO_MAP) writer.u8(band);
      });
      break;
    case 'fq_codel':
      nested(() => {
        writer.attributeU32(TCA_FQ_CODEL_LIMIT, options.limitPackets);
        writer.attributeU32(TCA_FQ_CODEL_INTERVAL, options.intervalUs);
        writer.attributeU32(TCA_FQ_CODEL_TARGET, options.targetUs);
        writer.attributeU32(TCA_FQ_CODEL_ECN, 1);
      });
      break;
    case 'cake':
      nested(() => {
        writer.attributeU32(TCA_CAKE_RTT, options.intervalUs);
        writer.attributeU32(TCA_CAKE_TARGET, options.targetUs);
      });
      break;
    default:
      unreachable(options);
  }
}
