/**
 * `node pty-copy.js`: two ptys, and every octet of the one carried to the other as fast as it comes. Prints the two
 * paths as JSON, and ends with its parent.
 */
import { onParentGone } from '../../src/daemon/leash.js';
import { Pty } from '../../src/native/addon.js';

const BUFFER_BYTES = 65_536;
/** Reads of one direction before the other has its turn. */
const READS_A_TURN = 16;
const RETRY_MS = 1;

/** Octets that the other side has no room for wait here; meanwhile nothing is read, so that the writer feels it. */
function carry(from: Pty, to: Pty): void {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let waiting = buffer.subarray(0, 0);
  const turn = (): void => {
    for (let reads = 0; reads < READS_A_TURN; reads++) {
      if (waiting.length > 0) {
        waiting = waiting.subarray(Math.max(0, to.write(waiting)));
        if (waiting.length > 0) {
          setTimeout(turn, RETRY_MS);
          return;
        }
      }
      const length = from.read(buffer);
      if (length <= 0) {
        from.arm(turn);
        return;
      }
      waiting = buffer.subarray(0, length);
    }
    setImmediate(turn);
  };
  turn();
}

const left = new Pty();
const right = new Pty();
carry(left, right);
carry(right, left);
onParentGone(() => process.exit());
process.stdout.write(`${JSON.stringify([left.path, right.path])}\n`);
