/** The interface under an administrator's hands, while the daemon runs. */
import { existsSync, rmSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { Daemon, Modem, run, Sender } from './daemon-support.js';
import { nextTurns, until } from './native-support.js';

const NAME = 'hands0';
const RENAMED = 'hands1';
let modem: Modem;
let daemon: Daemon | undefined;
let sender: Sender | undefined;

beforeAll(() => unshareNetwork());
beforeEach(() => {
  modem = new Modem();
});
afterEach(async () => {
  sender?.close();
  sender = undefined;
  await daemon?.kill();
  daemon = undefined;
  modem.close();
  // Of a daemon that was killed in a test that failed.
  for (const name of [NAME, RENAMED]) rmSync(`/run/sluice/${name}.sock`, { force: true });
});

async function start(...settings: string[]): Promise<Daemon> {
  daemon = await Daemon.start({ modem, name: NAME, settings });
  return daemon;
}

/** Floods a slow line until the socket is held back: then nothing has been dropped anywhere. */
async function isHeldBack(daemon: Daemon): Promise<boolean> {
  const flooder = new Sender(65_536);
  try {
    const before = (await daemon.status()).backPressure.tapDropped;
    const sent = flooder.flood(3000);
    await nextTurns(50);
    const after = (await daemon.status()).backPressure.tapDropped;
    return sent < 3000 && after === before;
  } finally {
    flooder.close();
  }
}

describe('an interface in use', () => {
  it('is renamed: traffic, status, log and control socket go on under the new name', async () => {
    daemon = await Daemon.start({ modem, name: NAME, control: null });
    sender = new Sender();
    run('ip', 'link', 'set', 'dev', NAME, 'down');
    run('ip', 'link', 'set', 'dev', NAME, 'name', RENAMED);
    run('ip', 'link', 'set', 'dev', RENAMED, 'up');
    await daemon.log.wait('interface', { change: 'renamed', name: RENAMED });
    await daemon.log.wait('interface', { change: 'up', interface: RENAMED });
    expect((await daemon.status(`/run/sluice/${RENAMED}.sock`)).interface).toBe(RENAMED);
    expect((await daemon.status()).interface).toBe(RENAMED);
    sender.sendMany(5);
    await until(() => modem.numbers().length === 5, 'packets after the renaming');
    expect(await daemon.stop()).toBe(0);
    expect(existsSync(`/run/sluice/${RENAMED}.sock`)).toBe(false);
    expect(existsSync(`/run/sluice/${NAME}.sock`)).toBe(false);
  });

  it('is set down and up again: the back pressure is still there', async () => {
    const daemon = await start('line.baudRate=9600');
    sender = new Sender();
    sender.sendMany(40);
    await until(() => modem.numbers().length >= 2, 'traffic');
    run('ip', 'link', 'set', 'dev', NAME, 'down');
    await daemon.log.wait('interface', { change: 'down' });
    // One is on its way; those behind it wait, and nothing is asked of an interface that has nothing to give.
    const { grants } = (await daemon.status()).backPressure;
    const arrived = modem.numbers().length;
    await nextTurns(1000);
    expect((await daemon.status()).backPressure.grants).toBe(grants);
    expect(modem.numbers().length).toBeLessThanOrEqual(arrived + 1);
    run('ip', 'link', 'set', 'dev', NAME, 'up');
    await daemon.log.wait('interface', { change: 'up' });
    // The kernel forgets neighbours when an interface goes down.
    expect(run('ip', 'neigh', 'show', 'dev', NAME)).toContain('10.77.0.2 lladdr 02:73:6c:00:00:02 PERMANENT');
    expect(await isHeldBack(daemon)).toBe(true);
    await until(() => modem.numbers().length >= 3, 'packets');
  });

  it('is deleted: the daemon says so and ends with an error', async () => {
    const daemon = await start();
    run('ip', 'link', 'del', 'dev', NAME);
    expect(await daemon.exit()).toBe(1);
    expect(daemon.log.find('interface-lost')).toBeDefined();
    expect(daemon.stderr).toContain(`the interface ${NAME} was deleted`);
    expect(daemon.stderr).not.toContain('unexpected');
  });

  it('gets a larger MTU: long frames pass the gate, the burst has followed', async () => {
    const daemon = await start('link.mtuBytes=576');
    sender = new Sender();
    run('ip', 'link', 'set', 'dev', NAME, 'mtu', '1400');
    await daemon.log.wait('interface', { change: 'mtu', mtuBytes: 1400 });
    sender.sendMany(4, 1300);
    // The MAC cuts them: its frames have the length that the configuration gave them.
    const pieces = () => modem.frames.filter((frame) => frame.type === 'fragment');
    await until(() => pieces().reduce((sum, { body }) => sum + body.length, 0) >= 4 * 1328, 'long packets');
    expect((await daemon.status()).backPressure.qdisc.dropped).toBe(0);
  });

  it('gets another MAC address: what arrives is still for it', async () => {
    const daemon = await start('backPressure.mode=none');
    run('ip', 'link', 'set', 'dev', NAME, 'address', '02:00:00:00:00:99');
    await daemon.log.wait('interface', { change: 'mac' });
    sender = new Sender();
    sender.sendMany(1);
    await until(() => modem.numbers().length === 1, 'a packet');
    // Known by its number still: the receiver makes up the address of station 1.
    expect(modem.frames.find((frame) => frame.type === 'ip')).toMatchObject({ source: 1, destination: 2 });
  });
});

describe('its back pressure', () => {
  it.each([
    ['another root qdisc', ['tc', 'qdisc', 'replace', 'dev', NAME, 'root', 'pfifo', 'limit', '2000']],
    ['no root qdisc', ['tc', 'qdisc', 'del', 'dev', NAME, 'root']],
    [
      'a gate that is wide open',
      [
        ...['tc', 'qdisc', 'replace', 'dev', NAME, 'root', 'handle', '1:'],
        ...['tbf', 'rate', '100mbit', 'burst', '15140', 'limit', '4000000'],
      ],
    ],
    ['no qdisc below the gate', ['tc', 'qdisc', 'del', 'dev', NAME, 'parent', '1:1']],
    ['a short ring', ['ip', 'link', 'set', 'dev', NAME, 'txqueuelen', '3']],
  ])('%s: is put back, and said', async (_what, [program, ...args]) => {
    const daemon = await start('line.baudRate=9600', 'backPressure.mode=gate');
    run(program ?? '', ...args);
    await daemon.log.wait('back-pressure', { done: 'repaired' });
    expect((await daemon.status()).backPressure).toMatchObject({ mode: 'gate', repairs: 1 });
    expect(await isHeldBack(daemon)).toBe(true);
    expect((await daemon.status()).backPressure.qdisc.kind).toBe('pfifo_fast');
  });

  it('leaves the policy below the gate to the operator', async () => {
    const daemon = await start('line.baudRate=9600', 'backPressure.mode=gate');
    run('tc', 'qdisc', 'replace', 'dev', NAME, 'parent', '1:1', 'handle', '77:', 'pfifo', 'limit', '800');
    await nextTurns(1500);
    expect((await daemon.status()).backPressure).toMatchObject({ mode: 'gate', repairs: 0, qdisc: { kind: 'pfifo' } });
  });

  it('is given up, loudly, when another program fights for it', async () => {
    const daemon = await start('backPressure.mode=gate');
    for (let i = 1; i <= 5; i++) {
      run('tc', 'qdisc', 'replace', 'dev', NAME, 'root', 'pfifo');
      await daemon.log.wait('back-pressure', { done: 'repaired', repairs: i });
    }
    run('tc', 'qdisc', 'replace', 'dev', NAME, 'root', 'pfifo', 'limit', '123');
    const line = await daemon.log.wait('back-pressure', { done: 'given-up', mode: 'none' });
    expect(line.level).toBe(50);
    expect((await daemon.status()).backPressure.mode).toBe('none');
    sender = new Sender();
    sender.sendMany(20);
    await until(() => modem.numbers().length === 20, 'packets without back pressure');
    expect(await daemon.stop()).toBe(0);
  });
});
