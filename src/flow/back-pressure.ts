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
