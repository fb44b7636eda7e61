/** The recorder between a MAC and captures: each frame once, in order, with what became of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type AirRecord, AirRecorder } from '../../../src/daemon/air-recorder.js';
import type { Mac } from '../../../src/mac/mac.js';
import type { MacConfig } from '../../../src/mac/ports.js';
import { VirtualTime } from '../../../src/sim/virtual-time.js';
import { decodeLinkFrame, encodeLinkFrame, type LinkFrame } from '../../../src/wire/link-frame.js';
import { BROADCAST, type OutboundPacket } from '../../../src/wire/packet.js';
import { FakePhy, macOn } from '../mac/fake-phy.js';

const FCS = 4;
let time: VirtualTime;
let phy: FakePhy;
let mac: Mac;
let recorder: AirRecorder;
let waiting: OutboundPacket[];
let records: AirRecord[];

function start(config: Partial<MacConfig> = {}): void {
  time = new VirtualTime();
  phy = new FakePhy(time);
  waiting = [];
  records = [];
  mac = macOn(time, phy, waiting, { config });
  recorder = new AirRecorder({ clockUs: () => time.nowUs(), record: (record) => void records.push(record) });
  mac.tap = recorder;
  phy.listener.ready(true);
}

function packet(destination: number): OutboundPacket {
  return { destination, kind: 'ip', payload: new Uint8Array(60).fill(0x45), priority: 0 };
}

function frame(fields: Partial<LinkFrame>): Uint8Array {
  const whole = { type: 'ip', destination: 1, source: 2, sequence: 0, behind: 0, more: false, retry: false } as const;
  return encodeLinkFrame({ ...whole, body: new Uint8Array(20).fill(0x45), ...fields }, FCS);
}

function ack(sequence: number, bitmap = 0): Uint8Array {
  return frame({
    type: 'ack',
    sequence: sequence % 32,
    body: bitmap === 0 ? new Uint8Array(0) : Uint8Array.of(bitmap),
  });
}

/** Runs until so many frames have gone to the modem and left it. */
function untilSent(count: number): void {
  for (let i = 0; i < 10_000 && phy.transmitted.length < count; i++) time.runFor(1000);
  expect(phy.transmitted).toHaveLength(count);
  time.runFor(phy.timing.airtimeUs(phy.transmitted[count - 1]?.octets.length ?? 0));
}

function sequenceOf(index: number): number {
  const sent = decodeLinkFrame(phy.transmitted[index]?.octets ?? new Uint8Array(0), FCS);
  if (typeof sent === 'string') throw new Error(sent);
  return sent.sequence;
}

function told(): string[] {
  return records.map(({ direction, outcome, attempt = 0, octets }) => {
    const decoded = decodeLinkFrame(octets, FCS);
    const type = typeof decoded === 'string' ? 'noise' : decoded.type;
    return `${direction === 'inbound' ? 'in' : 'out'} ${type}${attempt > 0 ? ` ${attempt}` : ''}: ${outcome}`;
  });
}

beforeEach(() => start());

describe('the capture of own frames', () => {
  it('holds a frame until its acknowledgement, and tells it before that', () => {
    waiting.push(packet(2));
    mac.demand();
    untilSent(1);
    expect(told()).toEqual([]);
    phy.hear(ack(sequenceOf(0) + 1));
    expect(told()).toEqual(['out ip 1: acknowledged', 'in ack: accepted']);
    expect(records[0]?.octets).toEqual(phy.transmitted[0]?.octets);
  });

  it('tells each attempt by its number, and what came of it', () => {
    waiting.push(packet(2));
    mac.demand();
    untilSent(2);
    phy.hear(ack(sequenceOf(0) + 1));
    expect(told()).toEqual(['out ip 1: unacknowledged', 'out ip 2: acknowledged', 'in ack: accepted']);
    const times = records.map(({ atUs }) => atUs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('tells the frames of a burst apart by what the answer says of each', () => {
    start({ burstAirtimeUs: 1_000_000 });
    waiting.push(packet(2));
    mac.demand();
    untilSent(1);
    phy.hear(ack(sequenceOf(0) + 1));
    records.length = 0;
    waiting.push(packet(2), packet(2), packet(2));
    untilSent(4);
    // The second one did not arrive.
    phy.hear(ack(sequenceOf(1) + 1, 0b10));
    expect(told()).toEqual([
      'out ip 1: acknowledged',
      'out ip 1: unacknowledged',
      'out ip 1: acknowledged',
      'in ack: accepted',
    ]);
  });

  it('knows of a broadcast that it was sent, and no more', () => {
    waiting.push(packet(BROADCAST));
    mac.demand();
    untilSent(1);
    expect(told()).toEqual(['out ip 1: sent']);
  });

  it('tells what the modem refused, and what the line took with it', () => {
    phy.automatic = false;
    waiting.push(packet(2));
    mac.demand();
    for (let i = 0; i < 1000 && phy.transmitted.length < 1; i++) time.runFor(1000);
    phy.listener.sent('refused');
    expect(told()).toEqual(['out ip 1: refused']);
    for (let i = 0; i < 1000 && phy.transmitted.length < 2; i++) time.runFor(1000);
    phy.listener.ready(false);
    phy.listener.sent('line-down');
    expect(told()).toEqual(['out ip 1: refused', 'out ip 2: line-down']);
  });

  it('does not wait for an answer beyond the end of the capture', () => {
    waiting.push(packet(2));
    mac.demand();
    untilSent(1);
    recorder.end();
    expect(told()).toEqual(['out ip 1: open']);
    phy.hear(ack(sequenceOf(0) + 1));
    expect(told()).toEqual(['out ip 1: open', 'in ack: accepted']);
  });

  it('gives out frames with their fate open rather than to hold back ever more', () => {
    recorder.transmitting(frame({ source: 1, destination: 2 }), { attempt: 1, sequence: 0, wantsAck: true });
    recorder.transmitted('sent');
    for (let i = 0; i < 300; i++) {
      recorder.received(frame({}), {});
      recorder.heard('accepted');
    }
    expect(told()[0]).toBe('out ip 1: open');
    expect(records).toHaveLength(301);
  });
});

describe('the capture of received frames', () => {
  it('tells what was made of each, before what was sent in answer', () => {
    phy.hear(frame({ sequence: 4 }));
    untilSent(1);
    phy.hear(frame({ sequence: 4, retry: true }));
    untilSent(2);
    phy.hear(frame({ destination: 9 }));
    phy.hear(frame({ source: 1, destination: 2 }));
    phy.hear(Uint8Array.from(frame({}), (octet, index) => (index === 9 ? octet ^ 1 : octet)));
    phy.hear(Uint8Array.of(1, 2));
    expect(told()).toEqual([
      'in ip: accepted',
      'out ack: sent',
      'in ip: rx-duplicate',
      'out ack: sent',
      'in ip: overheard',
      'in ip: rx-own-address',
      'in noise: rx-fcs',
      'in noise: rx-truncated',
    ]);
  });

  it('keeps what the modem said of the signal, and its own copy of the octets', () => {
    const octets = frame({});
    phy.listener.received(octets, { rssiDbm: -97, snrDb: 4.5 });
    const copy = octets.slice();
    octets.fill(0);
    expect(records[0]).toMatchObject({ rssiDbm: -97, snrDb: 4.5, octets: copy });
  });

  it('does not stumble over a frame whose beginning it has not heard', () => {
    recorder.heard('accepted');
    recorder.transmitted('sent');
    recorder.settled([3]);
    expect(told()).toEqual([]);
  });
});
