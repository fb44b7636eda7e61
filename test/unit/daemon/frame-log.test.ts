/** Frames in the log: each with what became of it; and nothing at all without debug lines. */
import { describe, expect, it } from 'vitest';
import { AirCapture } from '../../../src/daemon/air-capture.js';
import { logFrames } from '../../../src/daemon/frame-log.js';
import type { AirTap } from '../../../src/mac/air-tap.js';
import { createLog, type LogLevel } from '../../../src/observe/log.js';
import { encodeLinkFrame } from '../../../src/wire/link-frame.js';

const FCS_BYTES = 4;
const PARTS = {
  encapsulation: 'sluice',
  fcsBytes: FCS_BYTES,
  airtimeUs: (frameBytes: number) => 1000 * frameBytes,
  describe: () => ({ name: 'sluice0', description: '' }),
} as const;

const octets = encodeLinkFrame(
  {
    ...{ type: 'ip', destination: 2, source: 1, sequence: 7, behind: 0, more: false, retry: false },
    body: Uint8Array.of(1),
  },
  FCS_BYTES,
);

function logAt(level: LogLevel): { lines: Record<string, unknown>[]; log: ReturnType<typeof createLog> } {
  const lines: Record<string, unknown>[] = [];
  const output = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lines, log: createLog({ level, format: 'json', base: { interface: 'sluice0', station: 1 }, output }) };
}

describe('frames in the log', () => {
  it('say who sent them, how often, and what became of them', async () => {
    const mac: { tap: AirTap | null } = { tap: null };
    const capture = new AirCapture(mac);
    const { log, lines } = logAt('debug');
    void logFrames(log, capture, PARTS);
    await Promise.resolve();
    mac.tap?.transmitting(octets, { attempt: 2, sequence: 7, wantsAck: true });
    mac.tap?.transmitted('sent');
    mac.tap?.settled([7]);
    mac.tap?.received(octets, { rssiDbm: -90 });
    mac.tap?.heard('overheard');
    await capture.close();
    const link = { type: 'ip', source: 1, destination: 2, sequence: 7 };
    const size = { bytes: octets.length, airtimeUs: 1000 * octets.length };
    expect(lines).toMatchObject([
      { level: 20, event: 'frame', direction: 'out', attempt: 2, outcome: 'acknowledged', ...link, ...size },
      { level: 20, event: 'frame', direction: 'in', rssiDbm: -90, outcome: 'overheard', ...link, ...size },
    ]);
    expect(mac.tap).toBeNull();
  });

  it('are not even looked at without debug lines: the MAC has no tap', async () => {
    const mac: { tap: AirTap | null } = { tap: null };
    const capture = new AirCapture(mac);
    const { log, lines } = logAt('info');
    await logFrames(log, capture, PARTS);
    expect(mac.tap).toBeNull();
    // And a line below the level is dropped before anything of it is read.
    const fields = new Proxy(
      { line: 'x', cause: 'c', nextMs: 1 },
      { get: () => expect.fail('read'), ownKeys: () => expect.fail('read') },
    );
    log.debug('line-retry', fields);
    expect(lines).toEqual([]);
  });
});
