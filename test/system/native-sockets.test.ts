/** NetlinkSocket and PacketSocket on the kernel. */
import { beforeAll, describe, expect, it } from 'vitest';
import { NetlinkSocket, PacketSocket, TapDevice } from '../../src/native/addon.js';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { TUN_FLAGS } from '../../src/native/tun-flags.js';
import {
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  RTM_GETLINK,
  RTM_NEWLINK,
} from '../../src/netlink/constants.js';
import { setLinkMessage } from '../../src/netlink/link.js';
import { MessageWriter, parseMessages } from '../../src/netlink/message.js';
import { RouteNetlink } from '../../src/netlink/route-netlink.js';
import { setUpLink } from '../../src/tap/link-setup.js';
import { nextTurns, openDescriptors, thrownBy, until } from './native-support.js';

const CLONE = '/dev/net/tun';
const TAP = TUN_FLAGS.IFF_TAP | TUN_FLAGS.IFF_NO_PI;
/** RTMGRP_LINK of include/uapi/linux/rtnetlink.h. */
const LINK_GROUP = 1;
const ENETDOWN = 100;
const EBADF = 9;

beforeAll(() => unshareNetwork());

function linkDump(): MessageWriter {
  return new MessageWriter(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP).octets(new Uint8Array(16));
}

function messagesOf(replies: Uint8Array[]) {
  return replies.flatMap((reply) => parseMessages(reply));
}

describe('NetlinkSocket requests', () => {
  it('gives a whole dump, over several datagrams, closed by NLMSG_DONE', () => {
    const socket = new NetlinkSocket(0);
    // About 1.5 KB each: more than the 32 KiB of one datagram.
    const taps = Array.from({ length: 40 }, () => new TapDevice(CLONE, 'dump%d', TAP));
    const messages = messagesOf(socket.request(linkDump().finish(77)));
    const types = messages.map((message) => message.type);
    expect(types.filter((type) => type === RTM_NEWLINK)).toHaveLength(41);
    expect(types.at(-1)).toBe(NLMSG_DONE);
    expect(messages.every((message) => message.sequence === 77)).toBe(true);
    for (const tap of taps) tap.close();
    socket.close();
  });

  it('gives the acknowledgement of a change, and the words of a refusal', () => {
    const socket = new NetlinkSocket(0);
    const done = messagesOf(socket.request(setLinkMessage(1, { up: true }).finish(5)));
    expect(done.map((message) => message.type)).toEqual([NLMSG_ERROR]);
    const route = new RouteNetlink(socket);
    expect(route.linkByName('lo').up).toBe(true);
    const error = thrownBy(() => route.setLink(99_999, { up: true }));
    expect(error.details.errno).toBe('ENODEV');
    const tap = new TapDevice(CLONE, 'words0', TAP);
    // The kernel's own text comes with NETLINK_EXT_ACK.
    expect(thrownBy(() => route.setLink(tap.ifindex, { mtuBytes: 3 })).message).toMatch(/mtu/i);
    tap.close();
    socket.close();
  });

  it('gives up on a request that nobody answers, and tells the late from the new', () => {
    const socket = new NetlinkSocket(0);
    const unanswered = setLinkMessage(1, { up: true }).finish(1);
    unanswered.set([NLM_F_REQUEST, 0], 6);
    expect(thrownBy(() => socket.request(unanswered)).details.errno).toBe('ETIMEDOUT');
    expect(messagesOf(socket.request(setLinkMessage(1, { up: true }).finish(2)))).toHaveLength(1);
    socket.close();
  });

  it('tells in one call whether a request was acknowledged, and is none the worse when it was not', () => {
    const socket = new NetlinkSocket(0);
    expect(socket.acknowledged(setLinkMessage(1, { up: true }).finish(7))).toBe(true);
    expect(socket.acknowledged(setLinkMessage(0x7fff0000, { up: true }).finish(8))).toBe(false);
    expect(socket.acknowledged(setLinkMessage(1, { up: true }).finish(9))).toBe(true);
    expect(messagesOf(socket.request(setLinkMessage(1, { up: true }).finish(10)))).toHaveLength(1);
    expect(thrownBy(() => socket.acknowledged(new Uint8Array(8))).details.errno).toBe('EINVAL');
    socket.close();
    expect(thrownBy(() => socket.acknowledged(setLinkMessage(1, { up: true }).finish(11))).details.errno).toBe('EBADF');
  });

  it('refuses what is no message, what listens to groups, and what is closed', () => {
    const before = openDescriptors();
    const socket = new NetlinkSocket(0);
    const whole = linkDump().finish(1);
    expect(thrownBy(() => socket.request(whole.subarray(0, 8))).details.errno).toBe('EINVAL');
    expect(thrownBy(() => socket.request(whole.subarray(0, 20))).details.errno).toBe('EINVAL');
    socket.close();
    socket.close();
    expect(thrownBy(() => socket.request(whole)).details.errno).toBe('EBADF');
    const listening = new NetlinkSocket(0, LINK_GROUP);
    expect(thrownBy(() => listening.request(whole)).details.errno).toBe('EOPNOTSUPP');
    listening.close();
    const unknown = thrownBy(() => new NetlinkSocket(99));
    expect(unknown.code).toBe('kernel-feature');
    expect(unknown.details.errno).toBe('EPROTONOSUPPORT');
    expect(openDescriptors()).toBe(before);
  });
});

describe('NetlinkSocket notifications', () => {
  it('tells of each change of a link until it is closed', async () => {
    const listening = new NetlinkSocket(0, LINK_GROUP);
    const types: number[] = [];
    listening.onNotification({
      message: (message) => types.push(...parseMessages(message).map(({ type }) => type)),
      overrun: () => types.push(-1),
    });
    const tap = new TapDevice(CLONE, 'note0', TAP);
    await until(() => types.length > 0, 'notification of the new link');
    expect(types.every((type) => type === RTM_NEWLINK)).toBe(true);
    tap.close();
    await until(() => types.includes(17), 'notification of the deleted link');
    listening.close();
    const seen = types.length;
    new TapDevice(CLONE, 'note1', TAP).close();
    await nextTurns(20);
    expect(types).toHaveLength(seen);
  });

  it('may be closed from within the listener', async () => {
    const listening = new NetlinkSocket(0, LINK_GROUP);
    let calls = 0;
    listening.onNotification({
      message: () => {
        calls += 1;
        listening.close();
      },
      overrun: () => undefined,
    });
    for (let i = 0; i < 3; i++) new TapDevice(CLONE, 'within0', TAP).close();
    await until(() => calls > 0, 'first notification');
    await nextTurns(20);
    expect(calls).toBe(1);
    expect(listening.fd).toBe(-1);
  });

  it('reports an overrun, and goes on', async () => {
    const listening = new NetlinkSocket(0, LINK_GROUP);
    const socket = new NetlinkSocket(0);
    const route = new RouteNetlink(socket);
    let overruns = 0;
    let messages = 0;
    listening.onNotification({
      message: () => {
        messages += 1;
      },
      overrun: () => {
        overruns += 1;
      },
    });
    // Without a turn of the event loop in between: more than the receive buffer holds.
    for (let i = 0; i < 500; i++) route.setLink(1, { up: i % 2 === 0 });
    await until(() => overruns > 0 && messages > 0, 'overrun');
    await nextTurns(50);
    const before = messages;
    route.setLink(1, { up: true });
    await until(() => messages > before, 'notification after the overrun');
    socket.close();
    listening.close();
  });
});

describe('PacketSocket', () => {
  it('sends into the interface it is bound to, and says why not while that is down', () => {
    const tap = new TapDevice(CLONE, 'pkt0', TAP);
    const netlink = new NetlinkSocket(0);
    const packets = new PacketSocket(tap.ifindex, 0, 6);
    packets.setSendBuffer(65536);
    const octets = new Uint8Array(60).fill(0xff, 0, 6);
    expect(packets.send(octets)).toBe(-ENETDOWN);
    setUpLink(new RouteNetlink(netlink), tap, { ipv6: 'off' });
    // The interface's way down is told once, on the next send.
    expect(packets.send(octets)).toBe(60);
    expect(tap.read(new Uint8Array(100))).toBe(60);
    packets.close();
    packets.close();
    expect(packets.send(octets)).toBe(-EBADF);
    netlink.close();
    tap.close();
  });

  it('leaves no descriptor where the interface does not exist', () => {
    const before = openDescriptors();
    const error = thrownBy(() => new PacketSocket(99_999));
    expect(error.details).toMatchObject({ errno: 'ENODEV', call: 'bind(AF_PACKET)', subject: 'interface 99999' });
    expect(openDescriptors()).toBe(before);
  });
});
