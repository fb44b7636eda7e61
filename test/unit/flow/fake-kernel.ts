/** A kernel of paper behind a netlink socket: one link, its qdiscs, and a record of what was asked. */

import { MessageWriter, OctetReader, parseMessages } from '../../../src/netlink/message.js';
import type { NetlinkRequester } from '../../../src/netlink/route-netlink.js';

const ROOT = 0xffffffff;
const ENOENT = 2;
const UNKNOWN_KIND = 'Specified qdisc kind is unknown.';

export interface FakeQdisc {
  kind: string;
  handle: number;
  parent: number;
  options: Uint8Array;
  dropped: number;
  backlogPackets: number;
}

export class FakeKernel implements NetlinkRequester {
  readonly ifindex = 7;
  txQueueLength = 500;
  mtuBytes = 1500;
  qdiscs: FakeQdisc[] = [];
  /** Each qdisc request, e.g. `change tbf 1:0`. */
  readonly log: string[] = [];
  readonly #kinds: ReadonlySet<string>;

  constructor(kinds: readonly string[] = ['tbf', 'pfifo_fast', 'pfifo', 'prio', 'fq_codel', 'cake']) {
    this.#kinds = new Set(kinds);
  }

  request(message: Uint8Array): Uint8Array[] {
    const [request] = parseMessages(message);
    if (request === undefined) throw new Error('no message');
    const reader = new OctetReader(request.payload, 'request');
    const refuse = (errno: number, text: string): Uint8Array[] => {
      const writer = new MessageWriter(2, 0x300).u32(-errno).octets(new Uint8Array(16));
      return [writer.attributeString(1, text).finish(request.sequence)];
    };
    const acknowledgement = new MessageWriter(2, 0x100).u32(0).octets(new Uint8Array(16)).finish(request.sequence);
    switch (request.type) {
      case 16:
        this.txQueueLength = reader.attributes(16).get(13)?.u32(0) ?? this.txQueueLength;
        return [acknowledgement];
      case 18:
        return [this.#link(request.sequence), acknowledgement];
      case 36: {
        const kind = reader.attributes(20).get(1)?.text() ?? '';
        if (!this.#kinds.has(kind)) return refuse(ENOENT, UNKNOWN_KIND);
        return this.#set(reader, kind, (request.flags & 0x400) !== 0) ? [acknowledgement] : refuse(ENOENT, 'No qdisc.');
      }
      case 37:
        this.log.push('delete root');
        if (this.qdiscs.length === 0) return refuse(ENOENT, 'Cannot delete qdisc with handle of zero.');
        this.qdiscs = [];
        return [acknowledgement];
      case 38:
        return [...this.#dump(request.sequence), new MessageWriter(3, 2).u32(0).finish(request.sequence)];
      default:
        return refuse(95, 'not on paper');
    }
  }

  #set(reader: OctetReader, kind: string, create: boolean): boolean {
    const handle = reader.u32(8);
    const parent = reader.u32(12);
    const options = reader.attributes(20).get(2)?.octets() ?? new Uint8Array(0);
    const place = this.qdiscs.find((qdisc) => qdisc.parent === parent);
    this.log.push(`${create ? 'replace' : 'change'} ${kind} ${(handle >>> 16).toString(16)}:`);
    if (place?.handle === handle && place.kind === kind) {
      place.options = options;
      return true;
    }
    if (!create) return false;
    // A new root takes the whole tree away, a new child only what was in its place.
    this.qdiscs = parent === ROOT ? [] : this.qdiscs.filter((qdisc) => qdisc !== place);
    this.qdiscs.push({ kind, handle, parent, options, dropped: 0, backlogPackets: 0 });
    return true;
  }

  #link(sequence: number): Uint8Array {
    const writer = new MessageWriter(16, 0).u32(0).u32(this.ifindex).u32(1).u32(0);
    writer.attributeString(3, 'paper0').attributeU32(4, this.mtuBytes).attributeU32(13, this.txQueueLength);
    writer.attribute(23, () => writer.octets(new Uint8Array(24 * 8)));
    return writer.finish(sequence);
  }

  #dump(sequence: number): Uint8Array[] {
    const standard = { kind: 'pfifo_fast', handle: 0, parent: ROOT, options: new Uint8Array(0) };
    const all = this.qdiscs.length > 0 ? this.qdiscs : [{ ...standard, dropped: 0, backlogPackets: 0 }];
    return all.map((qdisc) => {
      const writer = new MessageWriter(36, 2).u32(0).u32(this.ifindex).u32(qdisc.handle).u32(qdisc.parent).u32(2);
      writer.attributeString(1, qdisc.kind).attributeOctets(2, qdisc.options);
      writer.attribute(7, () => {
        writer.attribute(3, () => writer.u32(qdisc.backlogPackets).u32(0).u32(qdisc.dropped).u32(0).u32(0));
      });
      return writer.finish(sequence);
    });
  }
}
