/** What a capture hears of each frame that passes between MAC and modem. The MAC calls, and is not called. */
import type { DropCause } from '../base/drops.js';
import type { ReceptionMeta } from './phy.js';

/** How a transmission ended at the modem. */
export type Transmitted = 'sent' | 'refused' | 'line-down';

/** What became of a received frame. `echo`: our own, heard back. A cause: dropped for it. */
export type Heard = 'accepted' | 'overheard' | 'echo' | DropCause;

export interface OwnFrame {
  /** 1 for the first time; 0 for what is not repeated: acknowledgements and polls. */
  readonly attempt: number;
  /** By which its acknowledgement knows it; null: any answer will do. */
  readonly sequence: number | null;
  /** An answer will be waited for: `settled` says what came of it. */
  readonly wantsAck: boolean;
}

/** What is sent once and not waited for. */
export const ANSWER: OwnFrame = { attempt: 0, sequence: null, wantsAck: false };

/**
 * Of one frame: `transmitting`, then `transmitted`; where an answer is waited for, `settled` after the last of its burst.
 * `received`, then `heard`; what is sent at once in answer comes between the two. The octets may change afterwards.
 */
export interface AirTap {
  transmitting(octets: Uint8Array, frame: OwnFrame): void;
  transmitted(outcome: Transmitted): void;
  /** The wait is over: these sequences were acknowledged. Null: no answer came. */
  settled(acknowledged: readonly number[] | null): void;
  received(octets: Uint8Array, meta: ReceptionMeta): void;
  heard(outcome: Heard): void;
}
