/** The flags of TUNSETIFF, with the names an operator finds in the kernel's documentation. */

/** Source: include/uapi/linux/if_tun.h. */
export const TUN_FLAGS = {
  IFF_TUN: 0x0001,
  IFF_TAP: 0x0002,
  /** Since Linux 7.3; missing from older headers. A full ring stops the queue instead of dropping. */
  IFF_BACKPRESSURE: 0x0080,
  IFF_MULTI_QUEUE: 0x0100,
  IFF_PERSIST: 0x0800,
  IFF_NO_PI: 0x1000,
  IFF_VNET_HDR: 0x4000,
} as const;

/** The flags of a mask by name, e.g. `IFF_TAP IFF_NO_PI`; bits without a name in hexadecimal. */
export function describeTunFlags(mask: number): string {
  const names: string[] = [];
  let rest = mask;
  for (const [name, flag] of Object.entries(TUN_FLAGS)) {
    if ((rest & flag) === 0) continue;
    names.push(name);
    rest &= ~flag;
  }
  if (rest !== 0 || names.length === 0) names.push(`0x${rest.toString(16)}`);
  return names.join(' ');
}
