/** Every message we send, octet for octet as iproute2 sends it. */

import { describe, expect, it } from 'vitest';
import { newAddressMessage, newNeighbourMessage } from '../../../src/netlink/address.js';
import { TC_H_ROOT } from '../../../src/netlink/constants.js';
import { getLinkByNameMessage, setLinkMessage } from '../../../src/netlink/link.js';
import type { MessageWriter } from '../../../src/netlink/message.js';
import {
  changeQdiscMessage,
  deleteQdiscMessage,
  formatHandle,
  replaceQdiscMessage,
  tcHandle,
} from '../../../src/netlink/qdisc.js';
import { type QdiscOptions, slowestTbfRate } from '../../../src/netlink/qdisc-options.js';
import * as captured from './captured.js';

const IFINDEX = 2;

function root(major: number, options: QdiscOptions): Uint8Array {
  return replaceQdiscMessage(IFINDEX, { parent: TC_H_ROOT, handle: tcHandle(major), options }).finish(0);
}

describe('messages to the kernel', () => {
  const cases: readonly (readonly [string, MessageWriter, Uint8Array])[] = [
    ['link up', setLinkMessage(IFINDEX, { up: true }), captured.LINK_UP],
    ['link down', setLinkMessage(IFINDEX, { up: false }), captured.LINK_DOWN],
    ['MTU', setLinkMessage(IFINDEX, { mtuBytes: 576 }), captured.LINK_MTU],
    ['txqueuelen', setLinkMessage(IFINDEX, { txQueueLength: 1000 }), captured.LINK_TXQUEUELEN],
    ['MAC', setLinkMessage(IFINDEX, { mac: Uint8Array.of(2, 0, 0, 0, 0, 5) }), captured.LINK_MAC],
    [
      'IPv4 address',
      newAddressMessage(IFINDEX, { address: Uint8Array.of(10, 0, 0, 1), prefixLength: 24 }),
      captured.ADDRESS_IPV4,
    ],
    [
      'IPv6 address',
      newAddressMessage(IFINDEX, {
        address: Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
        prefixLength: 64,
      }),
      captured.ADDRESS_IPV6,
    ],
    [
      'neighbour',
      newNeighbourMessage(IFINDEX, Uint8Array.of(10, 0, 0, 2), Uint8Array.of(2, 0, 0, 0, 0, 2)),
      captured.NEIGHBOUR,
    ],
    ['no qdisc', deleteQdiscMessage(IFINDEX, { parent: TC_H_ROOT, handle: 0 }), captured.QDISC_DELETE_ROOT],
  ];
  it.each(cases)('%s', (_name, writer, expected) => {
    expect(writer.finish(0)).toEqual(expected);
  });

  it('tbf, whose rate table follows the captured head in equal steps', () => {
    const message = root(1, { kind: 'tbf', rateBytesPerS: 8, burstBytes: 1514, limit: 1000 });
    const head = captured.TBF_REPLACE_HEAD;
    expect(message.length).toBe(1124);
    expect(message.subarray(0, head.length)).toEqual(head);
    const table = new DataView(message.buffer, message.length - 1024, 1024);
    expect(table.getUint32(1020, true)).toBe((256 * 15_625_000) >>> 0);
  });

  it('pfifo', () => expect(root(0x10, { kind: 'pfifo', limitPackets: 500 })).toEqual(captured.PFIFO_REPLACE));

  it('prio', () => expect(root(0x20, { kind: 'prio' })).toEqual(captured.PRIO_REPLACE));

  it('fq_codel', () => {
    const times = { targetUs: 500_000, intervalUs: 5_000_000 };
    expect(root(0x30, { kind: 'fq_codel', limitPackets: 1000, ...times })).toEqual(captured.FQ_CODEL_REPLACE);
  });

  it('cake', () => {
    const times = { targetUs: 250_000, intervalUs: 5_000_000 };
    expect(root(0x40, { kind: 'cake', ...times })).toEqual(captured.CAKE_REPLACE);
  });

  it('pfifo_fast as a child', () => {
    const place = { parent: tcHandle(1, 1), handle: 0 };
    const message = replaceQdiscMessage(IFINDEX, { ...place, options: { kind: 'pfifo_fast' } });
    expect(message.finish(0)).toEqual(captured.PFIFO_FAST_REPLACE);
  });

  it('a change differs from a replacement in its flags only', () => {
    const request = {
      parent: TC_H_ROOT,
      handle: tcHandle(0x10),
      options: { kind: 'pfifo', limitPackets: 500 },
    } as const;
    const change = changeQdiscMessage(IFINDEX, request).finish(0);
    expect(change[7]).toBe(0);
    change[7] = 5;
    expect(change).toEqual(captured.PFIFO_REPLACE);
  });

  it('the sequence number stands where the header has it', () => {
    const message = setLinkMessage(IFINDEX, { up: true }).finish(0xfedcba98);
    expect([...message.subarray(8, 12)]).toEqual([0x98, 0xba, 0xdc, 0xfe]);
  });

  it('a host route has no broadcast address', () => {
    const one = newAddressMessage(IFINDEX, { address: Uint8Array.of(10, 0, 0, 1), prefixLength: 31 }).finish(0);
    expect(one.length).toBe(captured.ADDRESS_IPV4.length - 8);
  });
});

describe('limits', () => {
  it('the slowest rate is the slowest whose filling time fits 32 bits of ticks', () => {
    for (const burst of [60, 275, 612, 1536, 9036]) {
      const rate = slowestTbfRate(burst);
      expect((burst * 1e9) / rate / 64).toBeLessThanOrEqual(0xffffffff);
      if (rate > 1) expect((burst * 1e9) / (rate - 1) / 64).toBeGreaterThan(0xffffffff);
    }
    expect(slowestTbfRate(1514)).toBe(6);
    expect(slowestTbfRate(200)).toBe(1);
  });

  it('refuses a burst that does not fit', () => {
    expect(() => root(1, { kind: 'tbf', rateBytesPerS: 5, burstBytes: 1514, limit: 1 })).toThrow(/32 bits/);
  });

  it.each(['', 'a'.repeat(16), 'a b', 'a/b', 'a:b', '.', '..'])('refuses the interface name "%s"', (name) => {
    expect(() => getLinkByNameMessage(name)).toThrow(/name of an interface/);
    expect(() => setLinkMessage(IFINDEX, { name })).toThrow(/name of an interface/);
  });

  it('refuses addresses, MACs and prefixes of the wrong size', () => {
    expect(() => setLinkMessage(IFINDEX, { mac: new Uint8Array(5) })).toThrow(/6 octets/);
    expect(() => newAddressMessage(IFINDEX, { address: new Uint8Array(5), prefixLength: 8 })).toThrow(/4 or 16/);
    expect(() => newAddressMessage(IFINDEX, { address: new Uint8Array(4), prefixLength: 33 })).toThrow(/prefix/);
  });

  it('writes handles as tc does', () => {
    expect(formatHandle(tcHandle(1))).toBe('1:');
    expect(formatHandle(tcHandle(0x10, 2))).toBe('10:2');
    expect(tcHandle(0xffff, 0)).toBeGreaterThan(0);
  });
});
