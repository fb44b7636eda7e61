/** The kernel's refusals (NLMSG_ERROR, with its own words where it gives them) as typed errors. */

import { getSystemErrorName } from 'node:util';
import { type ErrorCode, SluiceError } from '../base/errors.js';
import {
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_HEADER_BYTES,
  NLMSGERR_ATTR_MSG,
} from './constants.js';
import { align, type NetlinkMessage, OctetReader } from './message.js';

/** What was asked, for the error's text. */
export interface RequestContext {
  /** The request, e.g. `RTM_NEWQDISC`. */
  readonly call: string;
  /** What it was about, e.g. `tbf on sl0`. */
  readonly subject: string;
}

export interface KernelRefusal {
  /** Positive errno. */
  readonly errno: number;
  /** The kernel's own words, where it gave any. */
  readonly text: string;
}

/** The refusal that a message carries; undefined for acknowledgements and everything else. */
export function refusalOf(message: NetlinkMessage): KernelRefusal | undefined {
  if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) return undefined;
  // NLMSG_DONE carries a length or an error; kernels before 4.13 sent it without either on some paths.
  if (message.type === NLMSG_DONE && message.payload.length < 4) return undefined;
  const reader = new OctetReader(message.payload, 'error message');
  const error = reader.i32(0);
  if (error >= 0) return undefined;
  let attributesAt = 4;
  if (message.type === NLMSG_ERROR) {
    const refusedBytes = (message.flags & NLM_F_CAPPED) !== 0 ? NLMSG_HEADER_BYTES : reader.u32(4);
    attributesAt += align(refusedBytes);
  }
  const hasText = (message.flags & NLM_F_ACK_TLVS) !== 0;
  const text = hasText ? (reader.attributes(attributesAt).get(NLMSGERR_ATTR_MSG)?.text() ?? '') : '';
  return { errno: -error, text };
}

/** `EPERM` for 1. Two names share 95; the kernel's is EOPNOTSUPP. */
export function errnoName(errno: number): string {
  const name = getSystemErrorName(-errno);
  if (name === 'ENOTSUP') return 'EOPNOTSUPP';
  return name.startsWith('E') ? name : `errno ${errno}`;
}

const CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EPERM: ['privilege', 'Run it as root, or give it CAP_NET_ADMIN.'],
  EACCES: ['privilege', 'Run it as root, or give it CAP_NET_ADMIN.'],
  EOPNOTSUPP: ['kernel-feature', 'This kernel lacks the feature or its module; run `sluice check`.'],
  EAFNOSUPPORT: ['kernel-feature', 'This kernel was built without the protocol family.'],
  ENODEV: ['system', 'The interface is gone; was it deleted or renamed meanwhile?'],
  EEXIST: ['system', 'It exists already; take the other one away, or choose another name or address.'],
  EBUSY: ['system', 'It is in use; set the interface down, or end the program that holds it.'],
};

/** The words by which the kernel (net/sched/sch_api.c) says that it has no such queueing discipline. */
const UNKNOWN_QDISC = 'qdisc kind is unknown';

export function refusalError(refusal: KernelRefusal, context: RequestContext): SluiceError {
  const errno = errnoName(refusal.errno);
  const words = refusal.text === '' ? '' : ` (${refusal.text.replace(/\.$/, '')})`;
  const unknownQdisc = refusal.text.includes(UNKNOWN_QDISC);
  const [code, remedy] = unknownQdisc
    ? (['kernel-feature', 'This kernel lacks the queueing discipline; `sluice check` lists those it has.'] as const)
    : (CODES[errno] ?? (['system', 'See the kernel log for more.'] as const));
  return new SluiceError(code, `${context.call} ${context.subject}: ${errno}${words}`, {
    call: context.call,
    subject: context.subject,
    errno,
    remedy,
  });
}
