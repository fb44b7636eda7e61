/** A full disk does not end a bridge: its log waits for a while, then loses lines, and one word about it goes elsewhere. */

interface Failing {
  on(event: 'error', listener: (cause: Error) => void): unknown;
  on(event: 'write', listener: () => void): unknown;
}

/** What a full disk leaves in memory; what comes after that is lost. */
export const WAITING_MAX_BYTES = 65_536;

/**
 * @param stream a SonicBoom, which says `error` and, once it has written again, `write`
 * @param failed called once for each series of failures
 */
export function tellFailures(stream: Failing, failed: (cause: Error) => void): void {
  let failing = false;
  stream.on('error', (cause: Error) => {
    if (!failing) failed(cause);
    failing = true;
  });
  stream.on('write', () => {
    failing = false;
  });
}
