/** tshark with our dissector, as the judge of captures. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './daemon-support.js';

export const DISSECTOR = join(ROOT, 'hardware/wireshark/sluice.lua');
/** Expert infos of these groups say that octets were not understood (Wireshark's proto.h: PI_MALFORMED, PI_CHECKSUM). */
const MARKS: ReadonlyMap<string, Mark> = new Map([
  [String(0x07000000), 'malformed'],
  [String(0x01000000), 'checksum'],
  [String(0x05000000), 'undecoded'],
]);
export type Mark = 'malformed' | 'checksum' | 'undecoded';

export interface Dissected {
  /** `ip:udp` and so on. */
  readonly protocols: string;
  readonly marks: readonly Mark[];
  /** By name, as tshark prints them; several values of one field joined by commas. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Arguments for `fields` of each packet on a line, tab between them. */
export function fieldArguments(fields: readonly string[]): string[] {
  return ['-X', `lua_script:${DISSECTOR}`, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
}

/** @throws when tshark finds fault with the file, or with the dissector */
export function dissect(file: string, fields: readonly string[], ...more: string[]): Dissected[] {
  const { status, stdout, stderr } = spawnSync(
    'tshark',
    ['-r', file, ...more, ...fieldArguments(['frame.protocols', '_ws.expert.group', ...fields])],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  const complaints = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Running as user'));
  if (status !== 0 || complaints.length > 0) throw new Error(`tshark ended with ${status}: ${complaints.join('\n')}`);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [protocols = '', groups = '', ...values] = line.split('\t');
      const marks = groups.split(',').flatMap((group) => MARKS.get(group) ?? []);
      if (protocols.includes('_ws.malformed')) marks.push('malformed');
      return { protocols, marks, fields: Object.fromEntries(fields.map((field, i) => [field, values[i] ?? ''])) };
    });
}
