/** What the watch hears: other hands, but not our own grants, which would wake it for every frame. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NetlinkSocket, TapDevice } from '../../src/native/addon.js';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { TC_H_ROOT } from '../../src/netlink/constants.js';
import { parseNotification, type RouteNotification, WATCH_GROUPS } from '../../src/netlink/notification.js';
import { tcHandle } from '../../src/netlink/qdisc.js';
import { RouteNetlink } from '../../src/netlink/route-netlink.js';
import { nextTurns, until } from './native-support.js';

let own: NetlinkSocket;
let other: NetlinkSocket;
let listener: NetlinkSocket;
let device: TapDevice;
let heard: RouteNotification[];

beforeAll(() => unshareNetwork());
beforeEach(() => {
  own = new NetlinkSocket(0);
  other = new NetlinkSocket(0);
  listener = new NetlinkSocket(0, WATCH_GROUPS);
  device = new TapDevice('/dev/net/tun', 'heard0', 0x1002);
  heard = [];
});
afterEach(() => {
  for (const each of [own, other, listener, device]) each.close();
});

function listen(): void {
  listener.onNotification({
    message: (octets) => {
      const notification = parseNotification(octets);
      if (notification !== null) heard.push(notification);
    },
    overrun: () => undefined,
  });
}

function setQdisc(socket: NetlinkSocket, limitPackets: number): void {
  new RouteNetlink(socket).replaceQdisc(device.ifindex, {
    ...{ parent: TC_H_ROOT, handle: tcHandle(5) },
    options: { kind: 'pfifo', limitPackets },
  });
}

describe('a listener', () => {
  it('does not hear what the socket did that it ignores, and hears the same from another', async () => {
    listener.ignoreOwn(own.portId);
    listen();
    for (let i = 1; i <= 20; i++) setQdisc(own, i);
    await nextTurns(100);
    expect(heard.filter(({ what }) => what === 'qdisc')).toEqual([]);
    setQdisc(other, 100);
    await until(() => heard.some(({ what }) => what === 'qdisc'), 'a qdisc');
    expect(heard.find(({ what }) => what === 'qdisc')).toMatchObject({ ifindex: device.ifindex, gone: false });
  });

  it('hears its own too, unless told otherwise', async () => {
    listen();
    setQdisc(own, 1);
    await until(() => heard.some(({ what }) => what === 'qdisc'), 'a qdisc');
  });

  it('hears of a device that goes', async () => {
    listen();
    const { ifindex } = device;
    device.close();
    await until(() => heard.some(({ what }) => what === 'link-gone'), 'the end of the link');
    expect(heard.find(({ what }) => what === 'link-gone')).toEqual({ what: 'link-gone', ifindex, movedTo: null });
  });
});

describe('a queue', () => {
  it('is taken over by its descriptor, with what waits in it', () => {
    device.setPersist(true);
    const { fd, ifindex } = device;
    const adopted = new TapDevice(fd);
    expect(adopted).toMatchObject({ name: 'heard0', ifindex, fd });
    expect(adopted.flags & 0x0802).toBe(0x0802);
    adopted.setPersist(false);
    expect(adopted.read(new Uint8Array(2000))).toBe(-1);
    adopted.close();
  });
});
