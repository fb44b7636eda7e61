/**
 * A daemon that does not run (SIGSTOP) under load: others do not feel it, sockets on its interface are held back but not
 * for ever, and once it goes on everything arrives and nothing is out of step.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UdpSocket } from '../../src/native/addon.js';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { Daemon, Modem, run, Sender } from './daemon-support.js';
import { nextTurns, until } from './native-support.js';

const NAME = 'hang0';
/** Longer than the deadline of a packet in hand (5 s), so that time must be seen to stand still. */
const STOPPED_MS = 6_500;

let modem: Modem;
let daemon: Daemon | undefined;
let sender: Sender | undefined;

beforeAll(() => {
  unshareNetwork();
  run('ip', 'link', 'set', 'dev', 'lo', 'up');
});
beforeEach(() => {
  modem = new Modem();
});
afterEach(async () => {
  sender?.close();
  sender = undefined;
  await daemon?.kill();
  daemon = undefined;
  modem.close();
});

/** Round trips by loopback in the same namespace; gives the number that was lost. */
function pingsLost(count: number): number {
  const out = run('ping', '-q', '-c', String(count), '-i', '0.05', '-W', '2', '127.0.0.1');
  return count - Number(/(\d+) received/.exec(out)?.[1] ?? 0);
}

/** Packets that came to an interface. */
function rxPackets(name: string): number {
  return Number(/RX:.*\n\s+\d+\s+(\d+)/.exec(run('ip', '-s', 'link', 'show', 'dev', name))?.[1]);
}

describe('a daemon that is stopped under load', () => {
  it('holds back its own sockets only, loses nothing, and goes on where it was', async () => {
    daemon = await Daemon.start({
      modem,
      name: NAME,
      settings: [
        ...['line.baudRate=57600', 'link.arq=true', 'air.pacing=line', 'link.deadlineMs=5000'],
        // This process answers for the modem's peer, and may be late itself.
        ...['backPressure.mode=gate', 'mac.hostLatencyUs=50000'],
      ],
    });
    run('ip', 'link', 'add', 'aside0', 'type', 'veth', 'peer', 'name', 'aside1');
    run('ip', 'address', 'add', '10.78.0.1/24', 'dev', 'aside0');
    for (const end of ['aside0', 'aside1']) run('ip', 'link', 'set', 'dev', end, 'up');
    run('ip', 'neigh', 'add', '10.78.0.2', 'lladdr', '02:00:00:00:78:02', 'nud', 'permanent', 'dev', 'aside0');
    // Every packet is acknowledged but one: that one is in the daemon's hand when it is stopped.
    let answers = true;
    modem.onFrame = (frame) => {
      if (frame.type === 'ip' && answers) modem.acknowledge(frame);
    };
    sender = new Sender(65_536);
    sender.sendMany(20);
    await until(() => modem.numbers().length === 20, 'traffic before');
    answers = false;
    sender.sendMany(1);
    await until(() => modem.numbers().length >= 21, 'a packet in hand');
    daemon.signal('SIGSTOP');
    const stoppedAtMs = Date.now();

    const sent = sender.flood(3000);
    expect(sent).toBeLessThan(3000);
    expect(sender.send()).toBe(false);
    // Others send as if nothing were.
    expect(pingsLost(20)).toBe(0);
    const other = new UdpSocket({ address: '10.78.0.1' });
    const packetsBefore = rxPackets('aside1');
    for (let i = 0; i < 1000; i++) expect(other.send(new Uint8Array(200), '10.78.0.2', 9)).toBe(200);
    expect(rxPackets('aside1') - packetsBefore).toBeGreaterThanOrEqual(1000);
    other.close();
    const before = modem.frames.length;
    await nextTurns(STOPPED_MS - (Date.now() - stoppedAtMs));
    expect(modem.frames.length).toBe(before);

    answers = true;
    daemon.signal('SIGCONT');
    await daemon.log.wait('hung');
    await until(() => new Set(modem.numbers()).size === 21 + sent, 'all packets', 30_000);
    const status = await daemon.status();
    expect(status.drops.deadline ?? 0).toBe(0);
    expect(status.drops['retry-limit'] ?? 0).toBe(0);
    expect(status.backPressure).toMatchObject({ mode: 'gate', tapDropped: 0, qdisc: { dropped: 0 } });
    // Nothing is wedged.
    sender.sendMany(5);
    await until(() => new Set(modem.numbers()).size === 26 + sent, 'packets afterwards');
    expect(await daemon.stop()).toBe(0);
    run('ip', 'link', 'del', 'aside0');
  });

  it('lets sockets go after all: the gate leaks on purpose', async () => {
    // The longer its burst, the faster it leaks: one burst in 274 s, 33 octets a second here.
    daemon = await Daemon.start({
      modem,
      name: NAME,
      settings: ['link.mtuBytes=9000', 'air.pacing=rate', 'backPressure.mode=gate'],
    });
    sender = new Sender();
    sender.sendMany(3);
    await until(() => modem.numbers().length === 3, 'traffic before');
    await daemon.until(({ mac }) => mac.state === 'idle', 'a daemon that waits for packets');
    daemon.signal('SIGSTOP');
    // One frame of the MTU uses up the credit that stands; then 46 octets each.
    sender.sendMany(1, 9000 - 28);
    sender.sendMany(20, 4);
    // IPv6 sends of its own accord, too: what passed the gate is what counts.
    const passed = () =>
      Number(/Sent \d+ bytes (\d+) pkt/.exec(run('tc', '-s', 'qdisc', 'show', 'dev', NAME, 'root'))?.[1]);
    const before = passed();
    const atMs = Date.now();
    await until(() => passed() >= before + 2, 'leaked packets', 20_000);
    // 33 octets a second and no more: two packets of 46 at least take the time of one.
    expect(Date.now() - atMs).toBeGreaterThan(1000);
    daemon.signal('SIGCONT');
    await until(() => modem.numbers().length === 24, 'all packets');
    expect(modem.numbers()).toEqual(Array.from({ length: 24 }, (_, i) => i));
  });
});
