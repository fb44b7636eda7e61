/**
 * Restart without losing a packet: what waits in the queue waits for the next daemon, where somebody keeps the device
 * meanwhile; and where nobody does, the log says what was lost. Packets are numbered and counted at the modem.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TapDevice } from '../../src/native/addon.js';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { TUN_FLAGS } from '../../src/native/tun-flags.js';
import { Daemon, Modem, run, Sender } from './daemon-support.js';
import { ManagedDaemon } from './managed-daemon.js';
import { until } from './native-support.js';

const NAME = 'keep0';
/** 100 octets take 9 ms: slow enough for a queue to stand, fast enough for a test. */
const SLOW = ['line.baudRate=115200', 'backPressure.mode=gate'];

let modem: Modem;
let sender: Sender | undefined;
const cleanUp: (() => void | Promise<void>)[] = [];

beforeAll(() => unshareNetwork());
beforeEach(() => {
  modem = new Modem();
});
afterEach(async () => {
  sender?.close();
  sender = undefined;
  for (const step of cleanUp.reverse()) await step();
  cleanUp.length = 0;
  modem.close();
});

async function start(settings: readonly string[] = []): Promise<Daemon> {
  const daemon = new Daemon({ modem, name: NAME, settings: [...SLOW, ...settings] });
  cleanUp.push(() => daemon.kill());
  await daemon.ready();
  return daemon;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** A device that somebody else made, with a queue of it detached, as systemd-networkd holds it with KeepCarrier=yes. */
function holdDevice(): TapDevice {
  const { IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE } = TUN_FLAGS;
  const holder = new TapDevice('/dev/net/tun', NAME, IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
  holder.detachQueue();
  cleanUp.push(() => holder.close());
  return holder;
}

function manage(settings: readonly string[] = []): ManagedDaemon {
  const managed = new ManagedDaemon({ modem, name: NAME, settings: [...SLOW, ...settings] });
  cleanUp.push(() => managed.end());
  return managed;
}

describe('under a service manager that stores the queue', () => {
  it('tells it when it is ready, that it lives, and when it stops', async () => {
    const managed = manage();
    await managed.ready(1);
    await until(() => managed.log.lines.some((line) => line.text === 'WATCHDOG=1'), 'a sign of life');
    managed.tell('term');
    await managed.exited(1);
    const texts = managed.log.lines.filter((line) => line.event === 'manager-notify').map((line) => String(line.text));
    expect(texts[0]).toBe('FDSTORE=1\nFDNAME=tap');
    expect(texts[1]).toMatch(/^READY=1\nSTATUS=/);
    expect(texts.at(-1)).toBe('STOPPING=1');
  });

  it('SIGTERM under load, packets while it is away, start: all arrive once, in order', async () => {
    // So that on a busy machine, too, more than a few still wait when it stops.
    const managed = manage(['line.baudRate=57600']);
    await managed.ready(1);
    sender = new Sender();
    sender.sendMany(60);
    await until(() => modem.numbers().length >= 20, '20 packets');
    managed.tell('term');
    await managed.exited(1);
    expect(modem.numbers().length).toBeLessThan(60);
    sender.sendMany(10);
    managed.tell('start');
    await managed.ready(2);
    await until(() => modem.numbers().length >= 70, 'the rest');
    expect(modem.numbers()).toEqual(upTo(70));
    expect(managed.log.find('queue-adopted', { adopted: true })?.backlogPackets).toBeGreaterThan(20);
    expect(managed.log.find('stopped')).toMatchObject({ queue: { lost: 0 } });
    expect(managed.log.find('queue-lost')).toBeUndefined();
  });

  it('SIGTERM while idle: what is sent meanwhile arrives', async () => {
    const managed = manage();
    await managed.ready(1);
    managed.tell('term');
    await managed.exited(1);
    sender = new Sender();
    sender.sendMany(30);
    managed.tell('start');
    await managed.ready(2);
    await until(() => modem.numbers().length >= 30, 'all packets');
    expect(modem.numbers()).toEqual(upTo(30));
  });

  it('SIGKILL under load: nothing but the packet in hand is lost, and nothing twice', async () => {
    const managed = manage();
    await managed.ready(1);
    sender = new Sender();
    let times = 1;
    for (const target of [15, 45, 75]) {
      sender.sendMany(40);
      await until(() => modem.numbers().length >= target, `${target} packets`);
      managed.tell('kill');
      await managed.exited(times);
      times++;
      managed.tell('start');
      await managed.ready(times);
    }
    await until(() => modem.numbers().at(-1) === 119, 'the last packet');
    const numbers = modem.numbers();
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    // One for each of the three kills, at most.
    expect(numbers.length).toBeGreaterThanOrEqual(117);
  });

  it('makes a new one when the device of the stored queue is gone', async () => {
    const managed = manage();
    await managed.ready(1);
    managed.tell('term');
    await managed.exited(1);
    run('ip', 'link', 'del', 'dev', NAME);
    managed.tell('start');
    await managed.ready(2);
    expect(managed.log.find('queue-adopted', { adopted: false })).toBeDefined();
    sender = new Sender();
    sender.sendMany(3);
    await until(() => modem.numbers().length === 3, 'packets');
  });
});

describe('on a device whose carrier somebody holds', () => {
  it('keeps what waits when it is told to: 70 of 70', async () => {
    holdDevice();
    const first = await start(['interface.keepGate=yes']);
    sender = new Sender();
    sender.sendMany(60);
    await until(() => modem.numbers().length >= 20, '20 packets');
    expect(await first.stop()).toBe(0);
    const waiting = 60 - modem.numbers().length;
    const { queue } = first.log.find('stopped') as unknown as { queue: { kept: number; lost: number } };
    expect(queue.lost).toBe(0);
    // A kick or a packet of IPv6's own may wait among them.
    expect(queue.kept - waiting).toBeGreaterThanOrEqual(0);
    expect(queue.kept - waiting).toBeLessThan(4);
    sender.sendMany(10);
    await start(['interface.keepGate=yes']);
    await until(() => modem.numbers().length >= 70, 'the rest');
    expect(modem.numbers()).toEqual(upTo(70));
  });

  it('stopped while idle, its gate lets nothing into the ring that is gone', async () => {
    holdDevice();
    const first = await start(['interface.keepGate=yes']);
    expect(await first.stop()).toBe(0);
    sender = new Sender();
    sender.sendMany(30);
    await start(['interface.keepGate=yes']);
    await until(() => modem.numbers().length >= 30, 'all packets');
    expect(modem.numbers()).toEqual(upTo(30));
  });

  it('killed under load: nothing but what was past the gate is lost, which is one frame of this length', async () => {
    holdDevice();
    const settings = ['interface.keepGate=yes', 'line.baudRate=460800'];
    const first = await start(settings);
    sender = new Sender(1_000_000);
    sender.sendMany(60, 1000);
    await until(() => modem.numbers().length >= 20, '20 packets');
    await first.kill();
    sender.sendMany(10, 1000);
    await start(settings);
    await until(() => modem.numbers().at(-1) === 69, 'the last packet');
    const numbers = modem.numbers();
    expect(numbers.length).toBeGreaterThanOrEqual(69);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('takes everything off it otherwise, and says what was lost', async () => {
    holdDevice();
    const daemon = await start();
    sender = new Sender();
    sender.sendMany(60);
    await until(() => modem.numbers().length >= 20, '20 packets');
    expect(await daemon.stop()).toBe(0);
    const lost = 60 - modem.numbers().length;
    expect(Number(daemon.log.find('queue-lost')?.packets) - lost).toBeGreaterThanOrEqual(0);
    expect(Number(daemon.log.find('queue-lost')?.packets) - lost).toBeLessThan(4);
    // The kernel's own disciplines have no number.
    expect(run('tc', 'qdisc', 'show', 'dev', NAME)).not.toMatch(/tbf|qdisc \S+ [1-9a-f]/);
  });
});

describe('without anybody', () => {
  it('loses what waits, and says how much', async () => {
    const first = await start();
    sender = new Sender();
    sender.sendMany(60);
    await until(() => modem.numbers().length >= 20, '20 packets');
    expect(await first.stop()).toBe(0);
    const lost = 60 - modem.numbers().length;
    expect(lost).toBeGreaterThan(20);
    const said = Number(first.log.find('queue-lost')?.packets);
    expect(said - lost).toBeGreaterThanOrEqual(0);
    expect(said - lost).toBeLessThan(4);
    expect(first.log.find('stopped')).toMatchObject({ queue: { kept: 0, lost: said } });
  });

  it('still sends the packet in hand before it stops, with the retries that it takes', async () => {
    // This process answers for the modem's peer, and may be late itself.
    const daemon = await start(['link.arq=true', 'air.pacing=line', 'mac.hostLatencyUs=50000']);
    sender = new Sender();
    let attempts = 0;
    modem.onFrame = (frame) => {
      // Not heard at first: the daemon is told to stop while it waits for the acknowledgement.
      if (frame.type !== 'ip') return;
      attempts++;
      if (attempts === 1) daemon.signal('SIGTERM');
      if (attempts === 3) modem.acknowledge(frame);
    };
    sender.sendMany(1);
    expect(await daemon.exit()).toBe(0);
    expect(attempts).toBe(3);
    expect(daemon.log.find('stopped')).toMatchObject({ drops: expect.not.objectContaining({ shutdown: 1 }) });
  });
});
