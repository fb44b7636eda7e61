/** What the kernel tells without being asked: links and queueing disciplines that came, changed or went. */

import {
  AF_UNSPEC,
  IFLA_NEW_IFINDEX,
  IFLA_NEW_NETNSID,
  NLMSG_HEADER_BYTES,
  RTM_DELLINK,
  RTM_DELQDISC,
  RTM_NEWLINK,
  RTM_NEWQDISC,
  RTMGRP_LINK,
  RTMGRP_TC,
} from './constants.js';
import { type Link, parseLink } from './link.js';
import { OctetReader, parseMessages } from './message.js';
import { parseQdisc, type Qdisc } from './qdisc.js';

/** The groups of a socket that is to hear all of it. */
export const WATCH_GROUPS = RTMGRP_LINK | RTMGRP_TC;

const IFINFOMSG_BYTES = 16;

export type RouteNotification =
  | { readonly what: 'link'; readonly ifindex: number; readonly link: Link }
  /** `movedTo`: not gone, but in another network namespace, there with this index. */
  | { readonly what: 'link-gone'; readonly ifindex: number; readonly movedTo: number | null }
  | { readonly what: 'qdisc'; readonly ifindex: number; readonly qdisc: Qdisc; readonly gone: boolean };

/** Null for what is of no interest here. Throws SluiceError `system` when the message is malformed. */
export function parseNotification(octets: Uint8Array): RouteNotification | null {
  const message = octets.length < NLMSG_HEADER_BYTES ? undefined : parseMessages(octets)[0];
  switch (message?.type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      const reader = new OctetReader(message.payload, 'link notification');
      // A bridge's ports come and go with these messages too, under the family AF_BRIDGE.
      if (reader.u8(0) !== AF_UNSPEC) return null;
      const ifindex = reader.i32(4);
      if (message.type === RTM_NEWLINK) return { what: 'link', ifindex, link: parseLink(message.payload) };
      const attributes = reader.attributes(IFINFOMSG_BYTES);
      if (!attributes.has(IFLA_NEW_NETNSID)) return { what: 'link-gone', ifindex, movedTo: null };
      // Where the kernel tells no new index, it stayed what it was.
      return { what: 'link-gone', ifindex, movedTo: attributes.get(IFLA_NEW_IFINDEX)?.i32(0) || ifindex };
    }
    case RTM_NEWQDISC:
    case RTM_DELQDISC: {
      const qdisc = parseQdisc(message.payload);
      return { what: 'qdisc', ifindex: qdisc.ifindex, qdisc, gone: message.type === RTM_DELQDISC };
    }
    default:
      return null;
  }
}
