/** Packets of an interface through the ring: nothing lost, nothing twice, in order; and what did not fit is counted. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PacketRing, PacketSocket } from '../../src/native/addon.js';
import { interfaceIndex, unshareNetwork } from '../../src/native/descriptors.js';
import { readRingBlock } from '../../src/observe/packet-blocks.js';
import { optionNumber, packetsOf, readPcapng } from '../unit/observe/pcapng-reader.js';
import { MAIN, run } from './daemon-support.js';
import { nextTurns, thrownBy, until } from './native-support.js';

/** For experiments (IEEE 802 local experimental EtherType 1). */
const ETHER_TYPE = 0x88b5;
const HEADER_BYTES = 14;
const FRAME_BYTES = 1442;
/** The aim of the unlimited-pty bench: UDP at 200 Mbit/s. */
const RATE_BPS = 200_000_000;
const COUNT = 50_000;
const LEAD_MAX_BYTES = 10 << 20;
const PATIENCE_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
let socket: PacketSocket;
let child: ChildProcess | undefined;

beforeAll(() => {
  unshareNetwork();
  run('ip', 'link', 'add', 'near0', 'type', 'veth', 'peer', 'name', 'far0');
  // Nothing but ours.
  for (const name of ['near0', 'far0']) {
    run('sysctl', '-qw', `net.ipv6.conf.${name}.disable_ipv6=1`);
    run('ip', 'link', 'set', name, 'up');
  }
  socket = new PacketSocket(interfaceIndex('near0'));
});
afterAll(() => {
  child?.kill('SIGKILL');
  socket.close();
  rmSync(folder, { recursive: true, force: true });
});

const frame = new Uint8Array(FRAME_BYTES).fill(0xff, 0, 6);
frame.set([2, 0, 0, 0, 0, 1, ETHER_TYPE >> 8, ETHER_TYPE & 0xff], 6);
const view = new DataView(frame.buffer);

/** False when the kernel had no room for it. */
function send(number: number, bytes = FRAME_BYTES): boolean {
  view.setUint32(HEADER_BYTES, number);
  return socket.send(frame.subarray(0, bytes)) === bytes;
}

function numberOf(octets: Uint8Array): number {
  return new DataView(octets.buffer, octets.byteOffset).getUint32(HEADER_BYTES);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

it('captures every packet once and in order, at the rate of the unlimited pty', async () => {
  const path = join(folder, 'interface.pcapng');
  child = spawn(process.execPath, [MAIN, 'capture', 'near0', '--interface-side', '-w', path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise((resolve) => child?.once('close', resolve));
  await until(() => hasHeader(path), 'the capture', 20_000);
  const startMs = performance.now();
  // What was lost on the way would be waited for in vain, and is told below.
  const untilMs = startMs + PATIENCE_MS;
  for (let sent = 0; sent < COUNT && performance.now() < untilMs; ) {
    const due = Math.min(COUNT, Math.ceil(((performance.now() - startMs) * RATE_BPS) / 8000 / FRAME_BYTES));
    // Little at a time after a stall of our own, and no more in flight than the ring holds in a stall of the child.
    const lead = sent * FRAME_BYTES - statSync(path).size;
    const wanted = lead > LEAD_MAX_BYTES ? sent : Math.min(due, sent + 100);
    while (sent < wanted && send(sent)) sent++;
    await nextTurns(0);
  }
  const seconds = (performance.now() - startMs) / 1000;
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(stderr).toBe(`${COUNT} frames, 0 not captured\n`);

  const blocks = readPcapng(readFileSync(path));
  const packets = packetsOf(blocks);
  expect(packets.map(({ octets }) => numberOf(octets))).toEqual(upTo(COUNT));
  expect(
    packets.every(({ octets, originalBytes }) => octets.length === FRAME_BYTES && originalBytes === FRAME_BYTES),
  ).toBe(true);
  expect(packets.every((packet) => ((optionNumber(packet, 2) ?? 0) & 3) === 2)).toBe(true);
  expect(packets.every(({ at }, i) => i === 0 || at >= (packets[i - 1]?.at ?? at))).toBe(true);
  expect((COUNT * FRAME_BYTES * 8) / seconds).toBeGreaterThan(RATE_BPS / 2);
});

function hasHeader(path: string): boolean {
  try {
    return readFileSync(path).length > 28;
  } catch {
    return false;
  }
}

it('counts what found no room, and goes on behind the gap', () => {
  const size = { blockBytes: 1 << 16, blocks: 4, retireMs: 10 };
  const ring = new PacketRing(interfaceIndex('far0'), size);
  const buffer = new Uint8Array(size.blockBytes);
  const found: number[] = [];
  const blocks: bigint[] = [];
  const drain = (): void => {
    for (let bytes = ring.read(buffer); bytes >= 0; bytes = ring.read(buffer)) {
      const block = readRingBlock(buffer.subarray(0, bytes), true);
      blocks.push(block.number);
      for (const { octets, kind } of block.packets) {
        expect(kind).toBe('broadcast');
        found.push(numberOf(octets));
      }
    }
  };
  const wait = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  let sent = 0;
  for (let round = 0; round < 20; round++) {
    // About three times what the ring holds, from the smallest packets to the longest.
    for (let i = 0; i < 1000; i++, sent++) expect(send(sent, 60 + ((sent * 37) % (FRAME_BYTES - 60)))).toBe(true);
    wait(50);
    drain();
  }
  wait(50);
  drain();
  const { packets, dropped } = ring.statistics();
  ring.close();
  expect(packets).toBe(sent);
  expect(dropped).toBeGreaterThan(sent / 4);
  expect(found.length).toBe(sent - dropped);
  expect(found.every((number, i) => i === 0 || number > (found[i - 1] ?? number))).toBe(true);
  expect(blocks.every((number, i) => i === 0 || number === (blocks[i - 1] ?? 0n) + 1n)).toBe(true);
  // The first of a ring's worth is always there.
  expect(found[0]).toBe(0);
});

it('puts VLAN tags back, ends with its interface, and names what is missing', async () => {
  const path = join(folder, 'gone.pcapng');
  child = spawn(process.execPath, [MAIN, 'capture', 'far0', '--interface-side', '-w', path], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child?.once('close', resolve));
  await until(() => hasHeader(path), 'the capture', 20_000);
  // The kernel takes the tag out where the frame arrives.
  const tagged = frame.slice(0, 64);
  const tag = [0x81, 0x00, 0x20, 0x07, ETHER_TYPE >> 8, ETHER_TYPE & 0xff];
  tagged.set(tag, 12);
  expect(socket.send(tagged)).toBe(64);
  await until(() => packetsOf(readPcapng(readFileSync(path))).length === 1, 'the packet', 20_000);
  run('ip', 'link', 'del', 'near0');
  expect(await ended).toBe(0);
  const [packet] = packetsOf(readPcapng(readFileSync(path)));
  expect([...(packet?.octets ?? [])]).toEqual([...tagged]);
  expect(packet?.originalBytes).toBe(64);
  expect(thrownBy(() => new PacketRing(4711, { blockBytes: 4096, blocks: 1, retireMs: 10 })).message).toContain('4711');
});
