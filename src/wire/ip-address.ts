/** IPv4 and IPv6 addresses as text and as octets (4 or 16, network order). */

export interface Prefix {
  /** 4 or 16 octets, host part included. */
  readonly address: Uint8Array;
  readonly prefixBits: number;
}

const IPV4_BYTES = 4;
const IPV6_GROUPS = 8;

/** Dotted quad, or the text forms of RFC 4291 section 2.2; null for anything else (zones too). */
export function parseIpAddress(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** `address/bits`; null for anything else, a missing length too. */
export function parsePrefix(text: string): Prefix | null {
  const [addressText = '', bitsText = '', ...rest] = text.split('/');
  const address = parseIpAddress(addressText);
  if (address === null || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(bitsText)) return null;
  const prefixBits = Number(bitsText);
  return prefixBits <= address.length * 8 ? { address, prefixBits } : null;
}

/** Dotted quad, or RFC 5952 text. The octets must be 4 or 16. */
export function formatIpAddress(octets: Uint8Array): string {
  if (octets.length === IPV4_BYTES) return octets.join('.');
  const groups: number[] = [];
  for (let i = 0; i + 1 < octets.length; i += 2) groups.push(((octets[i] ?? 0) << 8) | (octets[i + 1] ?? 0));
  const zeros = longestZeroRun(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  // RFC 5952 section 4.2.2: a single zero group is not shortened.
  if (zeros.length < 2) return hex(groups);
  return `${hex(groups.slice(0, zeros.start))}::${hex(groups.slice(zeros.start + zeros.length))}`;
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== IPV4_BYTES) return null;
  // No leading zeros: some readers take them for octal.
  if (!parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null;
  return Uint8Array.from(parts, Number);
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const groups: number[][] = [];
  for (const [i, half] of halves.entries()) {
    const parsed = parseGroups(half, i === halves.length - 1);
    if (parsed === null) return null;
    groups.push(parsed);
  }
  const [head = [], tail] = groups;
  const missing = IPV6_GROUPS - head.length - (tail?.length ?? 0);
  // `::` stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const all = [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Groups on one side of `::`; a dotted quad may end the address. */
function parseGroups(text: string, last: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const quad = last && i === parts.length - 1 ? parseIpv4(part) : null;
    if (quad === null) return null;
    groups.push(((quad[0] ?? 0) << 8) | (quad[1] ?? 0), ((quad[2] ?? 0) << 8) | (quad[3] ?? 0));
  }
  return groups;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let run = { start: 0, length: 0 };
  for (const [i, group] of groups.entries()) {
    run = group === 0 ? { start: run.length === 0 ? i : run.start, length: run.length + 1 } : { start: 0, length: 0 };
    if (run.length > best.length) best = run;
  }
  return best;
}
