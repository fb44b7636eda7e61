/** Which bridge is meant when none is named: those that answer count, not those that were. */
import { mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { onlyInterface } from '../../../src/cli/only-interface.js';

let folder: string;
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
});

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

async function listen(name: string): Promise<void> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(join(folder, name), resolve));
}

/** What a killed bridge leaves: a socket on which nobody answers. */
async function leave(name: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, `${name}.live`), resolve));
  renameSync(join(folder, `${name}.live`), join(folder, name));
  await new Promise((resolve) => server.close(resolve));
}

describe('onlyInterface', () => {
  it('is the one that answers, whatever killed bridges have left', async () => {
    await leave('dead0.sock');
    await leave('dead1.sock');
    await expect(onlyInterface(folder)).rejects.toMatchObject({ message: 'no bridge is running' });
    await listen('radio0.sock');
    expect(await onlyInterface(folder)).toBe('radio0');
  });

  it('counts a bridge once that had another name before', async () => {
    await listen('radio0.sock');
    symlinkSync(join(folder, 'radio0.sock'), join(folder, 'sluice0.sock'));
    expect(await onlyInterface(folder)).toBe('radio0');
  });

  it('names those that answer when several do', async () => {
    await listen('mast.sock');
    await listen('hull.sock');
    await leave('dead0.sock');
    await expect(onlyInterface(folder)).rejects.toMatchObject({
      code: 'usage',
      message: 'several bridges are running',
      details: { remedy: expect.stringMatching(/^Name one of: (hull, mast|mast, hull)\.$/) },
    });
  });

  it('without a folder there is no bridge', async () => {
    await expect(onlyInterface(join(folder, 'none'))).rejects.toMatchObject({ message: 'no bridge is running' });
  });
});
