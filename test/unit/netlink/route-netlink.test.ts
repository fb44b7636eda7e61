/** The facade over a kernel of paper: sequence numbers, acknowledgements, dumps, refusals. */

import { describe, expect, it } from 'vitest';
import { TC_H_ROOT } from '../../../src/netlink/constants.js';
import { MessageWriter, parseMessages } from '../../../src/netlink/message.js';
import { tcHandle } from '../../../src/netlink/qdisc.js';
import { RouteNetlink } from '../../../src/netlink/route-netlink.js';

const TBF = {
  parent: TC_H_ROOT,
  handle: tcHandle(1),
  options: { kind: 'tbf', rateBytesPerS: 8, burstBytes: 1514, limit: 1000 },
} as const;

function sequenceOf(message: Uint8Array): number {
  return parseMessages(message)[0]?.sequence ?? -1;
}

function acknowledge(sequence: number, error = 0): Uint8Array {
  return new MessageWriter(2, 0x100).u32(error).octets(new Uint8Array(16)).finish(sequence);
}

function qdiscReply(sequence: number, ifindex: number, flags = 2): Uint8Array {
  const writer = new MessageWriter(36, flags).u32(0).u32(ifindex).u32(0).u32(TC_H_ROOT).u32(2);
  return writer.attributeString(1, 'pfifo_fast').finish(sequence);
}

const done = (sequence: number): Uint8Array => new MessageWriter(3, 2).u32(0).finish(sequence);

describe('RouteNetlink', () => {
  it('numbers its requests and accepts the acknowledgement', () => {
    const sent: number[] = [];
    const route = new RouteNetlink({
      request: (message) => {
        sent.push(sequenceOf(message));
        return [acknowledge(sequenceOf(message))];
      },
    });
    route.setLink(2, { up: true });
    route.setLink(2, { mtuBytes: 300 });
    expect(sent).toEqual([1, 2]);
  });

  it('refuses silence, and answers to another request', () => {
    expect(() => new RouteNetlink({ request: () => [] }).setLink(2, { up: true })).toThrow(/did not acknowledge/);
    const late = new RouteNetlink({ request: () => [acknowledge(77)] });
    expect(() => late.setLink(2, { up: true })).toThrow(/did not acknowledge/);
  });

  it('turns refusals into errors that say what was asked', () => {
    const route = new RouteNetlink({ request: (message) => [acknowledge(sequenceOf(message), -1)] });
    expect(() => route.setLink(2, { mtuBytes: 300 })).toThrow('RTM_NEWLINK mtuBytes of interface 2: EPERM');
    expect(() => route.replaceQdisc(2, TBF)).toThrow('RTM_NEWQDISC tbf 1: on interface 2: EPERM');
  });

  it('gives the qdiscs of one interface out of the dump of all', () => {
    const route = new RouteNetlink({
      request: (message) => {
        const sequence = sequenceOf(message);
        return [qdiscReply(sequence, 1), qdiscReply(sequence, 2), done(sequence)];
      },
    });
    expect(route.qdiscs(2)).toHaveLength(1);
    expect(route.qdiscs(3)).toHaveLength(0);
  });

  it('asks again for a dump that was interrupted, and gives up after a while', () => {
    let asked = 0;
    const route = (interrupted: number): RouteNetlink =>
      new RouteNetlink({
        request: (message) => {
          const sequence = sequenceOf(message);
          asked++;
          return [qdiscReply(sequence, 2, asked <= interrupted ? 0x12 : 2), done(sequence)];
        },
      });
    expect(route(2).qdiscs(2)).toHaveLength(1);
    expect(asked).toBe(3);
    expect(() => route(1000).qdiscs(2)).toThrow(/interrupted/);
  });

  it('sends a prepared change again and again, differing in the sequence number only', () => {
    const sent: Uint8Array[] = [];
    const route = new RouteNetlink({
      request: (message) => {
        sent.push(message.slice());
        return [acknowledge(sequenceOf(message))];
      },
    });
    const change = route.preparedChange(2, TBF);
    change();
    route.setLink(2, { up: true });
    change();
    expect(sent.map(sequenceOf)).toEqual([1, 2, 3]);
    const [first, , third] = sent;
    third?.fill(0, 8, 12);
    first?.fill(0, 8, 12);
    expect(third).toEqual(first);
  });

  it('asks once more, and listens, where a prepared change is not simply acknowledged', () => {
    const sent: number[] = [];
    let isFine = true;
    const route = new RouteNetlink({
      request: (message) => [acknowledge(sequenceOf(message), -2)],
      acknowledged: (message) => {
        sent.push(sequenceOf(message));
        return isFine;
      },
    });
    const change = route.preparedChange(2, TBF);
    change();
    isFine = false;
    expect(change).toThrow(/ENOENT/);
    expect(sent).toEqual([1, 2]);
  });

  it('throws when a prepared change is refused, or not acknowledged', () => {
    const refused = new RouteNetlink({ request: (message) => [acknowledge(sequenceOf(message), -2)] });
    expect(() => refused.preparedChange(2, TBF)()).toThrow(/ENOENT/);
    const silent = new RouteNetlink({ request: () => [] });
    expect(() => silent.preparedChange(2, TBF)()).toThrow(/did not acknowledge/);
  });
});
