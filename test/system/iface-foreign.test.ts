/** TAPs that somebody else made, users without privileges, and an interface that goes to another network namespace. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NetlinkSocket, TapDevice, UdpSocket } from '../../src/native/addon.js';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { TUN_FLAGS } from '../../src/native/tun-flags.js';
import { RouteNetlink } from '../../src/netlink/route-netlink.js';
import { Daemon, type DaemonOptions, Modem, run, Sender } from './daemon-support.js';
import { nextTurns, until, WITHOUT_CAPABILITIES } from './native-support.js';

const NAME = 'found0';
const { IFF_TAP, IFF_TUN, IFF_NO_PI, IFF_MULTI_QUEUE } = TUN_FLAGS;
/** May open /dev/net/tun on every machine; without any capability, the device's owner is all that counts. */
const USER = 0;

let modem: Modem;
let sender: Sender | undefined;
const cleanUp: (() => void | Promise<void>)[] = [];

beforeAll(() => unshareNetwork());
beforeEach(() => {
  modem = new Modem();
  chmodSync(modem.path, 0o666);
});
afterEach(async () => {
  sender?.close();
  sender = undefined;
  for (const step of cleanUp.reverse()) await step();
  cleanUp.length = 0;
  modem.close();
});

/** Persistent, and gone after the test. */
function makeDevice(flags: number, prepare: (device: TapDevice) => void = () => undefined): void {
  const device = new TapDevice('/dev/net/tun', NAME, flags);
  device.setPersist(true);
  prepare(device);
  device.close();
  cleanUp.push(() => void run('ip', 'link', 'del', 'dev', NAME));
}

function launch(options: Partial<DaemonOptions> = {}): Daemon {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  chmodSync(folder, 0o777);
  const daemon = new Daemon({ modem, name: NAME, control: join(folder, 'control.sock'), ...options });
  cleanUp.push(async () => {
    await daemon.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  return daemon;
}

async function start(options: Partial<DaemonOptions> = {}): Promise<Daemon> {
  const daemon = launch(options);
  await daemon.ready();
  return daemon;
}

async function carriesTraffic(count = 5): Promise<void> {
  const before = modem.numbers().length;
  sender ??= new Sender();
  sender.sendMany(count);
  await until(() => modem.numbers().length >= before + count, 'packets');
}

describe('a device that somebody else made', () => {
  it.each([
    ['persistent', IFF_TAP | IFF_NO_PI],
    ['persistent, with several queues', IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE],
    ['persistent, made for packet information', IFF_TAP],
  ])('%s: is used, and left as found', async (_what, flags) => {
    makeDevice(flags);
    const netlink = new RouteNetlink(new NetlinkSocket(0));
    const { mac, mtuBytes, txQueueLength, up } = netlink.linkByName(NAME);
    const daemon = await start({ settings: ['link.mtuBytes=700'] });
    await carriesTraffic();
    expect((await daemon.status()).backPressure.mode).not.toBe('none');
    expect(netlink.linkByName(NAME).mtuBytes).toBe(700);
    expect(await daemon.stop()).toBe(0);
    expect(netlink.linkByName(NAME)).toMatchObject({ mac, mtuBytes, txQueueLength, up });
    expect(run('tc', 'qdisc', 'show', 'dev', NAME)).not.toContain('tbf');
  });

  it('of which another process reads a queue: is refused, because packets would be shared out', async () => {
    const flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
    const reader = new TapDevice('/dev/net/tun', NAME, flags);
    cleanUp.push(() => reader.close());
    const daemon = launch();
    expect(await daemon.exit()).toBe(3);
    expect(daemon.stderr).toContain('another process reads');
  });

  it('that is no TAP: is refused by name', async () => {
    makeDevice(IFF_TUN | IFF_NO_PI);
    const daemon = launch();
    expect(await daemon.exit()).toBe(2);
    expect(daemon.stderr).toMatch(/interface\.name "found0" is taken by a TUN device/);
  });
});

describe('a user without privileges', () => {
  const readied = (device: TapDevice): void => {
    device.setOwner(USER);
    run('ip', 'link', 'set', 'dev', NAME, 'mtu', '1500', 'address', '02:00:00:00:00:77');
    run('ip', 'address', 'add', '10.77.0.1/24', 'dev', NAME);
    run('ip', 'link', 'set', 'dev', NAME, 'up');
  };

  it('runs on a device that root has made ready, without back pressure, and says so', async () => {
    makeDevice(IFF_TAP | IFF_NO_PI, readied);
    const daemon = await start({ prefix: WITHOUT_CAPABILITIES });
    expect(daemon.log.find('back-pressure', { mode: 'none' })?.level).toBeGreaterThanOrEqual(30);
    expect(daemon.log.find('privilege')?.missing).toBe('ip link set dev found0 address 02:73:6c:00:00:01');
    expect((await daemon.status()).backPressure).toMatchObject({ mode: 'none' });
    await carriesTraffic();
    // Frames bear the station's number, whatever the TAP's address is.
    expect(modem.frames.find((frame) => frame.type === 'ip')).toMatchObject({ source: 1, destination: 2 });
    // And what comes for the station reaches the IP stack, which takes only what is for the TAP's address.
    const receiver = new UdpSocket({ address: '10.77.0.1', port: 9999 });
    modem.send({
      ...{ type: 'ip', destination: 1, source: 2, sequence: 1, behind: 0, more: false, retry: false },
      body: udp([10, 77, 0, 2], [10, 77, 0, 1], 9999, Uint8Array.of(1, 2, 3)),
    });
    const buffer = new Uint8Array(100);
    await until(() => receiver.receive(buffer) === 3, 'a packet for the TAP');
    receiver.close();
    expect(await daemon.stop()).toBe(0);
  });

  it('is told what root must do once, where it is not ready', async () => {
    makeDevice(IFF_TAP | IFF_NO_PI, (device) => device.setOwner(USER));
    const daemon = launch({ prefix: WITHOUT_CAPABILITIES, settings: ['link.mtuBytes=576'] });
    expect(await daemon.exit()).toBe(3);
    for (const command of [
      'ip link set dev found0 mtu 576',
      'ip link set dev found0 address 02:73:6c:00:00:01',
      'ip address add 10.77.0.1/24 dev found0',
      'ip link set dev found0 up',
    ]) {
      expect(daemon.stderr).toContain(command);
    }
  });

  it('is told that it may not make one', async () => {
    const daemon = launch({ prefix: WITHOUT_CAPABILITIES });
    expect(await daemon.exit()).toBe(3);
    expect(daemon.stderr).toContain('CAP_NET_ADMIN');
  });
});

describe('an interface that is moved to another network namespace', () => {
  /** A process that keeps a namespace of its own; `ip` reaches it by number. */
  async function otherNamespace(): Promise<string> {
    const keeper = spawn('unshare', ['--net', 'sleep', '120'], { stdio: 'ignore' });
    cleanUp.push(() => void keeper.kill());
    const own = run('readlink', '/proc/self/ns/net');
    const its = () => run('readlink', `/proc/${keeper.pid}/ns/net`);
    await until(() => its() !== own, 'a namespace');
    return String(keeper.pid);
  }

  const inside = (pid: string, ...command: string[]) => run('nsenter', '-t', pid, '-n', ...command);

  it('is followed there, back pressure and all', async () => {
    const daemon = await start({ settings: ['line.baudRate=9600', 'backPressure.mode=gate'] });
    const pid = await otherNamespace();
    run('ip', 'link', 'set', 'dev', NAME, 'netns', pid);
    await daemon.log.wait('interface', { change: 'moved' });
    expect(inside(pid, 'tc', 'qdisc', 'show', 'dev', NAME)).toContain('tbf');
    inside(pid, 'ip', 'address', 'add', '10.77.0.1/24', 'dev', NAME);
    inside(pid, 'ip', 'link', 'set', 'dev', NAME, 'up');
    await daemon.log.wait('interface', { change: 'up' });
    expect(inside(pid, 'ip', 'neigh', 'show', 'dev', NAME)).toContain('10.77.0.2 lladdr');
    const program = `
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      s.setblocking(False)
      sent = 0
      try:
          while sent < 3000:
              s.sendto(sent.to_bytes(4, 'big') + bytes(60), ('10.77.0.2', 7777))
              sent += 1
      except BlockingIOError:
          pass
      print(sent)`.replaceAll('\n      ', '\n');
    const sent = Number(inside(pid, 'python3', '-c', program));
    expect(sent).toBeLessThan(3000);
    await until(() => modem.numbers().length >= 3, 'packets');
    expect(modem.numbers().slice(0, 3)).toEqual([0, 1, 2]);
    expect((await daemon.status()).backPressure).toMatchObject({ mode: 'gate', tapDropped: 0 });
  });

  it('says so where it may not follow, and goes on without back pressure', async () => {
    // May do anything with networks, and nothing else: not enter a namespace.
    const prefix = ['setpriv', '--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-sys_admin'];
    const daemon = await start({ prefix, settings: ['backPressure.mode=gate'] });
    const pid = await otherNamespace();
    run('ip', 'link', 'set', 'dev', NAME, 'netns', pid);
    const line = await daemon.log.wait('back-pressure', { mode: 'none' });
    expect(line.level).toBe(50);
    expect(line.cause).toContain('moved to another network namespace');
    expect((await daemon.status()).backPressure.mode).toBe('none');
    await nextTurns(1200);
    expect(await daemon.stop()).toBe(0);
  });
});

/** An IPv4 packet with a UDP datagram; the UDP checksum is left out, as IPv4 allows (RFC 768). */
function udp(source: number[], destination: number[], port: number, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(28 + payload.length);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, packet.length);
  view.setUint8(8, 64);
  view.setUint8(9, 17);
  packet.set(source, 12);
  packet.set(destination, 16);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += view.getUint16(i);
  view.setUint16(10, 0xffff - ((sum & 0xffff) + (sum >>> 16)));
  view.setUint16(20, port);
  view.setUint16(22, port);
  view.setUint16(24, 8 + payload.length);
  packet.set(payload, 28);
  return packet;
}
