/** TapDevice on the kernel: attach, frames, readiness, refusals, and that no descriptor stays behind. */
import { beforeAll, describe, expect, it } from 'vitest';
import { NetlinkSocket, PacketSocket, TapDevice } from '../../src/native/addon.js';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { TUN_FLAGS } from '../../src/native/tun-flags.js';
import { RouteNetlink } from '../../src/netlink/route-netlink.js';
import { setUpLink } from '../../src/tap/link-setup.js';
import { nextTurns, openDescriptors, thrownBy, until } from './native-support.js';

const CLONE = '/dev/net/tun';
const TAP = TUN_FLAGS.IFF_TAP | TUN_FLAGS.IFF_NO_PI;
const MULTI_QUEUE_TAP = TAP | TUN_FLAGS.IFF_MULTI_QUEUE;
/** EIO and EBADF of include/uapi/asm-generic/errno-base.h. */
const EIO = 5;
const EBADF = 9;

beforeAll(() => unshareNetwork());

/** A TAP that is up, with nothing of the kernel's own on it, and a socket to put frames into it. */
function liveTap(name: string) {
  const tap = new TapDevice(CLONE, name, TAP);
  const netlink = new NetlinkSocket(0);
  setUpLink(new RouteNetlink(netlink), tap, { ipv6: 'off' });
  netlink.close();
  const packets = new PacketSocket(tap.ifindex);
  const close = () => {
    packets.close();
    tap.close();
  };
  return { tap, packets, close };
}

function frame(length: number, fill: number): Uint8Array {
  const octets = new Uint8Array(length).fill(fill);
  octets.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5]);
  return octets;
}

describe('TapDevice', () => {
  it('fills in the number of the name, and has an index and features', () => {
    const tap = new TapDevice(CLONE, 'num%d', TAP);
    expect(tap.name).toBe('num0');
    expect(tap.ifindex).toBeGreaterThan(0);
    expect(tap.fd).toBeGreaterThanOrEqual(0);
    expect(tap.features & TAP).toBe(TAP);
    expect(TapDevice.features(CLONE)).toBe(tap.features);
    tap.close();
    expect(tap.fd).toBe(-1);
  });

  it('carries frames out, in order and whole, and then has none', () => {
    const { tap, packets, close } = liveTap('out0');
    const buffer = new Uint8Array(2000);
    expect(tap.read(buffer)).toBe(-1);
    expect(packets.send(frame(60, 1))).toBe(60);
    expect(packets.send(frame(1514, 2))).toBe(1514);
    expect(tap.read(buffer)).toBe(60);
    expect(buffer.subarray(0, 60)).toEqual(frame(60, 1));
    expect(tap.read(buffer)).toBe(1514);
    expect(buffer.subarray(0, 1514)).toEqual(frame(1514, 2));
    expect(tap.read(buffer)).toBe(-1);
    close();
  });

  it('takes frames in while up, and says why not while down', () => {
    const { tap, close } = liveTap('in0');
    expect(tap.write(frame(100, 3))).toBe(100);
    const netlink = new NetlinkSocket(0);
    const route = new RouteNetlink(netlink);
    expect(route.linkStatistics(tap.ifindex)).toMatchObject({ rxPackets: 1, rxBytes: 100 });
    route.setLink(tap.ifindex, { up: false });
    expect(tap.write(frame(100, 3))).toBe(-EIO);
    netlink.close();
    close();
    expect(tap.write(frame(100, 3))).toBe(-EBADF);
  });

  it('calls back once when armed, not at all when disarmed', async () => {
    const { tap, packets, close } = liveTap('arm0');
    const buffer = new Uint8Array(2000);
    let calls = 0;
    const count = () => {
      calls += 1;
    };
    tap.arm(count);
    await nextTurns(20);
    expect(calls).toBe(0);
    packets.send(frame(60, 1));
    await until(() => calls === 1, 'first frame');
    // Still readable, no longer armed.
    packets.send(frame(60, 1));
    await nextTurns(20);
    expect(calls).toBe(1);

    tap.arm(count);
    tap.disarm();
    tap.disarm();
    await nextTurns(20);
    expect(calls).toBe(1);
    tap.arm(count);
    await until(() => calls === 2, 'frames that waited while disarmed');
    expect([tap.read(buffer), tap.read(buffer), tap.read(buffer)]).toEqual([60, 60, -1]);
    close();
  });

  it('replaces the callback when armed twice, and may be armed and closed from within one', async () => {
    const { tap, packets, close } = liveTap('arm1');
    const calls: string[] = [];
    tap.arm(() => calls.push('first'));
    tap.arm(() => {
      calls.push('second');
      tap.arm(() => {
        calls.push('third');
        tap.close();
      });
    });
    packets.send(frame(60, 1));
    await until(() => calls.length >= 2, 'both callbacks');
    await nextTurns(20);
    expect(calls).toEqual(['second', 'third']);
    close();
  });

  it('wakes the reader when the device is deleted, who then learns why', async () => {
    const { tap, close } = liveTap('gone0');
    const netlink = new NetlinkSocket(0);
    let woken = false;
    tap.arm(() => {
      woken = true;
    });
    new RouteNetlink(netlink).deleteLink(tap.ifindex);
    await until(() => woken, 'wake-up by deletion');
    expect(thrownBy(() => tap.read(new Uint8Array(100))).details.errno).toBe('EBADFD');
    netlink.close();
    close();
  });

  it('closes twice without complaint, and refuses to be armed or read after', () => {
    const { tap, close } = liveTap('close0');
    tap.arm(() => undefined);
    close();
    close();
    expect(thrownBy(() => tap.arm(() => undefined)).details.errno).toBe('EBADF');
    expect(thrownBy(() => tap.read(new Uint8Array(100))).details.errno).toBe('EBADF');
    expect(thrownBy(() => tap.setPersist(true)).details.errno).toBe('EBADF');
  });

  it('persists, has an owner, and goes when told to', () => {
    const first = new TapDevice(CLONE, 'keep0', TAP);
    first.setPersist(true);
    first.setOwner(0);
    const { ifindex } = first;
    first.close();
    const second = new TapDevice(CLONE, 'keep0', TAP);
    expect(second.ifindex).toBe(ifindex);
    second.setPersist(false);
    second.close();
    const third = new TapDevice(CLONE, 'keep0', TAP);
    expect(third.ifindex).not.toBe(ifindex);
    third.close();
  });

  it('keeps the carrier through a detached queue', () => {
    const netlink = new NetlinkSocket(0);
    const route = new RouteNetlink(netlink);
    const holder = new TapDevice(CLONE, 'hold0', MULTI_QUEUE_TAP);
    const user = new TapDevice(CLONE, 'hold0', MULTI_QUEUE_TAP);
    setUpLink(route, user, { ipv6: 'off' });
    holder.detachQueue();
    user.close();
    expect(route.linkByIndex(holder.ifindex)).toMatchObject({ name: 'hold0', running: true });
    holder.attachQueue();
    holder.setCarrier(false);
    expect(route.linkByIndex(holder.ifindex).running).toBe(false);
    holder.close();
    netlink.close();
  });
});

describe('refusals, and no descriptor left by any', () => {
  it.each([
    ['no clone device', '/dev/net/none', 'x0', TAP, 'kernel-feature', 'ENOENT', /modprobe tun/],
    ['another device', '/dev/null', 'x0', TAP, 'kernel-feature', 'ENOTTY', /modprobe tun/],
    ['a name too long', CLONE, 'sixteen-octets-x', TAP, 'configuration', 'ENAMETOOLONG', /15/],
    ['a name with a slash', CLONE, 'a/b', TAP, 'kernel-feature', 'EINVAL', /flags/],
    ['an interface that is no TAP', CLONE, 'lo', TAP, 'kernel-feature', 'EINVAL', /must be a TAP/],
    ['a device in use', CLONE, 'busy0', TAP, 'kernel-feature', 'EBUSY', /Stop that process/],
    ['a device with other flags', CLONE, 'busy0', MULTI_QUEUE_TAP, 'kernel-feature', 'EINVAL', /created with/],
  ])('%s', (_what, clonePath, name, flags, code, errno, remedy) => {
    const busy = new TapDevice(CLONE, 'busy0', TAP);
    const before = openDescriptors();
    const error = thrownBy(() => new TapDevice(clonePath, name, flags));
    expect(openDescriptors()).toBe(before);
    expect(error.code).toBe(code);
    expect(error.details.errno).toBe(errno);
    expect(error.details.remedy).toMatch(remedy);
    if (flags === MULTI_QUEUE_TAP) expect(error.message).toContain('IFF_MULTI_QUEUE');
    busy.close();
    expect(openDescriptors()).toBe(before - 1);
  });

  it('wrong types are TypeErrors, and leave nothing open', () => {
    const before = openDescriptors();
    // @ts-expect-error: what plain JavaScript could do
    expect(() => new TapDevice(CLONE, 7, TAP)).toThrow(TypeError);
    // @ts-expect-error: likewise
    expect(() => new TapDevice(CLONE, 'type0')).toThrow(TypeError);
    expect(openDescriptors()).toBe(before);
    const tap = new TapDevice(CLONE, 'type0', TAP);
    // @ts-expect-error: likewise
    expect(() => tap.read('text')).toThrow(TypeError);
    // @ts-expect-error: likewise
    expect(() => tap.write(new Uint16Array(8))).toThrow(TypeError);
    tap.close();
  });
});
