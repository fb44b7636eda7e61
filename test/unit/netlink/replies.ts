/** Replies as the kernel builds them, put together from the headers' structures. */

import { MessageWriter } from '../../../src/netlink/message.js';

/** struct tcmsg, TCA_KIND, TCA_STATS2 { basic, queue }: the layout that `tc -s qdisc show` receives. */
function pfifoFastWithBacklog(): Uint8Array {
  const writer = new MessageWriter(36, 2);
  writer.u32(0).u32(2).u32(0x100000).u32(0x10001).u32(2);
  writer.attributeString(1, 'pfifo_fast');
  writer.attribute(7, () => {
    writer.attribute(1, () => writer.u32(257_982).u32(0).u32(599).u32(0));
    writer.attribute(3, () => writer.u32(94).u32(79_148).u32(3).u32(2).u32(1));
  });
  return writer.finish(5).subarray(16);
}

/** NLMSG_ERROR with NLM_F_CAPPED and NLM_F_ACK_TLVS: errno, header of the refused message, the words. */
function unknownQdisc(): Uint8Array {
  const writer = new MessageWriter(2, 0x300);
  writer.u32(-2).u32(76).u16(36).u16(0x605).u32(5).u32(0);
  writer.attributeString(1, 'Specified qdisc kind is unknown.');
  return writer.finish(5);
}

const CAPTURES = {
  'pfifo_fast with a backlog': pfifoFastWithBacklog,
  'unknown qdisc': unknownQdisc,
} as const;

export function captureOf(name: keyof typeof CAPTURES): Uint8Array {
  return CAPTURES[name]();
}
