/** An independent reader of pcapng, after the text of draft-ietf-opsawg-pcapng, for tests: either byte order, any blocks. */

export interface ReadOption {
  readonly code: number;
  readonly value: Buffer;
}

export interface ReadPacket {
  readonly kind: 'packet';
  readonly interface: number;
  readonly at: bigint;
  readonly octets: Buffer;
  readonly originalBytes: number;
  readonly options: readonly ReadOption[];
}

export type ReadBlock =
  | { readonly kind: 'section'; readonly version: string; readonly options: readonly ReadOption[] }
  | {
      readonly kind: 'interface';
      readonly linkType: number;
      readonly snapBytes: number;
      readonly options: readonly ReadOption[];
    }
  | {
      readonly kind: 'statistics';
      readonly interface: number;
      readonly at: bigint;
      readonly options: readonly ReadOption[];
    }
  | ReadPacket;

/** Throws on anything that is not a complete, well-formed file of the four kinds of block. */
export function readPcapng(file: Buffer): ReadBlock[] {
  const blocks: ReadBlock[] = [];
  let at = 0;
  let little = true;
  while (at < file.length) {
    if (file.length - at < 12) throw new Error(`${file.length - at} octets left at ${at}`);
    if (file.readUInt32LE(at) === 0x0a0d0d0a) little = magicIsLittle(file, at + 8);
    const u16 = (p: number) => (little ? file.readUInt16LE(p) : file.readUInt16BE(p));
    const u32 = (p: number) => (little ? file.readUInt32LE(p) : file.readUInt32BE(p));
    const time = (p: number) => (BigInt(u32(p)) << 32n) | BigInt(u32(p + 4));
    const type = u32(at);
    const length = u32(at + 4);
    if (length % 4 !== 0 || length < 12 || at + length > file.length) throw new Error(`block of ${length} at ${at}`);
    if (u32(at + length - 4) !== length) throw new Error(`block at ${at} has two lengths`);
    const options = (from: number): ReadOption[] => {
      const found: ReadOption[] = [];
      const end = at + length - 4;
      for (let p = from; p < end; ) {
        const [code, bytes] = [u16(p), u16(p + 2)];
        if (code === 0) {
          if (bytes !== 0 || p + 4 !== end) throw new Error(`options go on after their end at ${p}`);
          return found;
        }
        if (p + 4 + bytes > end) throw new Error(`option beyond its block at ${p}`);
        found.push({ code, value: file.subarray(p + 4, p + 4 + bytes) });
        p += 4 + 4 * Math.ceil(bytes / 4);
      }
      if (from !== end) throw new Error('options without an end');
      return found;
    };
    const body = at + 8;
    switch (type) {
      case 0x0a0d0d0a:
        blocks.push({ kind: 'section', version: `${u16(body + 4)}.${u16(body + 6)}`, options: options(body + 16) });
        break;
      case 1:
        blocks.push({
          kind: 'interface',
          linkType: u16(body),
          snapBytes: u32(body + 4),
          options: options(body + 8),
        });
        break;
      case 5:
        blocks.push({ kind: 'statistics', interface: u32(body), at: time(body + 4), options: options(body + 12) });
        break;
      case 6: {
        const bytes = u32(body + 12);
        blocks.push({
          kind: 'packet',
          interface: u32(body),
          at: time(body + 4),
          octets: file.subarray(body + 20, body + 20 + bytes),
          originalBytes: u32(body + 16),
          options: options(body + 20 + 4 * Math.ceil(bytes / 4)),
        });
        break;
      }
      default:
        throw new Error(`block type ${type}`);
    }
    at += length;
  }
  return blocks;
}

export function packetsOf(blocks: readonly ReadBlock[]): ReadPacket[] {
  return blocks.filter((block) => block.kind === 'packet');
}

/** An option as text; undefined where there is none. */
export function optionText(block: { readonly options: readonly ReadOption[] }, code: number): string | undefined {
  return block.options.find((option) => option.code === code)?.value.toString('utf8');
}

/** An option of 4 or 8 octets, little-endian. */
export function optionNumber(block: { readonly options: readonly ReadOption[] }, code: number): number | undefined {
  const value = block.options.find((option) => option.code === code)?.value;
  return value === undefined ? undefined : Number(value.length === 8 ? value.readBigUInt64LE() : value.readUInt32LE());
}

/** The `key=value` words of a packet's comment. */
export function commentOf(packet: ReadPacket): Record<string, string> {
  const words = (optionText(packet, 1) ?? '').split(' ').map((word) => word.split('='));
  return Object.fromEntries(words.map(([key = '', value = '']) => [key, value]));
}

function magicIsLittle(file: Buffer, at: number): boolean {
  if (file.readUInt32LE(at) === 0x1a2b3c4d) return true;
  if (file.readUInt32BE(at) === 0x1a2b3c4d) return false;
  throw new Error('no byte-order magic');
}
