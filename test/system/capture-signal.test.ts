/** How strong a frame was, all the way: from a modem that says so through driver, MAC and capture to tshark. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { DaemonStatus } from '../../src/daemon/status.js';
import { eventually, MAIN, sendDatagrams, withPair } from './bridge-support.js';
import { dissect } from './tshark.js';

const LORA = { medium: 'rateBps: 5468\nmodem: rak3172', profile: 'rak3172-sf7', settings: ['link.mtuBytes=200'] };

it('tshark shows the RSSI and SNR that the modem gave with a frame', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const file = join(folder, 'lora.pcapng');
  try {
    const rssiDbm = await withPair(LORA, async (first, second) => {
      const untilCapture = (holds: (capture: DaemonStatus['capture']) => boolean, what: string): Promise<unknown> =>
        eventually(async () => ((await second.status()) as DaemonStatus).capture, holds, what);
      const capture = spawn(process.execPath, [MAIN, 'capture', '--control', second.control, '-w', file]);
      const ended = new Promise((resolve) => capture.once('close', resolve));
      await untilCapture(({ readers }) => readers > 0, 'the reader');
      await sendDatagrams(first, 2, 1, 2);
      await untilCapture(({ frames }) => frames >= 2, 'the datagrams, together in one frame, and the acknowledgement');
      const { neighbours } = await second.status();
      capture.kill('SIGINT');
      expect(await ended).toBe(0);
      return neighbours.find(({ station }) => station === 1)?.rssiDbm;
    });
    expect(rssiDbm).toBeLessThan(0);
    const found = dissect(file, ['frame.packet_flags_direction', 'frame.comment']);
    const heard = found.filter(({ fields }) => fields['frame.packet_flags_direction'] === '0x00000001');
    expect(heard.length).toBeGreaterThan(0);
    for (const { fields } of heard) {
      expect(fields['frame.comment']).toMatch(new RegExp(` rssi_dbm=${rssiDbm} snr_db=-?\\d+$`));
    }
    const own = found.filter((each) => !heard.includes(each));
    expect(own.length).toBeGreaterThan(0);
    for (const { fields } of own) expect(fields['frame.comment']).not.toContain('rssi');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
