/** For logs that go to systemd's journal: each line begins with its priority, which the journal takes off and files. */
import { fstatSync } from 'node:fs';
import type { LineStream } from './log-file.js';

/** pino's levels as those of syslog (RFC 5424, table 2), which sd-daemon(3) puts in front of lines as `<N>`. */
const PRIORITIES: readonly (readonly [level: number, priority: number])[] = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
];
const DEBUG_PRIORITY = 7;

/** Whether what is written to `fd` goes to the journal: systemd.exec(5) has devices and inodes compared. */
export function isJournal(fd: number, variables: Readonly<Record<string, string | undefined>>): boolean {
  if (variables.JOURNAL_STREAM === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return variables.JOURNAL_STREAM === `${dev}:${ino}`;
}

export function priorityOf(level: number): number {
  return PRIORITIES.find(([from]) => level >= from)?.[1] ?? DEBUG_PRIORITY;
}

/** Puts priorities in front of pino's lines, each of which begins with its level. */
export function withPriorities(stream: LineStream): LineStream {
  return {
    write: (line) => stream.write(`<${priorityOf(Number(/^\{"level":(\d+)/.exec(line)?.[1]))}>${line}`),
  };
}
