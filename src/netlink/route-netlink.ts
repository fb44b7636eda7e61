/** Links, addresses and queueing disciplines of this network namespace, as plain calls over a netlink socket. */

import { SluiceError } from '../base/errors.js';
import {
  deleteAddressMessage,
  deleteNeighbourMessage,
  dumpAddressesMessage,
  type InterfaceAddress,
  newAddressMessage,
  newNeighbourMessage,
  parseAddress,
} from './address.js';
import { NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, RTM_NEWADDR, RTM_NEWLINK, RTM_NEWQDISC } from './constants.js';
import { type RequestContext, refusalError, refusalOf } from './failure.js';
import {
  deleteLinkMessage,
  getLinkByIndexMessage,
  getLinkByNameMessage,
  type Link,
  type LinkChange,
  type LinkStatistics,
  parseLink,
  setLinkMessage,
} from './link.js';
import { type MessageWriter, type NetlinkMessage, parseMessages, setSequence } from './message.js';
import {
  changeQdiscMessage,
  deleteQdiscMessage,
  dumpQdiscsMessage,
  formatHandle,
  parseQdisc,
  type Qdisc,
  type QdiscPlace,
  type QdiscRequest,
  recreateQdiscMessage,
  replaceQdiscMessage,
} from './qdisc.js';

/** A netlink socket of the family NETLINK_ROUTE. */
export interface NetlinkRequester {
  /**
   * Sends one message and gives what the kernel answered, each buffer with one or more whole messages: up to and with
   * the acknowledgement (NLMSG_ERROR) or the end of the dump (NLMSG_DONE).
   */
  request(message: Uint8Array): Uint8Array[];
  /** Sends one message; true when the kernel acknowledged it at once. What it says otherwise is not kept. */
  acknowledged?(message: Uint8Array): boolean;
}

/** A dump that a change of the tables interrupted is asked for again, so often. */
const DUMP_ATTEMPTS = 5;

/**
 * Every method throws SluiceError when the kernel refuses: `privilege` for EPERM, `kernel-feature` where the kernel
 * lacks what was asked for, else `system`; the errno's name and the kernel's own words are in it.
 */
export class RouteNetlink {
  #socket: NetlinkRequester;
  #sequence = 0;

  constructor(socket: NetlinkRequester) {
    this.#socket = socket;
  }

  /** From now on through another socket: the device went to another network namespace, and this one follows it there. */
  moveTo(socket: NetlinkRequester): void {
    this.#socket = socket;
  }

  linkByIndex(ifindex: number): Link {
    return this.#link(getLinkByIndexMessage(ifindex), `interface ${ifindex}`);
  }

  linkByName(name: string): Link {
    return this.#link(getLinkByNameMessage(name), name);
  }

  /** Sets what `change` names. Renaming needs a link that is down, on kernels before 6.2. */
  setLink(ifindex: number, change: LinkChange): void {
    const what = Object.keys(change).join(', ');
    this.#exchange(setLinkMessage(ifindex, change), {
      call: 'RTM_NEWLINK',
      subject: `${what} of interface ${ifindex}`,
    });
  }

  deleteLink(ifindex: number): void {
    this.#exchange(deleteLinkMessage(ifindex), { call: 'RTM_DELLINK', subject: `interface ${ifindex}` });
  }

  linkStatistics(ifindex: number): LinkStatistics {
    return this.linkByIndex(ifindex).statistics;
  }

  addAddress(ifindex: number, address: InterfaceAddress): void {
    this.#exchange(newAddressMessage(ifindex, address), {
      call: 'RTM_NEWADDR',
      subject: `address of interface ${ifindex}`,
    });
  }

  deleteAddress(ifindex: number, address: InterfaceAddress): void {
    this.#exchange(deleteAddressMessage(ifindex, address), {
      call: 'RTM_DELADDR',
      subject: `address of interface ${ifindex}`,
    });
  }

  /** Makes `mac` the permanent answer to who has `address` (4 or 16 octets). */
  addNeighbour(ifindex: number, address: Uint8Array, mac: Uint8Array): void {
    this.#exchange(newNeighbourMessage(ifindex, address, mac), {
      call: 'RTM_NEWNEIGH',
      subject: `neighbour on interface ${ifindex}`,
    });
  }

  deleteNeighbour(ifindex: number, address: Uint8Array): void {
    this.#exchange(deleteNeighbourMessage(ifindex, address), {
      call: 'RTM_DELNEIGH',
      subject: `neighbour on interface ${ifindex}`,
    });
  }

  replaceQdisc(ifindex: number, request: QdiscRequest): void {
    this.#exchange(replaceQdiscMessage(ifindex, request), qdiscContext('RTM_NEWQDISC', ifindex, request));
  }

  changeQdisc(ifindex: number, request: QdiscRequest): void {
    this.#exchange(changeQdiscMessage(ifindex, request), qdiscContext('RTM_NEWQDISC', ifindex, request));
  }

  /** Sets up again what `qdiscs` had told, without its children. */
  recreateQdisc(ifindex: number, qdisc: Qdisc): void {
    this.#exchange(recreateQdiscMessage(ifindex, qdisc), {
      call: 'RTM_NEWQDISC',
      subject: `${qdisc.kind} ${formatHandle(qdisc.handle)} on interface ${ifindex}`,
    });
  }

  deleteQdisc(ifindex: number, place: QdiscPlace): void {
    this.#exchange(deleteQdiscMessage(ifindex, place), {
      call: 'RTM_DELQDISC',
      subject: `qdisc ${formatHandle(place.handle)} on interface ${ifindex}`,
    });
  }

  /** Those of one interface, the kernel's default ones (handle 0) included. */
  qdiscs(ifindex: number): Qdisc[] {
    return this.#dump(dumpQdiscsMessage(), { call: 'RTM_GETQDISC', subject: `interface ${ifindex}` })
      .filter((message) => message.type === RTM_NEWQDISC)
      .map((message) => parseQdisc(message.payload))
      .filter((qdisc) => qdisc.ifindex === ifindex);
  }

  addresses(ifindex: number): InterfaceAddress[] {
    return this.#dump(dumpAddressesMessage(), { call: 'RTM_GETADDR', subject: `interface ${ifindex}` })
      .filter((message) => message.type === RTM_NEWADDR)
      .map((message) => parseAddress(message.payload))
      .filter((address) => address.ifindex === ifindex);
  }

  /**
   * Encodes a change of a qdisc once, to be sent often. The function that it gives sends the message, checks the
   * acknowledgement, and builds nothing; it throws as `changeQdisc` does.
   */
  preparedChange(ifindex: number, request: QdiscRequest): () => void {
    const message = changeQdiscMessage(ifindex, request).finish(0);
    const context = qdiscContext('RTM_NEWQDISC', ifindex, request);
    return () => {
      setSequence(message, this.#nextSequence());
      if (this.#socket.acknowledged !== undefined) {
        if (this.#socket.acknowledged(message)) return;
        // Once more, to hear what is said instead.
        setSequence(message, this.#nextSequence());
      }
      this.#checked(this.#socket.request(message), context);
    };
  }

  #dump(request: MessageWriter, context: RequestContext): NetlinkMessage[] {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const messages = this.#exchange(request, context);
      if (!messages.some((message) => (message.flags & NLM_F_DUMP_INTR) !== 0)) return messages;
    }
    throw new SluiceError('system', `${context.call} ${context.subject}: interrupted ${DUMP_ATTEMPTS} times`, {
      ...context,
      errno: 'EINTR',
      remedy: 'Something changes them all the time; find it with `ip monitor` or `tc monitor`.',
    });
  }

  #link(writer: MessageWriter, subject: string): Link {
    const messages = this.#exchange(writer, { call: 'RTM_GETLINK', subject });
    const found = messages.find((message) => message.type === RTM_NEWLINK);
    if (found !== undefined) return parseLink(found.payload);
    throw new SluiceError('system', `RTM_GETLINK ${subject}: no answer`, { call: 'RTM_GETLINK', subject });
  }

  #exchange(writer: MessageWriter, context: RequestContext): NetlinkMessage[] {
    return this.#checked(this.#socket.request(writer.finish(this.#nextSequence())), context);
  }

  #checked(replies: readonly Uint8Array[], context: RequestContext): NetlinkMessage[] {
    const messages = replies.flatMap(parseMessages).filter((message) => message.sequence === this.#sequence);
    for (const message of messages) {
      const refusal = refusalOf(message);
      if (refusal !== undefined) throw refusalError(refusal, context);
    }
    if (!messages.some((message) => message.type === NLMSG_ERROR || message.type === NLMSG_DONE)) {
      throw new SluiceError('system', `${context.call} ${context.subject}: the kernel did not acknowledge`, {
        ...context,
      });
    }
    return messages;
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return this.#sequence;
  }
}

function qdiscContext(call: string, ifindex: number, request: QdiscRequest): RequestContext {
  const place = formatHandle(request.handle);
  return { call, subject: `${request.options.kind} ${place} on interface ${ifindex}` };
}
