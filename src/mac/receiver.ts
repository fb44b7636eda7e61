/**
 * The receiving half of a station: puts the frames of each sender in order, takes aggregates apart and fragments together,
 * and knows what to answer.
 */
import type { Cancel, Scheduler } from '../base/clock.js';
import type { DropCause } from '../base/drops.js';
import { sameOctets } from '../base/octets.js';
import { decodeAggregate } from '../wire/aggregate.js';
import { Reassembler } from '../wire/fragment.js';
import { encodeLinkFrame, type FcsBytes, type LinkFrame } from '../wire/link-frame.js';
import { BROADCAST, type InboundPacket, type Station } from '../wire/packet.js';
import { Inbox } from './inbox.js';
import type { Acknowledgement } from './outbox.js';

export interface ReceiverOptions {
  readonly station: Station;
  readonly fcsBytes: FcsBytes;
  readonly scheduler: Scheduler;
  /** Fragments, and frames held back, that stay away for longer are given up. */
  readonly patienceUs: number;
  deliver(packet: InboundPacket): void;
  drop(cause: DropCause): void;
}

interface Peer {
  readonly inbox: Inbox<LinkFrame>;
  lastUs: number;
  /** The frame that came last, to tell a repetition by the modem from a sender that started anew. */
  lastBody: Uint8Array;
  lastSequence: number;
  /** The frame that came last of those that nobody acknowledges. */
  unconfirmed: LinkFrame | null;
}

const NO_BODY = new Uint8Array(0);

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #peers = new Map<Station, Peer>();
  readonly #reassembler: Reassembler;
  #cancelExpiry: Cancel | null = null;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#reassembler = new Reassembler(options.patienceUs);
  }

  /** A frame that nobody acknowledges: delivered as it comes. False when it is one that was sent again, and had come. */
  takeUnconfirmed(frame: LinkFrame, nowUs: number): boolean {
    const peer = this.#peer(frame.source);
    const before = peer.unconfirmed;
    peer.unconfirmed = frame;
    if (before !== null && isAgain(before, frame)) {
      this.#options.drop('rx-duplicate');
      return false;
    }
    this.#deliver(frame, nowUs);
    this.#watchExpiry();
    return true;
  }

  /** A frame under ARQ: delivered in order and once. False when it had come before. */
  takeConfirmed(frame: LinkFrame, nowUs: number): boolean {
    const { source, sequence, behind, body } = frame;
    const peer = this.#peer(source);
    peer.lastUs = nowUs;
    const again = peer.lastSequence === sequence && sameOctets(peer.lastBody, body);
    peer.lastSequence = sequence;
    peer.lastBody = body;
    const { ready, isNew } = peer.inbox.take({ sequence, behind, retry: frame.retry || again }, frame);
    if (!isNew) this.#options.drop('rx-duplicate');
    for (const each of ready) this.#deliver(each, nowUs);
    this.#watchExpiry();
    return isNew;
  }

  /** The answer to a sender, as octets for the modem. */
  acknowledgement(to: Station): Uint8Array {
    const { next, bitmap } = this.arrived(to);
    const { station: source, fcsBytes } = this.#options;
    const body = bitmap === 0 ? NO_BODY : Uint8Array.of(bitmap);
    const frame = {
      type: 'ack',
      destination: to,
      source,
      sequence: next,
      behind: 0,
      more: false,
      retry: false,
    } as const;
    return encodeLinkFrame({ ...frame, body }, fcsBytes);
  }

  /** What has arrived from a sender. */
  arrived(from: Station): Acknowledgement {
    return this.#peer(from).inbox.acknowledgement;
  }

  /** Somebody asks for the acknowledgement of frames that it sent, the oldest of which has this number. */
  polled({ source, sequence }: LinkFrame): void {
    this.#peer(source).inbox.startAt(sequence);
  }

  /** Looks after nothing any more. */
  close(): void {
    this.#cancelExpiry?.();
  }

  /** While something is held back or half complete, somebody must look whether it is still worth it. */
  #watchExpiry(): void {
    if (this.#cancelExpiry !== null || !this.#waiting) return;
    const { scheduler, patienceUs } = this.#options;
    this.#cancelExpiry = scheduler.at(scheduler.nowUs() + patienceUs + 1, () => {
      this.#cancelExpiry = null;
      this.#expire(scheduler.nowUs());
      this.#watchExpiry();
    });
  }

  get #waiting(): boolean {
    return this.#reassembler.waiting || [...this.#peers.values()].some(({ inbox }) => inbox.held > 0);
  }

  /** Gives up waiting for what stays away. */
  #expire(nowUs: number): void {
    for (const peer of this.#peers.values()) {
      if (peer.inbox.held === 0 || nowUs - peer.lastUs <= this.#options.patienceUs) continue;
      for (const frame of peer.inbox.flush()) this.#deliver(frame, nowUs);
    }
    this.#reassembler.expire(nowUs, this.#options.drop);
  }

  #deliver(frame: LinkFrame, nowUs: number): void {
    const { type, source, destination, body } = frame;
    const { deliver, drop } = this.#options;
    switch (type) {
      case 'ip':
      case 'arp':
      case 'ethernet':
        deliver({ source, destination, kind: type, payload: body });
        return;
      case 'aggregate': {
        const packets = decodeAggregate(body);
        if (packets === null) drop('rx-malformed');
        else for (const packet of packets) deliver({ source, destination, ...packet });
        return;
      }
      case 'fragment': {
        const whole = this.#reassembler.take(source, destination === BROADCAST, body, nowUs, drop);
        if (typeof whole === 'string') drop(whole);
        else if (whole !== null) deliver({ source, destination, ...whole });
        return;
      }
      case 'ack':
      case 'poll':
      case 'rts':
      case 'cts':
      case 'identification':
      case 'acks':
        return;
    }
  }

  #peer(station: Station): Peer {
    let peer = this.#peers.get(station);
    if (peer === undefined) {
      peer = { inbox: new Inbox(), lastUs: 0, lastBody: NO_BODY, lastSequence: -1, unconfirmed: null };
      this.#peers.set(station, peer);
    }
    return peer;
  }
}

function isAgain(before: LinkFrame, { type, destination, sequence, retry, body }: LinkFrame): boolean {
  // To one station, and from one that waits for an acknowledgement, it may have been sent again without the mark.
  const mayBeAgain = retry || destination !== BROADCAST;
  const isSameFrame = before.type === type && before.destination === destination && before.sequence === sequence;
  return mayBeAgain && isSameFrame && sameOctets(before.body, body);
}
