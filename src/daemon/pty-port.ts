/** A pty's master as an emulated modem's port. */
import { Pty } from '../native/addon.js';
import type { PtyPort } from '../sim/live.js';

/** Small, so that what the modem has no room for stays in the pty, where its writer feels it. */
const READ_BUFFER_BYTES = 128;

export function openPtyPort(): PtyPort {
  const pty = new Pty();
  const buffer = new Uint8Array(READ_BUFFER_BYTES);
  let take: ((octets: Uint8Array) => void) | undefined;
  let paused = false;
  let closed = false;
  let reading = false;
  const arm = (): void => {
    if (!closed && !paused && take !== undefined) pty.arm(readable);
  };
  const readable = (): void => {
    if (reading) return;
    reading = true;
    while (!closed && !paused && take !== undefined) {
      const length = pty.read(buffer);
      if (length <= 0) break;
      take(buffer.slice(0, length));
    }
    reading = false;
    arm();
  };
  return {
    slavePath: pty.path,
    write: (octets) => pty.write(octets),
    onData: (callback) => {
      take = callback;
      arm();
    },
    pause: () => {
      paused = true;
      pty.disarm();
    },
    resume: () => {
      if (!paused) return;
      paused = false;
      readable();
    },
    close: () => {
      closed = true;
      pty.close();
    },
  };
}
