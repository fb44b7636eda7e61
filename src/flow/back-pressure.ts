/**
 * Back pressure, as a port: keeps packets in the qdisc of the TAP until the MAC can take them.
 * The gate, the native mode and "none" implement it; see the README's page on the kernel for how each works.
 */

export type BackPressureMode = 'native' | 'gate' | 'none';

export interface QdiscStatistics {
  /** The inner queueing discipline. */
  readonly kind: string;
  readonly backlogPackets: number;
  readonly backlogBytes: number;
  readonly dropped: number;
}

export interface BackPressure {
  readonly mode: BackPressureMode;
  /** Why this mode: one sentence for the log. */
  readonly reason: string;
  /**
   * Lets at most one maximum frame's worth of octets out of the qdisc into the ring of the TAP. What waits is in the
   * ring when this returns; where nothing waited, the credit stands and the next packet passes at once.
   * Call it only when the ring is empty. In the modes `native` and `none` it does nothing.
   */
  grant(): void;
  /** Whether a frame from the TAP is one of the gate's own and to be thrown away. */
  isKick(frame: Uint8Array): boolean;
  /** Grants so far. */
  readonly grants: number;
  qdisc(): QdiscStatistics;
  /** Takes off what was put on the device, so that a TAP that we did not create is left as found. Idempotent. */
  close(): void;
}

/** A mode that hangs something on the device, where other hands than ours may take it off. */
export interface HungBackPressure extends BackPressure {
  /** What on the device is not as this mode needs it, in words; null when all is. Throws SluiceError, when the device is gone. */
  fault(): string | null;
  /**
   * Hangs everything again. Gives the packets that were lost with what had taken its place.
   * Throws SluiceError when the device is gone, or no privilege is left.
   */
  rehang(): number;
  /** Follows another MTU of the device. */
  followMtu(mtuBytes: number): void;
  /** As far as can be, nothing passes from now on without a grant: not even the credit that stands when nothing waits. */
  shut(): void;
  /** Closes what this process holds and leaves the device as it is, with what waits in it. Idempotent. */
  leave(): void;
}
