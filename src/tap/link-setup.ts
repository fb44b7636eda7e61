/** Makes an interface ready for traffic: MTU, MAC address, queue length, IPv6's own traffic, addresses, up. */
import { readFileSync, writeFileSync } from 'node:fs';
import { isSluiceError, SluiceError } from '../base/errors.js';
import { sameOctets } from '../base/octets.js';
import type { InterfaceAddress } from '../netlink/address.js';
import type { Link, LinkChange } from '../netlink/link.js';
import type { RouteNetlink } from '../netlink/route-netlink.js';
import { parsePrefix } from '../wire/ip-address.js';

/**
 * What IPv6 may do of itself: `kernel` leaves it as it is, `manual` has only the addresses given here (no link-local
 * one, hence no router solicitations), `off` has none at all.
 */
export type Ipv6Mode = 'kernel' | 'manual' | 'off';

export interface LinkSetup {
  readonly mtuBytes?: number;
  /** Six octets. */
  readonly mac?: Uint8Array;
  /** Packets. */
  readonly txQueueLength?: number;
  /** With prefix length, IPv4 or IPv6: `10.0.0.1/24`, `fd00::1/64`. */
  readonly addresses?: readonly string[];
  readonly ipv6?: Ipv6Mode;
}

/** What this user may not do, and the command by which root does it once. */
export interface Refusal {
  readonly command: string;
  /** Without it the interface is of no use. */
  readonly essential: boolean;
}

/** What of RouteNetlink is needed here. */
export type LinkNetlink = Pick<RouteNetlink, 'linkByIndex' | 'setLink' | 'addAddress' | 'addresses'>;

/** RFC 8200, section 5. The kernel takes IPv6 off an interface with a smaller MTU. */
export const IPV6_LEAST_MTU_BYTES = 1280;

/** IN6_ADDR_GEN_MODE_NONE of include/uapi/linux/if_link.h: no link-local address. */
const ADDR_GEN_MODE_NONE = '1';

/**
 * Sets up the interface and brings it up. Where the privilege for that is missing, an interface that is as it should be is
 * good enough, and what is merely of advantage goes into `refusals`.
 * @returns puts MTU, MAC, queue length, IPv6 mode and up or down back as found; addresses stay
 * @throws SluiceError `configuration` for an address that is none or does not fit the MTU; `privilege`, with the commands
 *   that root must give once; `system`
 */
export function setUpLink(
  netlink: LinkNetlink,
  tap: { name: string; ifindex: number },
  setup: LinkSetup,
  refusals: Refusal[] = [],
): () => void {
  const addresses = (setup.addresses ?? []).map(parseInterfaceAddress);
  const before = netlink.linkByIndex(tap.ifindex);
  checkIpv6(addresses, setup, before.mtuBytes);
  const attempt = (operation: () => void, onRefusal: () => Refusal[]): void => {
    try {
      operation();
    } catch (failure) {
      if (!isSluiceError(failure, 'privilege')) throw failure;
      refusals.push(...onRefusal());
    }
  };
  const set = (change: LinkChange): void =>
    attempt(
      () => netlink.setLink(tap.ifindex, change),
      () => missing(before, change),
    );

  // The MTU first: crossing 1280 makes or removes the interface's IPv6 settings.
  if (setup.mtuBytes !== undefined) set({ mtuBytes: setup.mtuBytes });
  let undoIpv6 = (): void => undefined;
  attempt(
    () => {
      undoIpv6 = setIpv6(tap.name, setup.ipv6 ?? 'kernel');
    },
    () => [],
  );
  set({
    ...(setup.mac === undefined ? {} : { mac: setup.mac }),
    ...(setup.txQueueLength === undefined ? {} : { txQueueLength: setup.txQueueLength }),
  });
  for (const [i, address] of addresses.entries()) {
    attempt(
      () => netlink.addAddress(tap.ifindex, address),
      () => missingAddress(netlink.addresses(tap.ifindex), address, `${setup.addresses?.[i]} dev ${tap.name}`),
    );
  }
  set({ up: true });
  const essential = refusals.filter((refusal) => refusal.essential);
  if (essential.length > 0) throw notAllowed(tap.name, refusals);

  return () => {
    undoIpv6();
    netlink.setLink(tap.ifindex, {
      mac: before.mac,
      mtuBytes: before.mtuBytes,
      txQueueLength: before.txQueueLength,
      up: before.up,
    });
  };
}

/** What of a refused change the link does not have anyway. */
function missing(link: Link, { up, mtuBytes, mac, txQueueLength }: LinkChange): Refusal[] {
  const set = `ip link set dev ${link.name}`;
  const refusals: Refusal[] = [];
  if (mtuBytes !== undefined && mtuBytes !== link.mtuBytes) {
    // A smaller one is a matter of speed; frames of a larger one may not fit the modem.
    refusals.push({ command: `${set} mtu ${mtuBytes}`, essential: link.mtuBytes > mtuBytes });
  }
  if (mac !== undefined && !sameOctets(mac, link.mac)) {
    const text = [...mac].map((octet) => octet.toString(16).padStart(2, '0')).join(':');
    refusals.push({ command: `${set} address ${text}`, essential: false });
  }
  if (txQueueLength !== undefined && txQueueLength !== link.txQueueLength) {
    refusals.push({ command: `${set} txqueuelen ${txQueueLength}`, essential: false });
  }
  if (up === true && !link.up) refusals.push({ command: `${set} up`, essential: true });
  return refusals;
}

function missingAddress(present: readonly InterfaceAddress[], wanted: InterfaceAddress, text: string): Refusal[] {
  const found = present.some(
    ({ address, prefixLength }) => prefixLength === wanted.prefixLength && sameOctets(address, wanted.address),
  );
  return found ? [] : [{ command: `ip address add ${text}`, essential: true }];
}

function notAllowed(name: string, refusals: readonly Refusal[]): SluiceError {
  return new SluiceError('privilege', `${name} is not set up, and this user may not do it`, {
    subject: name,
    remedy: `As root, once: ${refusals.map(({ command }) => command).join('; ')}. Or run with CAP_NET_ADMIN.`,
  });
}

/** @throws SluiceError `configuration` when it is not an address with a prefix length */
export function parseInterfaceAddress(text: string): InterfaceAddress {
  const prefix = parsePrefix(text);
  if (prefix !== null) return { address: prefix.address, prefixLength: prefix.prefixBits };
  throw new SluiceError('configuration', `"${text}" is not an address with prefix length`, {
    subject: text,
    remedy: 'Write it as 10.0.0.1/24 or fd00::1/64.',
  });
}

function checkIpv6(addresses: readonly InterfaceAddress[], setup: LinkSetup, presentMtuBytes: number): void {
  if (!addresses.some(({ address }) => address.length === 16)) return;
  const mtuBytes = setup.mtuBytes ?? presentMtuBytes;
  if (mtuBytes < IPV6_LEAST_MTU_BYTES) {
    throw new SluiceError('configuration', `an IPv6 address on an interface with MTU ${mtuBytes}`, {
      remedy: `Raise the MTU to ${IPV6_LEAST_MTU_BYTES} at least (RFC 8200, section 5), or use IPv4 addresses only.`,
    });
  }
  if (setup.ipv6 === 'off') {
    throw new SluiceError('configuration', 'an IPv6 address on an interface with IPv6 off', {
      remedy: 'Take the mode `manual`, or leave the address out.',
    });
  }
}

/** Gives what puts the former setting back. */
function setIpv6(name: string, mode: Ipv6Mode): () => void {
  switch (mode) {
    case 'kernel':
      return () => undefined;
    case 'manual':
      return setIpv6Option(name, 'addr_gen_mode', ADDR_GEN_MODE_NONE);
    case 'off':
      return setIpv6Option(name, 'disable_ipv6', '1');
  }
}

function setIpv6Option(name: string, option: string, value: string): () => void {
  const path = `/proc/sys/net/ipv6/conf/${name}/${option}`;
  const before = access(path, () => readFileSync(path, 'utf8').trim());
  // No such file: IPv6 is not in this kernel, or not on an interface with this MTU. Nothing to switch off then.
  if (before === undefined || before === value) return () => undefined;
  access(path, () => writeFileSync(path, value));
  return () => access(path, () => writeFileSync(path, before));
}

/** Undefined when there is no such file. */
function access<Result>(path: string, operation: () => Result): Result | undefined {
  try {
    return operation();
  } catch (cause) {
    const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    if (errno === 'ENOENT') return undefined;
    throw new SluiceError(errno === 'EACCES' || errno === 'EPERM' ? 'privilege' : 'system', `${path}: ${errno}`, {
      errno,
      subject: path,
      remedy: 'Run as root with a writable /proc/sys, or set the option of IPv6 by other means.',
      cause,
    });
  }
}
