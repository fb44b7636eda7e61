/** A device that is there already: whether it is a TAP that we can attach to, and with which flags. */
import { isSluiceError, SluiceError } from '../base/errors.js';
import type { Link } from '../netlink/link.js';
import type { RouteNetlink } from '../netlink/route-netlink.js';

/**
 * The interface of that name; undefined where there is none.
 * @throws SluiceError `configuration` when it is no TAP; `kernel-feature` when another process uses it, or it was made
 *   for frames with headers that we do not speak
 */
export function existingTap(netlink: Pick<RouteNetlink, 'linkByName'>, name: string): Link | undefined {
  const link = find(netlink, name);
  if (link === undefined) return undefined;
  if (link.kind !== 'tun' || link.tun?.layer === 'tun') {
    const what = link.kind === 'tun' ? 'TUN device, which carries no Ethernet frames' : `interface of another kind`;
    throw new SluiceError(
      'configuration',
      `interface.name "${name}" is taken by a${what.startsWith('i') ? 'n' : ''} ${what}`,
      {
        subject: name,
        remedy: 'Take another name with --name, or delete that interface.',
      },
    );
  }
  const { tun } = link;
  if (tun === undefined) return link;
  if (tun.multiQueue && tun.queues > 0) {
    throw new SluiceError('kernel-feature', `${name}: another process reads from ${tun.queues} of its queues`, {
      subject: name,
      remedy: 'Stop that process, which would get a share of the packets; a holder of the device detaches its queue.',
    });
  }
  const initialised = tun.detachedQueues > 0;
  if (initialised && (tun.packetInformation || tun.virtioHeader)) {
    throw new SluiceError('kernel-feature', `${name} was made for frames with a header before them`, {
      subject: name,
      remedy:
        'Have it made without packet information and virtio header (PacketInfo=no, VNetHeader=no in systemd.netdev).',
    });
  }
  return link;
}

function find(netlink: Pick<RouteNetlink, 'linkByName'>, name: string): Link | undefined {
  try {
    return netlink.linkByName(name);
  } catch (failure) {
    if (isSluiceError(failure) && failure.details.errno === 'ENODEV') return undefined;
    throw failure;
  }
}
