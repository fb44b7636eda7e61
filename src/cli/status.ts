/** `sluice status`: what a running bridge is about, through its control socket; once, or again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { askControl } from '../daemon/control-client.js';
import { defaultControlPath } from '../daemon/control-socket.js';
import type { BridgeStatus } from '../daemon/status.js';
import { applyChanges } from '../daemon/status-changes.js';
import type { ChangesDump, WholeDump } from '../daemon/status-dumps.js';
import { lookInterval, untilSignal } from './arguments.js';
import { onlyInterface } from './only-interface.js';

const WATCH_S = 2;
/** Cursor home, and erase what is there (ECMA-48: CUP, ED). */
const CLEAR = '\x1b[H\x1b[2J';

interface StatusOptions {
  control?: string;
  json?: boolean;
  since?: string;
  watch?: number | true;
}

export function addStatus(root: Command): void {
  root
    .command('status')
    .description('show a running bridge')
    .argument('[if]', 'interface; may be left out when one bridge runs')
    .option('--control <path>', 'its control socket (default /run/sluice/IF.sock)')
    .option('--json', 'as JSON')
    .option(
      '--since <token>',
      'as a line of JSON, what changed since the dump with this token; whole when it is unknown',
    )
    .option(
      '--watch [seconds]',
      'again and again (1 to 3600, default 2); without a terminal or with --json, a line for what changed',
      lookInterval,
    )
    .action(async (name: string | undefined, options: StatusOptions) => {
      const path = options.control ?? defaultControlPath(name ?? (await onlyInterface()));
      const { since, json = false } = options;
      if (options.watch !== undefined) await watch(path, options.watch === true ? WATCH_S : options.watch, json);
      else if (since !== undefined) process.stdout.write(`${JSON.stringify(await dump(path, since))}\n`);
      else if (json) process.stdout.write(`${JSON.stringify(await dump(path, ''), null, 2)}\n`);
      else process.stdout.write(`${asTable((await askControl(path, 'status')) as BridgeStatus)}\n`);
    });
}

async function dump(path: string, since: string): Promise<WholeDump | ChangesDump> {
  return (await askControl(path, 'status', { since })) as WholeDump | ChangesDump;
}

/** Until a signal comes, or the daemon is gone. Only changes come through the socket. */
async function watch(path: string, seconds: number, json: boolean): Promise<void> {
  const asLines = json || !process.stdout.isTTY;
  const stop = new AbortController();
  void untilSignal().then(() => stop.abort());
  let answer = await dump(path, '');
  let status: BridgeStatus | undefined;
  for (;;) {
    if ('changed' in answer) {
      status = status && (applyChanges(status, answer.changed) as unknown as BridgeStatus);
    } else status = answer;
    if (asLines) process.stdout.write(`${JSON.stringify(answer)}\n`);
    else if (status !== undefined) process.stdout.write(`${CLEAR}${asTable(status)}\n`);
    await sleep(1000 * seconds, undefined, { signal: stop.signal }).catch(() => undefined);
    if (stop.signal.aborted) return;
    answer = await dump(path, answer.token);
  }
}

function asTable(status: BridgeStatus): string {
  const { line, backPressure, mac } = status;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const table = new Table({ style: { head: [], border: [] } });
  table.push(
    ['interface', `${status.interface}, station ${status.station}, profile ${status.profile}`],
    ['line', `${line.path} ${line.state}, ${line.bytesIn} octets in, ${line.bytesOut} out, ${line.reopens} reopens`],
    [
      'back pressure',
      `${backPressure.mode}, ${backPressure.grants} grants, ${backPressure.tapDropped} dropped by the TAP`,
    ],
    [
      'queue',
      `${backPressure.qdisc.kind}: ${backPressure.qdisc.backlogPackets} packets, ${backPressure.qdisc.backlogBytes} octets, ${backPressure.qdisc.dropped} dropped`,
    ],
    ['channel', `busy ${percent(mac.busyRatio)}, own ${percent(mac.txRatio)}, window ${mac.contentionWindow}`],
    ['sent', `${mac.attempts} attempts, ${mac.acked} acknowledged, ${mac.unacked} not, ${mac.unconfirmed} broadcast`],
    ['delay', `p50 ${mac.delayMs.p50} ms, p99 ${mac.delayMs.p99} ms`],
    [
      'neighbours',
      status.neighbours
        .map((each) => `${each.station} (${each.lastHeardMs} ms ago, loss ${percent(each.lossRatio)})`)
        .join('\n') || 'none heard',
    ],
    ['modem', countsIn(status.modem ?? {}) || 'says nothing of itself'],
    ['drops', countsIn(status.drops) || 'none'],
  );
  return table.toString();
}

function countsIn(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join('\n');
}
