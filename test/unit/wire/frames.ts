/** Frames for the tests of this folder, built octet by octet and not with the code under test. */

/** Octets from hexadecimal text; spaces, colons and line ends between them do not matter. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/[\s:]/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error(`not hexadecimal: ${text}`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export const stationMac = (station: number): Uint8Array => Uint8Array.of(0x02, 0x73, 0x6c, 0, 0, station);
export const allMac = hex('ffffffffffff');

export function ethernet(destination: Uint8Array, source: Uint8Array, type: number, payload: Uint8Array): Uint8Array {
  return join(destination, source, [type >> 8, type & 0xff], payload);
}

/** The checksum is left zero: nothing here looks at it. */
export function ipv4(fields: {
  readonly source?: readonly number[];
  readonly destination?: readonly number[];
  readonly protocol?: number;
  readonly tos?: number;
  readonly fragment?: number;
  readonly options?: readonly number[];
  readonly upper?: Uint8Array;
}): Uint8Array {
  const { source = [10, 9, 0, 3], destination = [10, 9, 0, 1], protocol = 17, tos = 0, fragment = 0 } = fields;
  const { options = [], upper = new Uint8Array(0) } = fields;
  const headerBytes = 20 + options.length;
  const total = headerBytes + upper.length;
  return join(
    [0x40 | (headerBytes / 4), tos, total >> 8, total & 0xff, 0, 1, fragment >> 8, fragment & 0xff, 64, protocol, 0, 0],
    source,
    destination,
    options,
    upper,
  );
}

export function ipv6(fields: {
  readonly source?: Uint8Array;
  readonly destination?: Uint8Array;
  readonly next?: number;
  readonly hopLimit?: number;
  readonly trafficClass?: number;
  readonly payload?: Uint8Array;
}): Uint8Array {
  const { source = hex('fd000009000000000000000000000003'), next = 17, hopLimit = 255, trafficClass = 0 } = fields;
  const { destination = hex('fd000009000000000000000000000001'), payload = new Uint8Array(0) } = fields;
  const { length } = payload;
  return join(
    [0x60 | (trafficClass >> 4), (trafficClass << 4) & 0xff, 0, 0, length >> 8, length & 0xff, next, hopLimit],
    source,
    destination,
    payload,
  );
}

export function udp(sourcePort: number, destinationPort: number, data: readonly number[] = []): Uint8Array {
  const length = 8 + data.length;
  return Uint8Array.of(
    sourcePort >> 8,
    sourcePort & 0xff,
    destinationPort >> 8,
    destinationPort & 0xff,
    length >> 8,
    length & 0xff,
    0,
    0,
    ...data,
  );
}

export function arp(
  operation: number,
  senderMac: Uint8Array,
  senderIp: readonly number[],
  targetMac: Uint8Array,
  targetIp: readonly number[],
): Uint8Array {
  return join([0, 1, 8, 0, 6, 4, 0, operation], senderMac, senderIp, targetMac, targetIp);
}

/** An ICMPv6 packet with the checksum of RFC 8200 section 8.1, computed the slow way. */
export function icmpv6(source: Uint8Array, destination: Uint8Array, message: Uint8Array, hopLimit = 255): Uint8Array {
  const { length } = message;
  const covered = join(source, destination, [0, 0, length >> 8, length & 0xff, 0, 0, 0, 58], message);
  const padded = covered.length % 2 === 0 ? covered : join(covered, [0]);
  let sum = 0;
  for (let i = 0; i < padded.length; i += 2) {
    sum += (padded[i] ?? 0) * 256 + (padded[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  const checksum = 0xffff - sum;
  const payload = join(message.subarray(0, 2), [checksum >> 8, checksum & 0xff], message.subarray(4));
  return ipv6({ source, destination, next: 58, hopLimit, payload });
}
