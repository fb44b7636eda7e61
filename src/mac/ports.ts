/** What the MAC needs from outside, what it tells, and how it is configured. */
import type { Scheduler } from '../base/clock.js';
import type { DropCause } from '../base/drops.js';
import type { Random } from '../base/random.js';
import type { FcsBytes, LinkFrame } from '../wire/link-frame.js';
import type { InboundPacket, OutboundPacket, Station } from '../wire/packet.js';
import type { Contention } from './contention.js';
import type { Neighbour } from './neighbours.js';
import type { Phy, ReceptionMeta } from './phy.js';
import type { DurationHistogram, MacCounters } from './statistics.js';
import type { MacTiming } from './timing.js';

export interface MacConfig {
  /** False for encapsulations of others: payloads are sent as they are, without addresses, sequence or ACK. */
  readonly linkFrames: boolean;
  readonly fcsBytes: FcsBytes;
  /** Whether unicast frames are acknowledged and repeated. */
  readonly arq: boolean;
  /** Repetitions after the first attempt. */
  readonly maxRetries: number;
  /** So often a frame to all is sent again, unasked: nobody acknowledges it. Default: never. Link frames only. */
  readonly broadcastRepeats?: number;
  /** A packet in hand for longer is dropped. */
  readonly deadlineUs: number;
  /** The same for interactive packets; absent: no other than for all. */
  readonly interactiveDeadlineUs?: number;
  /** Airtime of data that one win of the channel may use; 0 or absent: one frame. A burst looks one packet ahead. */
  readonly burstAirtimeUs?: number;
  /** Whether short packets to one station share a frame. Looks one packet ahead. */
  readonly aggregate?: boolean;
  /** False: every acknowledgement is an answer of its own. Default: they come along with traffic going back where that pays. */
  readonly piggyback?: boolean;
  /** What law and courtesy allow. Absent: everything. */
  readonly limits?: MacLimits;
}

export interface MacLimits {
  /** The share of any window that this station may be on the air. */
  readonly dutyCycle?: { readonly share: number; readonly windowUs: number };
  /** No frame and no burst keeps the key down for longer. */
  readonly keyDownUs?: number;
  /** Who we are, said when we begin to transmit and at this interval as long as we do. Link frames only. */
  readonly identification?: { readonly text: Uint8Array; readonly intervalUs: number };
  /** After the start, nothing is sent for so long. */
  readonly quietUs?: number;
}

/** Where packets come from. */
export interface PacketSource {
  /** One packet, now that the channel is won; null when none waits. */
  pull(): OutboundPacket | null;
  /** The MAC has nothing to send. From now on the source must call `demand` as soon as something waits. */
  idle(): void;
}

/** Where packets go to, and who hears of what happens. None of these may call back into the MAC, but for `demand`. */
export interface MacObserver {
  deliver(packet: InboundPacket): void;
  drop(cause: DropCause): void;
  neighbour?(neighbour: Neighbour): void;
  /** Another station sent this with our number. */
  addressConflict?(heard: LinkFrame, meta: ReceptionMeta): void;
  stuckBusy?(busyForUs: number): void;
  /** The carrier that `stuckBusy` told of has ended. */
  stuckBusyEnded?(busyForUs: number): void;
  /** The modem did not report the end of a transmission within the limit: it must be made to let go of the key. */
  keyDownExceeded?(limitUs: number): void;
  /** Nor has it, where there is no such limit, after so long: it waits for something, or has forgotten the frame. */
  sentOverdue?(afterUs: number): void;
  /** The transmission in progress when `finish` was called is over, or there was none. */
  finished?(): void;
}

export interface MacOptions {
  readonly station: Station;
  readonly phy: Phy;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly source: PacketSource;
  readonly observer: MacObserver;
  readonly config: MacConfig;
  /** Default: `CycleContention`. */
  readonly contention?: (timing: MacTiming) => Contention;
}

/** What the station is about. Reception, and ACKs for what others send, go on in every state. */
export type MacState =
  | 'down'
  | 'idle'
  | 'contending'
  | 'transmitting'
  | 'awaiting-ack'
  | 'awaiting-clearance'
  | 'finishing';

export interface MacSnapshot {
  readonly state: MacState;
  readonly counters: Readonly<MacCounters>;
  readonly contentionWindow: number;
  readonly busyUs: number;
  readonly txUs: number;
  /** Time in which a carrier was sensed that was no longer believed; not in `busyUs`. */
  readonly stuckUs: number;
  /** Frames acknowledged, by the number of repetitions that it took; the last one stands for more, too. Live. */
  readonly retries: readonly number[];
  /** From beginning to contend until a frame, or a burst, was settled. Live. */
  readonly delays: DurationHistogram;
  readonly delayP50Us: number;
  readonly delayP99Us: number;
  /** A carrier was busy for so long that it is not believed, and has not ended since. */
  readonly carrierStuck: boolean;
  /** What is left of the duty-cycle budget, as a share of it; 1 without a limit. */
  readonly budgetLeft: number;
  readonly neighbours: readonly Neighbour[];
  /** Sent to, never heard. */
  readonly unheard: readonly Neighbour[];
  /** Packets pulled whose fate is open. */
  readonly inHand: number;
}
