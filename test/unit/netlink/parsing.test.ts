/** Replies: what is well formed is understood, what is not ends in a typed error and never beyond the octets given. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSluiceError } from '../../../src/base/errors.js';
import { refusalError, refusalOf } from '../../../src/netlink/failure.js';
import { parseLink, setLinkMessage } from '../../../src/netlink/link.js';
import { MessageWriter, OctetReader, parseMessages } from '../../../src/netlink/message.js';
import { parseQdisc, replaceQdiscMessage, tcHandle } from '../../../src/netlink/qdisc.js';
import { captureOf } from './replies.js';

function payloadOf(message: Uint8Array): Uint8Array {
  const parsed = parseMessages(message)[0];
  if (parsed === undefined) throw new Error('no message');
  return parsed.payload;
}

/** Whatever the octets are, `parse` gives a value or a SluiceError of the code `system`. */
function survives(parse: (octets: Uint8Array) => unknown, octets: Uint8Array): void {
  // Octets behind the end must never be read: they would make the result differ.
  const behind = [0x00, 0xff].map((fill) => {
    const room = new Uint8Array(octets.length + 64).fill(fill);
    room.set(octets, 32);
    try {
      return JSON.stringify(parse(room.subarray(32, 32 + octets.length)));
    } catch (failure) {
      if (!isSluiceError(failure, 'system')) throw failure;
      return `refused: ${failure.message}`;
    }
  });
  expect(behind[0]).toBe(behind[1]);
}

describe('parseMessages', () => {
  it('splits a datagram of several messages', () => {
    const one = new MessageWriter(30, 2).u32(7).u8(9).finish(1);
    const two = new MessageWriter(31, 0).u32(8).finish(2);
    const datagram = new Uint8Array(24 + two.length);
    datagram.set(one);
    datagram.set(two, 24);
    const messages = parseMessages(datagram);
    expect(messages.map((message) => [message.type, message.flags, message.sequence])).toEqual([
      [30, 2, 1],
      [31, 0, 2],
    ]);
    expect([...(messages[0]?.payload ?? [])]).toEqual([7, 0, 0, 0, 9]);
  });

  it.each([
    ['a header cut short', new Uint8Array(15)],
    ['a length of nothing', new Uint8Array(16)],
    ['a length beyond the end', new MessageWriter(30, 0).u32(7).finish(1).subarray(0, 18)],
  ])('refuses %s', (_what, octets) => {
    expect(() => parseMessages(octets)).toThrow(/malformed netlink reply/);
  });

  it('survives any octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => survives(parseMessages, octets)));
  });
});

describe('attributes', () => {
  it('round trip, nested and of any length', () => {
    const values = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(values, (list) => {
        const writer = new MessageWriter(40, 0);
        writer.attribute(99, () => {
          for (const [i, value] of list.entries()) writer.attributeOctets(i + 1, value);
        });
        const outer = new OctetReader(payloadOf(writer.finish(0)), 'test').attributes().get(99);
        const inner = outer?.attributes();
        expect(inner?.size).toBe(list.length);
        for (const [i, value] of list.entries()) expect(inner?.get(i + 1)?.octets()).toEqual(value);
      }),
    );
  });

  it.each([
    ['shorter than its header', [3, 0, 1, 0]],
    ['longer than what is left', [12, 0, 1, 0, 1, 2, 3, 4]],
    ['with half a header', [4, 0, 1, 0, 8, 0]],
  ])('refuses an attribute %s', (_what, octets) => {
    expect(() => new OctetReader(Uint8Array.from(octets), 'test').attributes()).toThrow(/malformed netlink reply/);
  });
});

describe('links', () => {
  it('reads back what a request carries', () => {
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 5);
    const message = setLinkMessage(7, { up: true, mtuBytes: 576, mac, txQueueLength: 3, name: 'sl0' }).finish(0);
    const link = parseLink(payloadOf(message));
    expect(link).toMatchObject({ ifindex: 7, name: 'sl0', up: true, running: false, mtuBytes: 576, txQueueLength: 3 });
    expect(link.mac).toEqual(mac);
  });

  it('refuses a message cut anywhere inside an attribute, and survives any octets', () => {
    const octets = payloadOf(setLinkMessage(7, { mtuBytes: 576, name: 'sl0' }).finish(0));
    expect(() => parseLink(octets.subarray(0, 15))).toThrow(/malformed/);
    for (let length = 0; length < octets.length; length++) survives(parseLink, octets.slice(0, length));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (random) => survives(parseLink, random)));
  });
});

describe('qdiscs', () => {
  it('reads the statistics of a captured reply', () => {
    expect(parseQdisc(captureOf('pfifo_fast with a backlog'))).toMatchObject({
      ifindex: 2,
      handle: tcHandle(0x10),
      parent: tcHandle(1, 1),
      kind: 'pfifo_fast',
      sentBytes: 257_982,
      sentPackets: 599,
      backlogPackets: 94,
      backlogBytes: 79_148,
      dropped: 3,
      requeues: 2,
      overlimits: 1,
    });
  });

  it('reads back what a request carries, and refuses it cut short', () => {
    const place = { parent: tcHandle(1, 1), handle: tcHandle(0x10) };
    const message = replaceQdiscMessage(2, { ...place, options: { kind: 'pfifo', limitPackets: 9 } }).finish(0);
    const qdisc = parseQdisc(payloadOf(message));
    expect(qdisc).toMatchObject({ ...place, kind: 'pfifo', dropped: 0 });
    expect([...qdisc.rawOptions]).toEqual([9, 0, 0, 0]);
    const octets = captureOf('pfifo_fast with a backlog');
    expect(() => parseQdisc(octets.subarray(0, octets.length - 4))).toThrow(/malformed/);
    for (let length = 0; length < octets.length; length++) survives(parseQdisc, octets.slice(0, length));
  });
});

describe('refusals', () => {
  it('carry errno and the words of the kernel', () => {
    const message = parseMessages(captureOf('unknown qdisc'))[0];
    if (message === undefined) throw new Error('no message');
    const refusal = refusalOf(message);
    expect(refusal).toEqual({ errno: 2, text: 'Specified qdisc kind is unknown.' });
    if (refusal === undefined) return;
    const failure = refusalError(refusal, { call: 'RTM_NEWQDISC', subject: 'prio on sl0' });
    expect(failure.code).toBe('kernel-feature');
    expect(failure.message).toBe('RTM_NEWQDISC prio on sl0: ENOENT (Specified qdisc kind is unknown)');
    expect(failure.details).toMatchObject({ errno: 'ENOENT', call: 'RTM_NEWQDISC', subject: 'prio on sl0' });
  });

  it('are told apart by errno', () => {
    const code = (errno: number): string => refusalError({ errno, text: '' }, { call: 'X', subject: 'y' }).code;
    expect([1, 13, 95, 19, 22].map(code)).toEqual(['privilege', 'privilege', 'kernel-feature', 'system', 'system']);
    expect(refusalError({ errno: 524, text: '' }, { call: 'X', subject: 'y' }).message).toBe('X y: errno 524');
  });

  it('are none in an acknowledgement', () => {
    const [message] = parseMessages(new MessageWriter(2, 0x100).u32(0).octets(new Uint8Array(16)).finish(1));
    expect(message && refusalOf(message)).toBeUndefined();
  });

  it('cut short are malformed, and any octets are survived', () => {
    const parse = (octets: Uint8Array): unknown => parseMessages(octets).map(refusalOf);
    const whole = captureOf('unknown qdisc');
    for (let length = 0; length < whole.length; length++) survives(parse, whole.slice(0, length));
    const random = fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(0, 0x100, 0x200, 0x300));
    fc.assert(
      fc.property(random, ([payload, flags]) => survives(parse, new MessageWriter(2, flags).octets(payload).finish(1))),
    );
  });
});
