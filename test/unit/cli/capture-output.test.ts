/** Where a capture goes: a file that cannot be written says so, whenever it is found out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CaptureOutput } from '../../../src/cli/capture-output.js';

const NEVER = new AbortController().signal;

describe('CaptureOutput', () => {
  it.each([
    ['a full disk', '/dev/full', 'ENOSPC'],
    ['a folder that is not there', '/no-such-folder/air.pcapng', 'ENOENT'],
  ])('%s: the write after it was found out tells', async (_what, path, cause) => {
    const output = new CaptureOutput(path, NEVER);
    await output.write('first').catch(() => undefined);
    await sleep(100);
    await expect(output.write('second')).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(cause),
      details: { remedy: expect.stringContaining('has room') },
    });
    await expect(output.close()).rejects.toMatchObject({ code: 'usage' });
  });
});
