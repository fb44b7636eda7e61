/** Bridges on TCP lines: connections that are cut, and a peer that is suddenly not there any more. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addressOf, INTERFACE, Neighbourhood, type Station } from '../../src/daemon/stations.js';
import { nextTurns } from './native-support.js';

const CUTTER = fileURLToPath(new URL('../../dist/test/system/tcp-cutter.js', import.meta.url));
const PORT = 4001;

describe('a bridge on a TCP line', () => {
  let place: Neighbourhood;
  let station: Station;

  beforeEach(async () => {
    place = new Neighbourhood();
    station = await place.open();
  });
  afterEach(() => place.close());

  const start = async (cycles: number, ms: number): Promise<void> => {
    void station
      .call('run', { program: process.execPath, args: [CUTTER, `${PORT}`, `${cycles}`, `${ms}`], timeoutMs: 110_000 })
      .catch(() => undefined);
    await nextTurns(1500);
    await station.up({
      number: 1,
      profile: 'null-modem',
      port: `tcp://127.0.0.1:${PORT}`,
      settings: ['air.pacing=line'],
    });
  };
  const load = (ticks: number) =>
    station.call('pace', {
      to: { address: addressOf(2), port: 9 },
      streams: [{ stream: 1, typeOfService: 0 }],
      payloadBytes: 1000,
      intervalUs: 5000,
      ticks,
    });
  const until = async (what: string, condition: () => Promise<boolean>, limitMs: number): Promise<void> => {
    const deadline = Date.now() + limitMs;
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
      await nextTurns(100);
    }
  };

  it.each([
    ['ends', 'sleep', ['60']],
    ['is killed', process.execPath, [CUTTER, `${PORT}`, '0', '0']],
  ])('whose station %s leaves no program running', async (how, program, args) => {
    const { pid } = station;
    void station.call('run', { program, args, timeoutMs: 60_000 }).catch(() => undefined);
    const children = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    await until('the program', async () => children() !== '', 10_000);
    const child = children();
    if (how === 'ends') await place.close();
    else process.kill(pid, 'SIGKILL');
    await until('its end', async () => !existsSync(`/proc/${child}`), 10_000);
  });

  it('comes back after each reset and each end, and goes on sending', async () => {
    await start(6, 150);
    const sending = load(1000);
    await until('six times back', async () => (await station.status()).line.reopens >= 6, 30_000);
    await sending;
    const { line, backPressure } = await station.status();
    expect(line.state).toBe('open');
    expect(backPressure.tapDropped).toBe(0);
    const before = line.bytesOut;
    await load(50);
    await until('octets', async () => (await station.status()).line.bytesOut >= before + 50_000, 10_000);
    expect((await station.call('linkStatistics', { name: INTERFACE })).txDropped).toBe(0);
  });

  it('notices in bounded time that the other side is dead, though octets are under way', async () => {
    await start(0, 0);
    await station.call('run', { program: 'ip', args: ['link', 'set', 'lo', 'down'], timeoutMs: 5000 });
    const downAt = Date.now();
    await load(10);
    // The kernel alone would go on for a quarter of an hour.
    await until('the loss', async () => (await station.status()).line.state !== 'open', 60_000);
    expect(Date.now() - downAt).toBeGreaterThan(5000);
    await station.call('run', { program: 'ip', args: ['link', 'set', 'lo', 'up'], timeoutMs: 5000 });
    await until('the line', async () => (await station.status()).line.state === 'open', 20_000);
  });
});
