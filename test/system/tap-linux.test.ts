/** The Tap port on the kernel, and the set-up of its link as the kernel then tells it. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NetlinkSocket, PacketSocket, TapDevice } from '../../src/native/addon.js';
import { unshareNetwork } from '../../src/native/descriptors.js';
import { RouteNetlink } from '../../src/netlink/route-netlink.js';
import { setUpLink } from '../../src/tap/link-setup.js';
import { hasNativeBackPressure, LinuxTap } from '../../src/tap/linux-tap.js';
import { nextTurns, thrownBy, until } from './native-support.js';

const MAC = Uint8Array.of(0x02, 0x73, 0x6c, 0, 0, 9);
let socket: NetlinkSocket;
let route: RouteNetlink;

beforeAll(() => unshareNetwork());
beforeEach(() => {
  socket = new NetlinkSocket(0);
  route = new RouteNetlink(socket);
});
afterEach(() => socket.close());

describe('LinuxTap', () => {
  it('gives each frame as octets of its own, of the exact length', async () => {
    const tap = new LinuxTap({ name: 'port0' });
    setUpLink(route, tap, { ipv6: 'off' });
    const packets = new PacketSocket(tap.ifindex);
    expect(tap.read()).toBeNull();
    let readable = false;
    tap.onceReadable(() => {
      readable = true;
    });
    packets.send(new Uint8Array(60).fill(1));
    packets.send(new Uint8Array(80).fill(2));
    await until(() => readable, 'first frame');
    const first = tap.read();
    const second = tap.read();
    expect(first).toEqual(new Uint8Array(60).fill(1));
    expect(second).toEqual(new Uint8Array(80).fill(2));
    first?.fill(3);
    expect(second).toEqual(new Uint8Array(80).fill(2));
    expect(tap.read()).toBeNull();
    packets.close();
    tap.close();
    tap.close();
  });

  it('counts what the kernel refuses', () => {
    const tap = new LinuxTap({ name: 'refuse0' });
    expect(tap.write(new Uint8Array(60))).toBe(false);
    setUpLink(route, tap, { ipv6: 'off' });
    expect(tap.write(new Uint8Array(60))).toBe(true);
    expect(tap.write(new Uint8Array(4))).toBe(false);
    expect(tap.refusedWrites).toBe(2);
    tap.close();
  });

  it('knows whether the device was there before', () => {
    const made = new TapDevice('/dev/net/tun', 'found0', 0x1002);
    made.setPersist(true);
    made.close();
    const found = new LinuxTap({ name: 'found0' });
    expect(found.created).toBe(false);
    found.device.setPersist(false);
    found.close();
    const own = new LinuxTap({ name: 'found0' });
    expect(own.created).toBe(true);
    const error = thrownBy(() => new LinuxTap({ name: 'found0', multiQueue: true }));
    expect(error.code).toBe('kernel-feature');
    expect(error.message).toContain('IFF_MULTI_QUEUE');
    own.close();
  });

  it('asks for back pressure by the driver only where the driver has it', () => {
    const tap = new LinuxTap({ name: 'native0', backPressure: true });
    expect(tap.nativeBackPressure).toBe(hasNativeBackPressure(TapDevice.features('/dev/net/tun')));
    tap.close();
    const without = new LinuxTap({ name: 'native0' });
    expect(without.nativeBackPressure).toBe(false);
    without.close();
  });
});

describe('set-up of the link', () => {
  it('is what the kernel has afterwards, and can be taken back', () => {
    const tap = new LinuxTap({ name: 'setup0' });
    const before = route.linkByIndex(tap.ifindex);
    const restore = setUpLink(route, tap, {
      mtuBytes: 1400,
      mac: MAC,
      txQueueLength: 77,
      addresses: ['10.9.0.9/24', 'fd09::9/64'],
      ipv6: 'manual',
    });
    expect(route.linkByIndex(tap.ifindex)).toMatchObject({ mtuBytes: 1400, txQueueLength: 77, up: true });
    expect([...route.linkByIndex(tap.ifindex).mac]).toEqual([...MAC]);
    // No link-local address among them.
    expect(networkInterfaces().setup0?.map(({ cidr }) => cidr)).toEqual(['10.9.0.9/24', 'fd09::9/64']);
    restore();
    const { mtuBytes, mac, txQueueLength, up } = route.linkByIndex(tap.ifindex);
    expect({ mtuBytes, mac, txQueueLength, up }).toEqual({
      mtuBytes: before.mtuBytes,
      mac: before.mac,
      txQueueLength: before.txQueueLength,
      up: false,
    });
    expect(readFileSync('/proc/sys/net/ipv6/conf/setup0/addr_gen_mode', 'utf8').trim()).toBe('0');
    tap.close();
  });

  it.each([
    ['off', 1500, 0],
    ['manual', 1500, 0],
    ['kernel', 576, 0],
    ['kernel', 1500, 1],
  ] as const)(
    'in mode %s with MTU %i the kernel sends of itself: %i (0 nothing, 1 something)',
    async (ipv6, mtuBytes, sends) => {
      const tap = new LinuxTap({ name: 'quiet0' });
      setUpLink(route, tap, { ipv6, mtuBytes });
      let frames = 0;
      const deadline = Date.now() + (sends === 0 ? 500 : 10_000);
      while (Date.now() < deadline && frames === 0) {
        if (tap.read() !== null) frames += 1;
        await nextTurns(5);
      }
      expect(Math.sign(frames)).toBe(sends);
      tap.close();
    },
  );
});
