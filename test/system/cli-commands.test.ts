/** The commands as scripts use them: JSON keys, exit codes, signals, and that nothing is left behind. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  arrivals,
  eventually,
  FAST_RADIO,
  inside,
  MAIN,
  sendDatagrams,
  sluice,
  sluiceInside,
  withNeighbourhood,
  withPair,
} from './bridge-support.js';

/** Processes that have `text` among their arguments. */
function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        // Gone meanwhile.
        return false;
      }
    })
    .map(Number);
}

describe('sluice status and metrics', () => {
  it('show what a bridge has done', async () => {
    await withPair({ ...FAST_RADIO, args: ['--metrics', '127.0.0.1:9464'] }, async (first, second) => {
      await sendDatagrams(first, 2, 1, 3);
      await arrivals(second, 1, 3);
      await eventually(
        () => first.status(),
        ({ mac }) => mac.acked > 0,
        'the acknowledgement',
      );
      const { status, stdout, stderr } = await sluice(['status', '--control', first.control, '--json']);
      expect(stderr).toBe('');
      expect(status).toBe(0);
      const seen = JSON.parse(stdout);
      expect(seen).toMatchObject({ interface: 'sluice0', station: 1, profile: 'radio-9600' });
      expect(Object.keys(seen.line)).toEqual(
        expect.arrayContaining(['state', 'path', 'bytesIn', 'bytesOut', 'reopens']),
      );
      expect(seen.line).toMatchObject({ state: 'open', reopens: 0 });
      expect(seen.line.bytesOut).toBeGreaterThan(3 * 92);
      expect(seen.backPressure).toMatchObject({ tapDropped: 0, qdisc: { dropped: 0 } });
      expect(['native', 'gate']).toContain(seen.backPressure.mode);
      expect(seen.backPressure.grants).toBeGreaterThan(0);
      expect(Object.keys(seen.backPressure.qdisc)).toEqual(
        expect.arrayContaining(['kind', 'backlogPackets', 'backlogBytes', 'dropped']),
      );
      expect(Object.keys(seen.mac)).toEqual(
        expect.arrayContaining([
          ...['state', 'busyRatio', 'txRatio', 'attempts', 'acked', 'unacked', 'backoffs', 'contentionWindow'],
          ...['airtimeUs', 'delayMs'],
        ]),
      );
      expect(Object.keys(seen.mac.delayMs)).toEqual(expect.arrayContaining(['p50', 'p99']));
      expect(seen.mac.acked).toBeGreaterThanOrEqual(1);
      expect(seen.neighbours).toMatchObject([{ station: 2 }]);
      expect(Object.keys(seen.neighbours[0])).toEqual(expect.arrayContaining(['lastHeardMs', 'lossRatio']));
      expect(typeof seen.drops).toBe('object');

      await sendDatagrams(first, 2, 2, 2);
      await arrivals(second, 2, 2);
      const since = await sluice(['status', '--control', first.control, '--since', seen.token]);
      const { changed, ...dump } = JSON.parse(since.stdout);
      expect(dump).toMatchObject({ since: seen.token, token: expect.not.stringMatching(seen.token) });
      expect(changed).toMatchObject({ mac: { attempts: expect.any(Number) } });
      expect(changed).not.toHaveProperty('profile');
      expect(changed.line).not.toHaveProperty('path');
      expect(since.stdout.length).toBeLessThan(stdout.length / 2);

      const watched = await inside(
        first,
        'timeout',
        ...['-s', 'INT', '4', process.execPath, MAIN, 'status', '--control', first.control, '--watch', '1'],
      );
      const lines = watched.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines.length).toBeGreaterThan(1);
      expect(lines[0]).toMatchObject({ interface: 'sluice0', token: expect.any(String) });
      for (const [index, line] of lines.slice(1).entries()) expect(line.since).toBe(lines[index].token);

      const table = await sluice(['status', '--control', first.control]);
      expect(table.stdout).toContain('station 1');

      const scrape = await inside(
        first,
        process.execPath,
        ...[
          '-e',
          'fetch("http://127.0.0.1:9464/metrics").then((answer) => answer.text()).then((text) => console.log(text))',
        ],
      );
      expect(scrape.stdout).toMatch(/^sluice_attempts_total\{interface="sluice0"\} [1-9]/m);
      expect(scrape.stdout).toMatch(/^sluice_line_up\{interface="sluice0"\} 1$/m);
      expect(scrape.stdout).toMatch(/^sluice_tap_dropped_packets_total\{interface="sluice0"\} 0$/m);
    });
  });

  it('says with exit code 4 that nobody is there', async () => {
    const { status, stderr } = await sluice(['status', '--control', '/tmp/no-such.sock']);
    expect(stderr).toContain('/tmp/no-such.sock');
    expect(status).toBe(4);
  });
});

describe('sluice profiles', () => {
  it('lists them as JSON', async () => {
    const { status, stdout } = await sluice(['profiles', '--json']);
    expect(status).toBe(0);
    const list: Record<string, unknown>[] = JSON.parse(stdout);
    const ids = list.map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining(['null-modem', 'radio-9600', 'kiss-1200', 'kiss-9600', 'acoustic-1k', 'acoustic-80']),
    );
    for (const profile of list) {
      expect(Object.keys(profile)).toEqual(
        expect.arrayContaining(['id', 'title', 'class', 'driver', 'rateBps', 'source']),
      );
    }
  });

  it('lists them for a reader, with class, driver and rate', async () => {
    const { status, stdout } = await sluice(['profiles', 'list']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^│ id +│ class +│ driver +│ bit\/s +│ title/m);
    expect(stdout).toMatch(/^│ hc12-fu3-9600 +│ radio +│ hc12 +│ 15000 /m);
    expect((await sluice(['profiles'])).stdout).toBe(stdout);
  });

  it('shows one in a form that it accepts as valid', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    try {
      const shown = await sluice(['profiles', 'show', 'kiss-1200']);
      expect(shown.status).toBe(0);
      const file = join(folder, 'kiss-1200.yaml');
      writeFileSync(file, shown.stdout);
      const valid = await sluice(['profiles', 'validate', file]);
      expect(valid).toMatchObject({ status: 0, stderr: '' });
      writeFileSync(file, shown.stdout.replace('rateBps:', 'rate:'));
      const invalid = await sluice(['profiles', 'validate', file]);
      expect(invalid.stderr).toContain('air.rate');
      expect(invalid.status).toBe(2);
      writeFileSync(file, shown.stdout.replace(/mtuBytes: \d+/, 'mtuBytes: 12'));
      const outOfRange = await sluice(['profiles', 'validate', file]);
      expect(outOfRange.stderr).toContain(
        'link.mtuBytes: 12 is not allowed; expected an integer from 68 to 65500 (octets)',
      );
      expect(outOfRange.status).toBe(2);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('sluice check', () => {
  it('tries out what this machine can do', async () => {
    await withNeighbourhood(async (place) => {
      const station = await place.open();
      const { status, stdout, stderr } = await sluiceInside(station, 'check', '--json');
      expect(stderr).toBe('');
      expect(status).toBe(0);
      const check = JSON.parse(stdout);
      expect(check.findings.map(({ what }: { what: string }) => what)).toEqual(
        expect.arrayContaining(['TAP devices', 'netlink', 'packet sockets', 'back pressure', 'serial ports']),
      );
      expect(['native', 'gate']).toContain(check.backPressure.mode);
      expect(check.backPressure.probe.gate).toMatchObject({ works: true, tapDropped: 0, qdiscDropped: 0 });
      expect(check.qdiscs).toHaveProperty('pfifo_fast', null);
    });
  });

  it('names what is missing and ends with exit code 3', async () => {
    await withNeighbourhood(async (place) => {
      const station = await place.open();
      const { status, stdout } = await inside(
        station,
        'setpriv',
        ...['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all', process.execPath, MAIN, 'check', '--json'],
      );
      const failed = JSON.parse(stdout).findings.filter(({ ok }: { ok: boolean }) => !ok);
      expect(JSON.stringify(failed)).toContain('CAP_NET_ADMIN');
      expect(JSON.stringify(failed)).toContain('CAP_NET_RAW');
      for (const { remedy } of failed) expect(remedy).toBeTruthy();
      expect(status).toBe(3);
    });
  });
});

describe('sluice sim', () => {
  it('links a port for each station, and sums up at its end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    try {
      const file = join(folder, 'medium.yaml');
      writeFileSync(file, 'rateBps: 9600\nstations: [{ id: 1 }, { id: 7 }]\n');
      const child = spawn(process.execPath, [MAIN, 'sim', file, '--dir', folder, '--seed', '5']);
      let stdout = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      try {
        await eventually(
          async () => stdout,
          (text) => text.includes('\n'),
          'the ready line',
        );
        const ready = JSON.parse(stdout);
        expect(ready).toMatchObject({ event: 'ready', seed: 5 });
        for (const id of [1, 7]) expect(statSync(join(folder, `station-${id}`)).isCharacterDevice()).toBe(true);
      } finally {
        child.kill('SIGTERM');
      }
      expect(await ended).toBe(0);
      const summary = JSON.parse(stdout.trim().split('\n')[1] ?? '');
      expect(summary.stations.map(({ id }: { id: number }) => id)).toEqual([1, 7]);
      for (const station of summary.stations) {
        expect(station).toMatchObject({ airtimeUs: 0, frames: 0, collisions: 0, deliveries: 0 });
      }
      expect(readdirSync(folder)).toEqual(['medium.yaml']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('says what is wrong with a medium, in exit code 2', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    const file = join(folder, 'medium.yaml');
    writeFileSync(file, 'rate: 9600\nstations: [{ id: 1 }]\n');
    const { status, stderr } = await sluice(['sim', file, '--dir', folder]);
    rmSync(folder, { recursive: true, force: true });
    expect(stderr).toContain('rateBps');
    expect(status).toBe(2);
  });

  it('leaves a file that is in the way as it is, and says so in exit code 2', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    const medium = join(folder, 'medium.yaml');
    const taken = join(folder, 'station-7');
    writeFileSync(medium, 'rateBps: 9600\nstations: [{ id: 1 }, { id: 7 }]\n');
    writeFileSync(taken, "somebody's");
    const { status, stderr } = await sluice(['sim', medium, '--dir', folder]);
    const [kept, names] = [readFileSync(taken, 'utf8'), readdirSync(folder)];
    rmSync(folder, { recursive: true, force: true });
    expect(kept).toBe("somebody's");
    expect(names.sort()).toEqual(['medium.yaml', 'station-7']);
    expect(stderr).toContain('--dir');
    expect(status).toBe(2);
  });
});

describe('sluice demo', () => {
  it('shows stations that talk, as JSON', async () => {
    const { status, stdout, stderr } = await sluice(['demo', '--json', '--seconds', '5', '--stations', '2'], 110_000);
    expect(stderr).toContain('station 2');
    expect(status).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ rateBps: 9600, seconds: 5, total: { dropped: 0 } });
    expect(result.stations).toHaveLength(2);
    for (const station of result.stations) {
      expect(station.attempts).toBeGreaterThan(0);
      expect(station).toMatchObject({ tapDropped: 0, qdiscDropped: 0 });
      expect(station.heldRatio).toBeGreaterThan(0.5);
    }
    expect(result.total.goodputBps).toBeGreaterThan(0);
    expect(result.ping.idle.medianMs).toBeGreaterThan(0);
  });

  it('without the privilege ends in exit code 3 and names it', async () => {
    await withNeighbourhood(async (place) => {
      const station = await place.open();
      const drop = ['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all'];
      const { status, stderr } = await inside(station, 'setpriv', ...drop, process.execPath, MAIN, 'demo', '--json');
      expect(stderr).toContain('CAP_SYS_ADMIN');
      expect(status).toBe(3);
    });
  });

  it.each([
    ['interrupted', 'SIGINT', { status: 130, signal: null }],
    ['killed', 'SIGKILL', { status: null, signal: 'SIGKILL' }],
  ] as const)('%s, it leaves no process and no folder behind', async (_how, signal, expected) => {
    const temporary = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    try {
      const child = spawn(process.execPath, [MAIN, 'demo', '--stations', '2'], {
        env: { ...process.env, TMPDIR: temporary },
      });
      let stdout = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      const ended = new Promise((resolve) => child.once('close', (status, by) => resolve({ status, signal: by })));
      await eventually(
        async () => stdout,
        (text) => text.includes('as fast as it is allowed'),
        'the traffic',
      );
      expect(processesWith(temporary).length).toBeGreaterThan(3);
      child.kill(signal);
      expect(await ended).toEqual(expected);
      await eventually(
        async () => processesWith(temporary),
        (found) => found.length === 0,
        'the end of all its processes',
      );
      expect(readdirSync(temporary)).toEqual([]);
    } finally {
      if (existsSync(temporary)) rmSync(temporary, { recursive: true, force: true });
    }
  });
});
