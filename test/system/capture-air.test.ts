/** `sluice capture` on a running bridge: 10,000 frames of every type, live into tshark, a reader that stands still. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DaemonStatus } from '../../src/daemon/status.js';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { encodeLinkFrame, type LinkFrame } from '../../src/wire/link-frame.js';
import { commentOf, optionNumber, packetsOf, readPcapng } from '../unit/observe/pcapng-reader.js';
import { knownFrames } from './air-frames.js';
import { Daemon, MAIN, Modem, Sender } from './daemon-support.js';
import { nextTurns, until } from './native-support.js';
import { dissect, fieldArguments } from './tshark.js';

const FRAMES = 10_000;
/** Sent at a time: fewer than may wait for a reader. */
const PORTION = 500;
const IDENTIFICATION: Omit<LinkFrame, 'body'> = {
  ...{ type: 'identification', destination: 255, source: 2, sequence: 0, behind: 0, more: false, retry: false },
};

let modem: Modem;
let daemon: Daemon;
/** The log of frames at debug level reads a capture of its own. */
const startDaemon = () => Daemon.start({ modem, name: 'air0', arguments: ['--log-level', 'info'] });
const folder = mkdtempSync(join(tmpdir(), 'sluice-'));

beforeAll(async () => {
  unshareNetwork();
  modem = new Modem();
  daemon = await startDaemon();
});
afterAll(async () => {
  await daemon.kill();
  modem.close();
  rmSync(folder, { recursive: true, force: true });
});

async function captureStatus(): Promise<DaemonStatus['capture']> {
  return ((await daemon.status()) as DaemonStatus).capture;
}

async function untilCapture(condition: (capture: DaemonStatus['capture']) => boolean, what: string): Promise<void> {
  const untilMs = Date.now() + 30_000;
  for (;;) {
    const now = await captureStatus();
    if (condition(now)) return;
    if (Date.now() > untilMs) throw new Error(`not seen: ${what}; ${JSON.stringify(now)}`);
    await nextTurns(20);
  }
}

interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout: string;
  stderr: string;
}

function start(program: string, args: readonly string[]): Child {
  const process = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => process.once('close', resolve));
  const child: Child = { process, ended, stdout: '', stderr: '' };
  process.stdout?.setEncoding('utf8').on('data', (text: string) => {
    child.stdout += text;
  });
  process.stderr?.setEncoding('utf8').on('data', (text: string) => {
    child.stderr += text;
  });
  return child;
}

/** Settles once the bridge has it among its readers. */
async function capture(...args: string[]): Promise<Child> {
  const before = (await captureStatus()).readers;
  const child = start(process.execPath, [MAIN, 'capture', '--control', daemon.control, ...args]);
  await untilCapture(({ readers }) => readers > before, 'a reader');
  return child;
}

describe('sluice capture', () => {
  it('writes 10,000 frames of every type, which tshark decodes without a mark', async () => {
    const file = join(folder, 'every-type.pcapng');
    const child = await capture('-w', file);
    const before = await captureStatus();
    const known = knownFrames(FRAMES, 1);
    for (let at = 0; at < FRAMES; at += PORTION) {
      await modem.sendAll(known.slice(at, at + PORTION).map(({ frame }) => frame));
      await untilCapture(({ frames }) => frames - before.frames >= at + PORTION, `${at + PORTION} frames`);
    }
    child.process.kill('SIGINT');
    expect(await child.ended).toBe(0);
    expect(child.stderr).toMatch(/^\d+ frames, 0 not captured\n$/);

    const found = dissect(file, ['frame.len', 'frame.packet_flags_direction', 'frame.comment', 'sluice.fcs.good']);
    expect(found.filter(({ marks }) => marks.length > 0)).toEqual([]);
    const heard = found.filter(({ fields }) => fields['frame.packet_flags_direction'] === '0x00000001');
    const told = heard.map(
      ({ protocols, fields }) => `${protocols} ${fields['frame.len']} ${fields['sluice.fcs.good']}`,
    );
    expect(told).toEqual(known.map(({ frame, inside }) => `sluice${inside} ${encodeLinkFrame(frame, 4).length} 1`));
    // What the kernel answers to the packets goes the other way, and is there as well.
    expect(found.length).toBeGreaterThan(heard.length);
    const outcomes = new Set(
      found.map(({ fields }) => /outcome=(\S+) airtime_us=\d+/.exec(fields['frame.comment'] ?? '')?.[1]),
    );
    for (const outcome of ['accepted', 'overheard', 'sent']) expect(outcomes).toContain(outcome);
  });

  it('streams into tshark while it goes on, and ends well when either goes', async () => {
    const command = `"$0" "$1" capture --control "$2" -w - | tshark -i - -l -c 1 "\${@:3}"; echo "ended \${PIPESTATUS[@]}"`;
    const fields = fieldArguments(['sluice.type', 'sluice.source', 'frame.comment']);
    const pipe = start('bash', ['-c', command, process.execPath, MAIN, daemon.control, ...fields]);
    await untilCapture(({ readers }) => readers === 1, 'a reader');
    const sender = new Sender();
    sender.send();
    await until(() => pipe.stdout !== '', 'the packet at tshark', 20_000);
    expect(pipe.stdout).toMatch(/^1\t1\toutcome=sent /);
    sender.close();
    // tshark has what it wanted. That nobody reads a pipe any more is seen at the next frame.
    await until(
      () => {
        modem.send({ ...IDENTIFICATION, body: Uint8Array.of(65) });
        return pipe.stdout.includes('ended');
      },
      'the end of both',
      20_000,
    );
    expect(await pipe.ended).toBe(0);
    expect(pipe.stdout).toContain('\nended 0 0\n');
  });

  it('is a line of text a frame without -w', async () => {
    const child = await capture();
    modem.send({ ...IDENTIFICATION, sequence: 7, body: Uint8Array.of(65) });
    modem.send({ ...IDENTIFICATION, type: 'poll', destination: 9, body: Uint8Array.of() });
    const lines =
      /^\d\d:\d\d:\d\d\.\d{6} in {2}2 > all identification 7, 9 octets, 0\.\d ms, accepted\n.* in {2}2 > 9 poll 0, .*, overheard\n/m;
    await until(() => lines.test(child.stdout), 'two lines', 20_000);
    child.process.kill('SIGINT');
    expect(await child.ended).toBe(0);
  });

  it('loses frames of a capture whose reader stands still, counts them, and loses nothing else', async () => {
    const before = await captureStatus();
    const socket = createConnection(daemon.control);
    const pieces: Buffer[] = [];
    socket.pause();
    socket.write('{"command":"capture"}\n');
    await untilCapture(({ readers }) => readers === 1, 'the reader');
    const body = new Uint8Array(1000);
    const count = 7000;
    const many = Array.from({ length: count }, (_, i) => ({ ...IDENTIFICATION, sequence: i % 32, body }));
    await modem.sendAll(many);
    await untilCapture(({ frames }) => frames - before.frames >= count, 'all frames');
    const { frames, dropped } = await captureStatus();
    expect(frames - before.frames).toBe(count);
    expect(dropped - before.dropped).toBeGreaterThan(1000);

    const ended = new Promise<void>((resolve) =>
      socket.on('data', (octets) => pieces.push(octets)).once('end', resolve),
    );
    socket.resume();
    socket.end();
    await ended;
    const blocks = readPcapng(Buffer.concat(pieces));
    const packets = packetsOf(blocks);
    expect(packets.length).toBe(count - (dropped - before.dropped));
    expect(new Set(packets.map((packet) => commentOf(packet).outcome))).toEqual(new Set(['accepted']));
    const statistics = blocks.at(-1);
    expect(statistics?.kind).toBe('statistics');
    expect(statistics?.kind === 'statistics' ? optionNumber(statistics, 5) : undefined).toBe(count - packets.length);
  });

  it('ends when the bridge ends: with all it had, or with what it has if the bridge is killed', async () => {
    const [orderly, killed] = ['orderly', 'killed'].map((name) => join(folder, `${name}.pcapng`));
    if (orderly === undefined || killed === undefined) throw new Error('no names');
    let child = await capture('-w', orderly);
    const { frames } = await captureStatus();
    modem.send({ ...IDENTIFICATION, body: Uint8Array.of(65) });
    await untilCapture((now) => now.frames > frames, 'the frame');
    await daemon.stop();
    expect(await child.ended).toBe(0);
    expect(child.stderr).toBe('1 frames, 0 not captured\n');
    expect(dissect(orderly, [])).toHaveLength(1);

    daemon = await startDaemon();
    child = await capture('-w', killed);
    modem.send({ ...IDENTIFICATION, body: Uint8Array.of(65) });
    await untilCapture((now) => now.frames > 0, 'the frame');
    await daemon.kill();
    expect(await child.ended).toBe(4);
    expect(child.stderr).toContain('the bridge went away');
    expect(dissect(killed, [])).toHaveLength(1);
  });
});
