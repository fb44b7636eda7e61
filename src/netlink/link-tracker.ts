/** One interface, followed through the kernel's notifications: what has changed since the last look. */

import type { Link } from './link.js';
import type { RouteNotification } from './notification.js';

export type LinkEvent =
  | { readonly what: 'renamed'; readonly name: string; readonly before: string }
  | { readonly what: 'up' }
  | { readonly what: 'down' }
  | { readonly what: 'mtu'; readonly mtuBytes: number }
  | { readonly what: 'mac'; readonly mac: Uint8Array }
  | { readonly what: 'queue-length'; readonly packets: number }
  | { readonly what: 'qdisc' }
  | { readonly what: 'deleted' }
  | { readonly what: 'moved'; readonly ifindex: number };

export class LinkTracker {
  #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  /** As last seen. */
  get link(): Link {
    return this.#link;
  }

  /** What a notification means for this interface; nothing, mostly. */
  notified(notification: RouteNotification): LinkEvent[] {
    if (notification.ifindex !== this.#link.ifindex) return [];
    switch (notification.what) {
      case 'link':
        return this.seen(notification.link);
      case 'qdisc':
        return [{ what: 'qdisc' }];
      case 'link-gone':
        return notification.movedTo === null
          ? [{ what: 'deleted' }]
          : [{ what: 'moved', ifindex: notification.movedTo }];
    }
  }

  /** Compares with the link as it is now. */
  seen(now: Link): LinkEvent[] {
    const before = this.#link;
    this.#link = now;
    const events: LinkEvent[] = [];
    if (now.name !== before.name) events.push({ what: 'renamed', name: now.name, before: before.name });
    if (now.mtuBytes !== before.mtuBytes) events.push({ what: 'mtu', mtuBytes: now.mtuBytes });
    if (now.txQueueLength !== before.txQueueLength) events.push({ what: 'queue-length', packets: now.txQueueLength });
    if (now.mac.some((octet, i) => octet !== before.mac[i])) events.push({ what: 'mac', mac: now.mac });
    if (now.up !== before.up) events.push({ what: now.up ? 'up' : 'down' });
    return events;
  }
}
