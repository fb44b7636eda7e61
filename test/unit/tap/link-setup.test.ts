/** The order of a link's set-up, its way back, and what is refused before anything is touched. */
import { describe, expect, it } from 'vitest';
import { isSluiceError } from '../../../src/base/errors.js';
import type { InterfaceAddress } from '../../../src/netlink/address.js';
import type { Link, LinkChange } from '../../../src/netlink/link.js';
import { type LinkNetlink, parseInterfaceAddress, setUpLink } from '../../../src/tap/link-setup.js';

const FOUND: Link = {
  ifindex: 7,
  kind: 'tun',
  tun: undefined,
  name: 'no-such-interface',
  up: false,
  running: false,
  carrier: false,
  mtuBytes: 1500,
  mac: Uint8Array.of(2, 1, 1, 1, 1, 1),
  txQueueLength: 500,
  statistics: {
    rxPackets: 0,
    txPackets: 0,
    rxBytes: 0,
    txBytes: 0,
    rxErrors: 0,
    txErrors: 0,
    rxDropped: 0,
    txDropped: 0,
  },
};

class FakeNetlink implements LinkNetlink {
  readonly done: (LinkChange | InterfaceAddress)[] = [];
  linkByIndex(): Link {
    return FOUND;
  }
  addresses(): InterfaceAddress[] {
    return [];
  }
  setLink(_ifindex: number, change: LinkChange): void {
    this.done.push(change);
  }
  addAddress(_ifindex: number, address: InterfaceAddress): void {
    this.done.push(address);
  }
}

function refusal(operation: () => unknown): string {
  try {
    operation();
  } catch (error) {
    if (isSluiceError(error, 'configuration')) return `${error.message} | ${error.details.remedy}`;
    throw error;
  }
  return 'accepted';
}

describe('set-up of a link', () => {
  it('sets the MTU first and brings the link up last', () => {
    const netlink = new FakeNetlink();
    const mac = Uint8Array.of(2, 0x73, 0x6c, 0, 0, 1);
    setUpLink(netlink, FOUND, { mtuBytes: 576, mac, txQueueLength: 1000, addresses: ['10.0.0.1/24'], ipv6: 'off' });
    expect(netlink.done).toEqual([
      { mtuBytes: 576 },
      { mac, txQueueLength: 1000 },
      { address: Uint8Array.of(10, 0, 0, 1), prefixLength: 24 },
      { up: true },
    ]);
  });

  it('puts back what it found', () => {
    const netlink = new FakeNetlink();
    const restore = setUpLink(netlink, FOUND, { mtuBytes: 576 });
    netlink.done.length = 0;
    restore();
    expect(netlink.done).toEqual([{ mac: FOUND.mac, mtuBytes: 1500, txQueueLength: 500, up: false }]);
  });

  it('refuses an IPv6 address where the MTU or the mode leaves no IPv6, before it changes anything', () => {
    const netlink = new FakeNetlink();
    const addresses = ['fd00::1/64'];
    expect(refusal(() => setUpLink(netlink, FOUND, { mtuBytes: 1279, addresses }))).toContain('1280');
    expect(refusal(() => setUpLink(netlink, FOUND, { ipv6: 'off', addresses }))).toContain('manual');
    expect(refusal(() => setUpLink(netlink, FOUND, { addresses: ['10.0.0.1/24', 'nonsense'] }))).toContain('nonsense');
    expect(netlink.done).toEqual([]);
    expect(refusal(() => setUpLink(netlink, FOUND, { mtuBytes: 1280, addresses }))).toBe('accepted');
  });

  it.each(['', '10.0.0.1', '10.0.0.1/33', '10.0.0/24', 'fd00::1/129', '10.0.0.1/24/7', 'x/8'])(
    'takes %j for no address',
    (text) => {
      expect(refusal(() => parseInterfaceAddress(text))).toContain('10.0.0.1/24');
    },
  );
});
