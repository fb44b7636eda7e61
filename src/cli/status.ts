/** `sluice status`: what a running bridge is about, through its control socket. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { askControl } from '../daemon/control-client.js';
import { defaultControlPath } from '../daemon/control-socket.js';
import type { BridgeStatus } from '../daemon/status.js';
import { onlyInterface } from './only-interface.js';

export function addStatus(root: Command): void {
  root
    .command('status')
    .description('show a running bridge')
    .argument('[if]', 'interface; may be left out when one bridge runs')
    .option('--control <path>', 'its control socket (default /run/sluice/IF.sock)')
    .option('--json', 'as JSON')
    .action(async (name: string | undefined, options: { control?: string; json?: boolean }) => {
      const path = options.control ?? defaultControlPath(name ?? onlyInterface());
      const status = await askControl(path, 'status');
      if (options.json === true) process.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
      else process.stdout.write(`${asTable(status as BridgeStatus)}\n`);
    });
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
    [
      'drops',
      Object.entries(status.drops)
        .map(([cause, count]) => `${cause} ${count}`)
        .join('\n') || 'none',
    ],
  );
  return table.toString();
}
