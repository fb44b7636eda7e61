/** The TAP device, as a port. Frames are Ethernet frames without FCS. */

export interface Tap {
  readonly name: string;
  readonly ifindex: number;
  /** One frame from the ring, or null when it is empty. The octets are the caller's to keep. */
  read(): Uint8Array | null;
  /** Hands a frame to the IP stack. False when the kernel refused it (interface down, frame malformed). */
  write(frame: Uint8Array): boolean;
  /** Calls back once, as soon as a frame can be read. A second call before that replaces the first. */
  onceReadable(callback: () => void): void;
  /** Idempotent. The device goes with it, unless it is persistent or somebody else holds a queue of it. */
  close(): void;
}
