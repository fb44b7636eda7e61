/** Whole bridges on lines that are pulled out, hold, and come back: what is kept, what is counted, what goes on. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addressOf, INTERFACE, Neighbourhood, type Station } from '../../src/daemon/stations.js';
import { connect, Plug } from './line-support.js';
import { nextTurns } from './native-support.js';

const SINK = 9;
const PAYLOAD_BYTES = 1000;
/** With the headers of UDP and IPv4. */
const DATAGRAM_BYTES = PAYLOAD_BYTES + 28;
const SETTINGS = ['air.pacing=line'];

async function eventually(what: string, condition: () => Promise<boolean>, limitMs = 30_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
    await nextTurns(50);
  }
}

describe('a bridge whose line comes and goes', () => {
  let place: Neighbourhood;
  let left: Plug;
  let right: Plug;
  let sender: Station;
  let receiver: Station;

  beforeEach(async () => {
    place = new Neighbourhood();
    left = new Plug(place.folder, 'left');
    right = new Plug(place.folder, 'right');
    connect(left, right);
    left.plugIn();
    right.plugIn();
    sender = await place.open();
    receiver = await place.open();
  });

  afterEach(async () => {
    await place.close();
    left.unplug();
    right.unplug();
  });

  const up = async (settings: readonly string[] = SETTINGS): Promise<void> => {
    await sender.up({ number: 1, profile: 'null-modem', port: left.link, settings });
    await receiver.up({ number: 2, profile: 'null-modem', port: right.link, settings });
    await receiver.call('receive', { port: SINK });
  };
  const pace = (ticks: number, intervalUs: number, stream = 1) =>
    sender.call('pace', {
      to: { address: addressOf(2), port: SINK },
      streams: [{ stream, typeOfService: 0 }],
      payloadBytes: PAYLOAD_BYTES,
      intervalUs,
      ticks,
    });
  const received = async (): Promise<number> => (await receiver.call('received', { port: SINK })).length;
  /** Datagrams that the receiving program was too late to take from its socket. */
  const overrun = async (): Promise<number> => {
    const { stdout } = await receiver.call('run', { program: 'cat', args: ['/proc/net/snmp'], timeoutMs: 10_000 });
    const [names = [], values = []] = stdout.split('\n').flatMap((row) => (/^Udp:/.test(row) ? [row.split(' ')] : []));
    return Number(values[names.indexOf('RcvbufErrors')]);
  };
  const isOpen = async (reopens: number): Promise<boolean> => {
    const { line } = await sender.status();
    return line.state === 'open' && line.reopens === reopens;
  };

  it('keeps TAP and queue while the port is gone, and sends what waited when it is back under its old name', async () => {
    await up();
    await pace(10, 0);
    await eventually('the first ten', async () => (await received()) === 10);
    const before = await sender.call('linkStatistics', { name: INTERFACE });
    left.unplug();
    await eventually('the loss', async () => (await sender.status()).line.state !== 'open');
    await pace(50, 0, 2);
    await nextTurns(1500);
    expect(await received()).toBe(10);
    left.plugIn();
    await eventually('everything that waited', async () => (await received()) === 60);
    const { line, drops, backPressure } = await sender.status();
    expect(line).toMatchObject({ state: 'open', reopens: 1, stalls: 0 });
    expect({ tap: backPressure.tapDropped, qdisc: backPressure.qdisc.dropped }).toEqual({ tap: 0, qdisc: 0 });
    expect(drops.deadline).toBeUndefined();
    const after = await sender.call('linkStatistics', { name: INTERFACE });
    expect(after.txPackets).toBeGreaterThan(before.txPackets);
    expect(sender.log.filter(({ event }) => event === 'line-lost')).toHaveLength(1);
  });

  it('pulled out in mid-frame under load, loses what was on the line and nothing else, time and again', async () => {
    await up();
    const load = pace(2000, 2000);
    for (let cycle = 1; cycle <= 5; cycle++) {
      await nextTurns(200);
      left.unplug();
      await nextTurns(20);
      left.plugIn();
      await eventually(`cycle ${cycle}`, () => isOpen(cycle));
    }
    // While the line is gone, the socket holds its sender back; what it took is the bridge's affair.
    const [{ sent, held } = { sent: 0, held: 0 }] = (await load).streams;
    expect(sent + held).toBe(2000);
    await eventually('the rest', async () => {
      const { mac } = await sender.status();
      return mac.state === 'idle' && mac.attempts >= sent;
    });
    await nextTurns(500);
    const { line, mac, drops, backPressure } = await sender.status();
    // Each packet was sent once, and those in hand, at the most one each time, once more.
    expect(mac.attempts).toBeLessThanOrEqual(sent + 5);
    // The octets that never arrived account for all frames that did not, but for those that were cut.
    const lostBytes = line.bytesOut + line.bytesDropped - (await receiver.status()).line.bytesIn;
    await eventually(
      'all but those',
      async () => sent - (await received()) - (await overrun()) <= lostBytes / DATAGRAM_BYTES + 5,
    );
    expect({ tap: backPressure.tapDropped, qdisc: backPressure.qdisc.dropped }).toEqual({ tap: 0, qdisc: 0 });
    expect(drops).not.toHaveProperty('line-down');
  });

  /** With the line full and one frame in hand: how many frames have gone before that one. */
  const filled = async (): Promise<number> => {
    left.hold(true);
    await pace(60, 0);
    let attempts = 0;
    await eventually('a full line', async () => {
      const { mac } = await sender.status();
      const isStill = mac.state === 'transmitting' && mac.attempts > 0 && mac.attempts === attempts;
      attempts = mac.attempts;
      return isStill;
    });
    return attempts - 1;
  };

  it('sends the frame in hand again, and all that follow, once the port is back', async () => {
    await up();
    const gone = await filled();
    expect(gone).toBeGreaterThan(0);
    left.unplug();
    left.hold(false);
    await eventually('the loss', async () => (await sender.status()).line.state !== 'open');
    left.plugIn();
    await eventually('the line', () => isOpen(1));
    // What was on the line is lost with it, and only that.
    await eventually('the rest', async () => (await received()) === 60 - gone);
    expect((await sender.status()).mac.attempts).toBe(61);
  });

  it('drops by age, and counts, the frame in hand when the port stays away, and no other', async () => {
    await up([...SETTINGS, 'link.deadlineMs=300']);
    const gone = await filled();
    left.unplug();
    left.hold(false);
    await nextTurns(1500);
    left.plugIn();
    await eventually('the line', () => isOpen(1));
    await eventually('the rest', async () => (await received()) === 60 - gone - 1);
    expect((await sender.status()).drops.deadline).toBe(1);
  });

  it('throws away what a replugged port still holds from another time', async () => {
    await up();
    await pace(5, 0);
    await eventually('five', async () => (await received()) === 5);
    const bytesBefore = (await receiver.status()).line.bytesIn;
    right.unplug();
    await eventually('the loss', async () => (await receiver.status()).line.state !== 'open');
    right.plugIn();
    right.write(new Uint8Array(3000).fill(0x55));
    await eventually('the line', async () => (await receiver.status()).line.state === 'open');
    await nextTurns(300);
    const { line } = await receiver.status();
    expect(line.bytesIn).toBe(bytesBefore);
  });

  it('a line that takes nothing any more is opened again after a bounded time, and the bridge goes on', async () => {
    await up();
    left.hold(true);
    await pace(100, 0);
    await eventually('the stall', async () => (await sender.status()).line.stalls === 1, 40_000);
    left.hold(false);
    await eventually('the line', async () => (await sender.status()).line.state === 'open');
    const before = await received();
    await pace(10, 1000, 3);
    await eventually('fresh packets', async () => (await received()) >= before + 10);
    expect(sender.log.some(({ event, cause }) => event === 'line-lost' && String(cause).includes('no octet'))).toBe(
      true,
    );
  });

  it('refuses a port that another bridge has, with the exit code of the line', async () => {
    await up();
    const third = await place.open();
    await expect(
      third.up({ number: 3, profile: 'null-modem', port: left.link, settings: SETTINGS }),
    ).rejects.toMatchObject({
      code: 'line',
      message: expect.stringContaining('another program has it open'),
    });
    expect((await sender.status()).line.state).toBe('open');
  });
});
