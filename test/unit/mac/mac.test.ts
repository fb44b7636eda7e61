import { beforeEach, describe, expect, it } from 'vitest';
import { DropCounters } from '../../../src/base/drops.js';
import { seededRandom } from '../../../src/base/random.js';
import type { Contention } from '../../../src/mac/contention.js';
import { Mac } from '../../../src/mac/mac.js';
import type { MacConfig } from '../../../src/mac/ports.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { decodeLinkFrame, encodeLinkFrame, type LinkFrame } from '../../../src/wire/link-frame.js';
import { BROADCAST, type InboundPacket, type OutboundPacket } from '../../../src/wire/packet.js';
import { FakePhy, observed } from './fake-phy.js';

const CONFIG: MacConfig = { linkFrames: true, fcsBytes: 4, arq: true, maxRetries: 3, deadlineUs: 60_000_000 };

/** Draws what the test says, so that the moment of a transmission is known. */
class FixedBackoff implements Contention {
  window = 1;
  slots = 0;
  readonly calls: string[] = [];
  drawSlots(): number {
    return this.slots;
  }
  began(): void {}
  heard(): void {}
  ended(): void {}
  succeeded(): void {
    this.calls.push('succeeded');
  }
  failed(): void {
    this.calls.push('failed');
  }
}

let time: VirtualTime;
let phy: FakePhy;
let waiting: OutboundPacket[];
let delivered: InboundPacket[];
let drops: DropCounters;
let events: string[];
let backoff: FixedBackoff;
let mac: Mac;

function build(options: { config?: Partial<MacConfig> } = {}): void {
  time = new VirtualTime(1_000_000);
  phy = new FakePhy(time);
  connect(options.config ?? {});
}

function connect(config: Partial<MacConfig>): void {
  waiting = [];
  delivered = [];
  drops = new DropCounters();
  events = [];
  backoff = new FixedBackoff();
  mac = new Mac({
    station: 1,
    phy,
    scheduler: time,
    random: seededRandom(1),
    source: { pull: () => waiting.shift() ?? null, idle: () => events.push('idle') },
    observer: {
      deliver: (packet) => delivered.push(packet),
      drop: (cause) => drops.count(cause),
      ...observed(events),
    },
    config: { ...CONFIG, ...config },
    contention: () => backoff,
  });
}

const packet = (destination: number, octets = 10): OutboundPacket => ({
  destination,
  kind: 'ip',
  payload: new Uint8Array(octets).fill(0x45),
  priority: 0,
});

function frame(fields: Partial<LinkFrame>): Uint8Array {
  const whole: LinkFrame = {
    type: 'ip',
    destination: 1,
    source: 2,
    sequence: 7,
    behind: 0,
    more: false,
    retry: false,
    body: new Uint8Array([0x45, 1, 2, 3]),
    ...fields,
  };
  return encodeLinkFrame(whole, 4);
}

function sentFrame(index: number): LinkFrame {
  const octets = phy.transmitted[index]?.octets;
  if (octets === undefined) throw new Error(`no transmission ${index}`);
  const decoded = decodeLinkFrame(octets, 4);
  if (typeof decoded === 'string') throw new Error(decoded);
  return decoded;
}

const ackOf = (index: number): Uint8Array =>
  frame({
    type: 'ack',
    source: sentFrame(index).destination,
    sequence: (sentFrame(index).sequence + 1) % 32,
    body: new Uint8Array(0),
  });

function start(): void {
  phy.listener.ready(true);
  time.runFor(1_000_000);
}

describe('late binding', () => {
  beforeEach(() => build());

  it('pulls nothing while the channel is busy, then the packet that is first at that moment', () => {
    start();
    expect(events).toContain('idle');
    phy.listener.carrier(true);
    waiting.push(packet(2));
    mac.demand();
    time.runFor(5_000_000);
    expect(waiting).toHaveLength(1);
    waiting.unshift(packet(9));
    phy.listener.carrier(false);
    time.runFor(100_000);
    expect(sentFrame(0).destination).toBe(9);
    expect(waiting).toHaveLength(1);
  });

  it('pulls nothing before the modem is up', () => {
    waiting.push(packet(2));
    mac.demand();
    time.runFor(1_000_000);
    expect(waiting).toHaveLength(1);
  });
});

describe('backoff', () => {
  beforeEach(() => build());

  it('starts at a slot boundary counted from the end of the last signal and its answer time', () => {
    start();
    phy.hear(frame({ destination: BROADCAST }));
    const endUs = time.nowUs();
    backoff.slots = 3;
    phy.listener.carrier(true);
    waiting.push(packet(2));
    mac.demand();
    phy.listener.carrier(false);
    time.runFor(200_000);
    expect(phy.transmitted[0]?.atUs).toBe(endUs + mac.timing.ackStartUs + 3 * mac.timing.slotUs);
  });

  it('freezes while the channel is busy; the busy time counts as one slot', () => {
    start();
    backoff.slots = 10;
    phy.hear(frame({ destination: BROADCAST }));
    phy.listener.carrier(true);
    waiting.push(packet(2));
    mac.demand();
    phy.listener.received(frame({ destination: BROADCAST }), {});
    phy.listener.carrier(false);
    // Slots count from the end of the time for an answer, though a broadcast has none. A carrier is reported late.
    time.runFor(mac.timing.ackStartUs + 4 * mac.timing.slotUs + phy.timing.turnaroundUs + phy.timing.carrierDetectUs);
    phy.hear(frame({ destination: BROADCAST }));
    const endUs = time.nowUs();
    time.runFor(1_000_000);
    expect(phy.transmitted[0]?.atUs).toBe(endUs + mac.timing.ackStartUs + (10 - 4 - 1) * mac.timing.slotUs);
    expect(mac.counters.backoffs).toBe(1);
  });

  it('does not transmit when the last look hears something', () => {
    start();
    phy.sensed = true;
    waiting.push(packet(2));
    mac.demand();
    time.runFor(20 * mac.timing.slotUs);
    expect(phy.transmitted).toHaveLength(0);
    expect(waiting).toHaveLength(1);
    phy.sensed = false;
    time.runFor(2 * mac.timing.slotUs);
    expect(phy.transmitted).toHaveLength(1);
  });

  it('believes in no carrier for ever', () => {
    start();
    phy.listener.carrier(true);
    waiting.push(packet(BROADCAST));
    mac.demand();
    time.runFor(mac.timing.stuckBusyUs - 1000);
    expect(phy.transmitted).toHaveLength(0);
    time.runFor(1_000_000);
    expect(events).toContain('stuck');
    expect(mac.snapshot()).toMatchObject({ carrierStuck: true, counters: { stuckBusy: 1 } });
    expect(phy.transmitted).toHaveLength(1);
    phy.listener.carrier(false);
    phy.listener.carrier(true);
    waiting.push(packet(BROADCAST));
    mac.demand();
    time.runFor(1_000_000);
    expect(phy.transmitted).toHaveLength(1);
  });
});

describe('acknowledgement', () => {
  beforeEach(() => build());

  it('is awaited for unicast; the packet is done when it comes', () => {
    start();
    waiting.push(packet(2));
    mac.demand();
    time.runFor(18_000 + 2_000);
    expect(mac.snapshot()).toMatchObject({ state: 'awaiting-ack', inHand: 1 });
    phy.hear(ackOf(0));
    expect(mac.counters).toMatchObject({ attempts: 1, acked: 1, unacked: 0 });
    time.runFor(1_000_000);
    expect(mac.snapshot()).toMatchObject({ state: 'idle', inHand: 0 });
    expect(backoff.calls).toEqual(['succeeded']);
  });

  it('is repeated for with the retry bit and the same sequence, then given up with a cause', () => {
    start();
    waiting.push(packet(2));
    mac.demand();
    time.runFor(20_000);
    phy.hear(ackOf(0));
    waiting.push(packet(2), packet(3));
    time.runFor(10_000_000);
    const sent = [1, 2, 3, 4].map((index) => sentFrame(index));
    for (const each of sent) expect(each).toMatchObject({ destination: 2, sequence: sentFrame(1).sequence });
    expect(sent.map(({ retry }) => retry)).toEqual([false, true, true, true]);
    expect(drops.get('retry-limit')).toBe(2);
    expect(sentFrame(5).destination).toBe(3);
    expect(mac.counters.unacked).toBe(8);
  });

  it('of another station, or of another sequence, is not ours', () => {
    start();
    waiting.push(packet(2));
    mac.demand();
    time.runFor(18_000 + 2_000);
    phy.hear(frame({ type: 'ack', source: 3, sequence: (sentFrame(0).sequence + 1) % 32, body: new Uint8Array(0) }));
    phy.hear(frame({ type: 'ack', source: 2, sequence: (sentFrame(0).sequence + 9) % 32, body: new Uint8Array(0) }));
    expect(mac.counters.acked).toBe(0);
  });

  it('is not awaited for broadcast', () => {
    start();
    waiting.push(packet(BROADCAST));
    mac.demand();
    time.runFor(1_000_000);
    expect(mac.counters).toMatchObject({ attempts: 1, unconfirmed: 1, unacked: 0 });
    expect(mac.snapshot().state).toBe('idle');
  });

  it('is sent at once for unicast to us, also while we contend, and only one copy goes up', () => {
    start();
    backoff.slots = 5;
    phy.listener.carrier(true);
    waiting.push(packet(2));
    mac.demand();
    phy.listener.received(frame({}), {});
    expect(sentFrame(0)).toMatchObject({ type: 'ack', destination: 2, sequence: 8 });
    phy.listener.carrier(false);
    time.runFor(8_000);
    phy.hear(frame({ retry: true }));
    expect(delivered).toHaveLength(1);
    expect(drops.get('rx-duplicate')).toBe(1);
    expect(mac.counters.acksSent).toBe(2);
  });

  it('takes an old sequence without the retry bit for a sender that started anew, unless the modem repeats itself', () => {
    start();
    phy.hear(frame({}));
    time.runFor(1_000_000);
    phy.hear(frame({}));
    expect(delivered).toHaveLength(1);
    time.runFor(1_000_000);
    phy.hear(frame({ body: new Uint8Array([0x45, 9]) }));
    expect(delivered).toHaveLength(2);
  });
});

describe('what the air brings', () => {
  beforeEach(() => build());

  it('is counted by cause when it is no frame', () => {
    start();
    const good = frame({});
    phy.listener.received(good.subarray(0, 5), {});
    phy.listener.received(
      good.map((octet, index) => (index === 5 ? octet ^ 1 : octet)),
      {},
    );
    phy.listener.received(new Uint8Array(0), {});
    phy.listener.discarded('rx-framing', 12);
    expect(delivered).toHaveLength(0);
    expect(drops.get('rx-framing')).toBe(1);
    expect(drops.get('rx-fcs') + drops.get('rx-truncated')).toBe(3);
  });

  it('from our own address is an echo while we send, and a conflict while we are silent', () => {
    start();
    waiting.push(packet(BROADCAST));
    mac.demand();
    time.runFor(5_000);
    phy.listener.received(frame({ source: 1, destination: 2 }), {});
    expect(drops.get('rx-own-address')).toBe(0);
    time.runFor(10_000_000);
    phy.listener.received(frame({ source: 1, destination: 2, sequence: 6 }), { rssiDbm: -88 });
    expect(drops.get('rx-own-address')).toBe(1);
    expect(events.filter((event) => event.startsWith('conflict'))).toEqual(['conflict ip to 2, 6, -88 dBm']);
  });

  it('makes neighbours known', () => {
    start();
    phy.hear(frame({ source: 9, destination: 3 }));
    expect(events).toContain('neighbour 9');
    expect(mac.snapshot().neighbours.map((neighbour) => neighbour.station)).toEqual([9]);
    expect(mac.counters.overheard).toBe(1);
  });
});

describe('the line and the end', () => {
  beforeEach(() => build());

  it('keeps a packet in hand when the line is lost and sends it again when it is back', () => {
    start();
    phy.automatic = false;
    waiting.push(packet(2));
    mac.demand();
    time.runFor(100_000);
    phy.listener.ready(false);
    phy.listener.sent('line-down');
    expect(mac.snapshot()).toMatchObject({ state: 'down', inHand: 1 });
    phy.listener.ready(true);
    time.runFor(100_000);
    expect(phy.transmitted).toHaveLength(2);
    expect(sentFrame(1).sequence).toBe(sentFrame(0).sequence);
  });

  it('drops a packet that has grown old, with its cause', () => {
    build({ config: { deadlineUs: 100_000 } });
    start();
    waiting.push(packet(2));
    mac.demand();
    time.runFor(30_000);
    phy.listener.ready(false);
    time.runFor(200_000);
    phy.listener.ready(true);
    time.runFor(200_000);
    expect(drops.get('deadline')).toBe(1);
  });

  it('finishes the transmission in progress, then stops for good', () => {
    start();
    waiting.push(packet(2), packet(3));
    mac.demand();
    time.runFor(5_000);
    mac.finish();
    expect(events).not.toContain('finished');
    time.runFor(20_000);
    expect(events).toContain('finished');
    expect(drops.get('shutdown')).toBe(1);
    expect(waiting).toHaveLength(1);
    time.runFor(10_000_000);
    expect(phy.transmitted).toHaveLength(1);
  });
});

describe('modems that contend, and wires where nobody needs to', () => {
  it.each(['modem', 'none'] as const)('keeps one frame in the modem (%s)', (channelAccess) => {
    time = new VirtualTime(1_000_000);
    phy = new FakePhy(time, { capabilities: { channelAccess, carrierSense: 'none' } });
    connect({ arq: false });
    phy.automatic = false;
    phy.listener.ready(true);
    waiting.push(packet(2), packet(2), packet(2));
    mac.demand();
    time.runFor(1_000_000);
    expect(phy.transmitted).toHaveLength(1);
    phy.listener.sent('sent');
    time.runFor(1_000_000);
    expect(phy.transmitted).toHaveLength(2);
    expect(waiting).toHaveLength(1);
  });

  it('sends payloads as they are for other encapsulations', () => {
    build({ config: { linkFrames: false } });
    start();
    waiting.push({ ...packet(BROADCAST), kind: 'raw' }, { ...packet(BROADCAST, 601), kind: 'raw' });
    mac.demand();
    time.runFor(1_000_000);
    expect(phy.transmitted.map((sent) => sent.octets.length)).toEqual([10]);
    expect(drops.get('too-long')).toBe(1);
    phy.hear(new Uint8Array([1, 2, 3]));
    expect(delivered[0]).toMatchObject({ kind: 'raw', payload: new Uint8Array([1, 2, 3]) });
  });
});
