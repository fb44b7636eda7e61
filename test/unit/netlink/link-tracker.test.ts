/** Notifications as the kernel sends them, and what they mean for one interface. */
import { describe, expect, it } from 'vitest';
import {
  IFLA_IFNAME,
  IFLA_MTU,
  IFLA_NEW_IFINDEX,
  IFLA_NEW_NETNSID,
  RTM_DELLINK,
  RTM_DELQDISC,
  RTM_NEWLINK,
  RTM_NEWQDISC,
  TCA_KIND,
} from '../../../src/netlink/constants.js';
import type { Link } from '../../../src/netlink/link.js';
import { LinkTracker } from '../../../src/netlink/link-tracker.js';
import { MessageWriter } from '../../../src/netlink/message.js';
import { parseNotification } from '../../../src/netlink/notification.js';

const UP = 1;
const BRIDGE = 7;

function linkMessage(type: number, ifindex: number, family = 0, flags = UP): MessageWriter {
  return new MessageWriter(type, 0).u8(family).u8(0).u16(1).u32(ifindex).u32(flags).u32(0);
}

function qdiscMessage(type: number, ifindex: number): Uint8Array {
  const writer = new MessageWriter(type, 0).u8(0).u8(0).u16(0).u32(ifindex).u32(0x10000).u32(0xffffffff).u32(0);
  return writer.attributeString(TCA_KIND, 'pfifo').finish(1);
}

const LINK: Link = {
  ifindex: 7,
  kind: 'tun',
  tun: undefined,
  name: 'sl0',
  up: true,
  running: true,
  carrier: true,
  mtuBytes: 576,
  mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  txQueueLength: 1000,
  statistics: {
    ...{ rxPackets: 0, txPackets: 0, rxBytes: 0, txBytes: 0 },
    ...{ rxErrors: 0, txErrors: 0, rxDropped: 0, txDropped: 0 },
  },
};

describe('a notification', () => {
  it('of a link carries it whole', () => {
    const octets = linkMessage(RTM_NEWLINK, 7)
      .attributeString(IFLA_IFNAME, 'sl1')
      .attributeU32(IFLA_MTU, 900)
      .finish(1);
    expect(parseNotification(octets)).toMatchObject({ what: 'link', ifindex: 7, link: { name: 'sl1', mtuBytes: 900 } });
  });

  it('of a link that goes tells whether it is gone or elsewhere', () => {
    const gone = linkMessage(RTM_DELLINK, 7);
    expect(parseNotification(gone.finish(1))).toEqual({ what: 'link-gone', ifindex: 7, movedTo: null });
    const moved = linkMessage(RTM_DELLINK, 7).attributeU32(IFLA_NEW_NETNSID, 0);
    expect(parseNotification(moved.finish(1))).toMatchObject({ movedTo: 7 });
    moved.attributeU32(IFLA_NEW_IFINDEX, 12);
    expect(parseNotification(moved.finish(1))).toMatchObject({ movedTo: 12 });
  });

  it('of a bridge about one of its ports is not about the link', () => {
    expect(parseNotification(linkMessage(RTM_DELLINK, 7, BRIDGE).finish(1))).toBeNull();
  });

  it('of a qdisc tells whose it is', () => {
    expect(parseNotification(qdiscMessage(RTM_NEWQDISC, 7))).toMatchObject({ what: 'qdisc', ifindex: 7, gone: false });
    expect(parseNotification(qdiscMessage(RTM_DELQDISC, 7))).toMatchObject({ what: 'qdisc', ifindex: 7, gone: true });
  });

  it('of anything else is passed over, and one cut short is none', () => {
    expect(parseNotification(linkMessage(99, 7).finish(1))).toBeNull();
    expect(parseNotification(new Uint8Array(3))).toBeNull();
    expect(() => parseNotification(linkMessage(RTM_NEWLINK, 7).finish(1).subarray(0, 20))).toThrow('malformed');
  });
});

describe('LinkTracker', () => {
  it('tells each change once', () => {
    const tracker = new LinkTracker(LINK);
    const changed: Link = { ...LINK, name: 'x', mtuBytes: 1, txQueueLength: 2, up: false, mac: new Uint8Array(6) };
    expect(tracker.seen(changed)).toEqual([
      { what: 'renamed', name: 'x', before: 'sl0' },
      { what: 'mtu', mtuBytes: 1 },
      { what: 'queue-length', packets: 2 },
      { what: 'mac', mac: new Uint8Array(6) },
      { what: 'down' },
    ]);
    expect(tracker.seen(changed)).toEqual([]);
    expect(tracker.seen({ ...changed, up: true })).toEqual([{ what: 'up' }]);
  });

  it('hears of its own interface only', () => {
    const tracker = new LinkTracker(LINK);
    expect(tracker.notified({ what: 'link-gone', ifindex: 8, movedTo: null })).toEqual([]);
    expect(tracker.notified({ what: 'link', ifindex: 8, link: { ...LINK, ifindex: 8, up: false } })).toEqual([]);
    expect(tracker.notified({ what: 'link-gone', ifindex: 7, movedTo: null })).toEqual([{ what: 'deleted' }]);
    expect(tracker.notified({ what: 'link-gone', ifindex: 7, movedTo: 9 })).toEqual([{ what: 'moved', ifindex: 9 }]);
  });
});
