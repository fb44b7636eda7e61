/** What a frame says of the channel, whomever it is for: whose turn it is, and what follows. */
import type { LinkFrame } from '../wire/link-frame.js';
import { BROADCAST } from '../wire/packet.js';
import type { MacParts } from './parts.js';
import type { MacState } from './ports.js';
import type { BurstFrame } from './sender.js';
import type { Transmission } from './transmitter.js';

export type OverhearingParts = Pick<MacParts, 'access' | 'answersCome' | 'deferral' | 'requests' | 'timing'>;

/** Tells all who keep account of the channel about a frame that was understood, of so many octets. */
export function overhear(
  parts: OverhearingParts,
  frame: LinkFrame,
  octets: number,
  airtimeUs: number,
  nowUs: number,
): void {
  const { access, answersCome, deferral, requests, timing } = parts;
  // An answer tells those who missed what it answers whose exchange it is.
  const isAnswer = frame.type === 'ack' || frame.type === 'cts';
  const speaker = isAnswer ? frame.destination : frame.source;
  const confirmed = answersCome && !isAnswer && frame.destination !== BROADCAST;
  const goesUnanswered = frame.type === 'acks' || frame.piggyback?.later === true;
  const hiddenAnswerUs = confirmed && !goesUnanswered ? requests?.hiddenAnswerUs(frame, nowUs) : null;
  // The same for all other frames: who did not understand one cannot tell whether it will be answered, and all must count alike.
  const isFollowed = (answersCome && !isAnswer && !goesUnanswered) || frame.more;
  const answerUs = hiddenAnswerUs ?? (isFollowed ? timing.ackStartUs : 0);
  const beginsTurn = frame.piggyback !== undefined && frame.piggyback.acks.length > 0;
  access.heard(speaker, { confirmed: confirmed || isAnswer, answerUs, airtimeUs, beginsTurn });
  requests?.heed(frame, nowUs);
  if (!isAnswer) deferral.heard(frame, octets);
}

/** Whether the channel is kept free for an answer after what we sent. @param frame if it was data */
export function isFollowed(
  what: Transmission | null,
  frame: BurstFrame | null,
  answersCome: boolean,
  state: MacState,
): boolean {
  if (frame?.later === true) return false;
  if (what === 'data' || what === 'identification') return answersCome || frame?.last === false;
  // What we answer while we wait for an answer ourselves does not end our exchange; after a clearance, frames come.
  return what === 'request' || what === 'clearance' || (what === 'ack' && state === 'awaiting-ack');
}
