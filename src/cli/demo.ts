/** `sluice demo`: the whole thing on one machine, with a table at the end. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { type DemoPing, type DemoResult, type DemoStation, runDemo } from '../daemon/demo.js';
import { reportCommand } from '../daemon/demo-watching.js';
import { between, EXIT_BY_SIGNAL, untilSignal } from './arguments.js';

interface DemoOptions {
  readonly json?: boolean;
  readonly seconds: number;
  readonly stations: number;
  readonly logs?: string;
}

export function addDemo(root: Command): void {
  root
    .command('demo')
    .description('the whole thing on one machine: an emulated radio channel, stations, traffic, and what came of it')
    .option('--json', 'one JSON object on stdout, progress on stderr')
    .option('--seconds <n>', 'how long the traffic lasts (5 to 3600)', between(5, 3600), 25)
    .option('--stations <n>', 'how many stations (2 to 16)', between(2, 16), 3)
    .option('--logs <dir>', "keep the stations' logs there, for jq and sluice report")
    .action(async ({ json, seconds, stations, logs }: DemoOptions) => {
      const abort = new AbortController();
      void untilSignal().then((signal) => {
        process.exitCode = EXIT_BY_SIGNAL[signal];
        abort.abort();
      });
      const out = json === true ? process.stderr : process.stdout;
      const startMs = Date.now();
      const say = (line: string): void => {
        out.write(`${((Date.now() - startMs) / 1000).toFixed(1).padStart(5)} s  ${line}\n`);
      };
      out.write(`sluice demo: ${stations} stations share one slow radio channel. Takes about ${seconds + 20} s.\n\n`);
      try {
        const result = await runDemo({ stations, seconds, logs, say, signal: abort.signal });
        if (json === true) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
        else process.stdout.write(`\n${asText(result)}\n`);
        if (logs !== undefined) out.write(`\nThe logs: ${reportCommand(logs)}\n`);
      } catch (error) {
        if (!abort.signal.aborted) throw error;
        out.write('\nstopped; nothing is left behind\n');
      }
    });
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function asText(result: DemoResult): string {
  const { stations, total, ping, backPressure } = result;
  const style = { head: [], border: [] };
  // No lines between rows.
  const chars = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
  const rows: [what: string, read: (station: DemoStation) => string][] = [
    ['sends to', ({ sendsTo }) => `station ${sendsTo}`],
    ['goodput (UDP payload that arrived)', ({ goodputBps }) => `${goodputBps} bit/s`],
    ['share of all goodput', ({ share }) => percent(share)],
    ['packets arrived / missing in between', (each) => `${each.received} / ${each.missing}`],
    ['sender held back', ({ holds, heldRatio }) => `${holds} times, ${percent(heldRatio)} of the time`],
    ['packets that wait in the queue', ({ queuePackets }) => `${queuePackets}`],
    ['transmissions / not acknowledged', (each) => `${each.attempts} / ${each.unacked}`],
    ['turns given up to others (backoffs)', ({ backoffs }) => `${backoffs}`],
    ['contention window', ({ contentionWindow }) => `${contentionWindow} slots`],
    ['one slot', ({ slotUs }) => `${(slotUs / 1000).toFixed(1)} ms`],
    ['from contending to done, p50 / p99', ({ delayMs }) => `${delayMs.p50} / ${delayMs.p99} ms`],
    ['channel: heard busy / own', (each) => `${percent(each.busyRatio)} / ${percent(each.txRatio)}`],
    ['dropped by the TAP device', ({ tapDropped }) => `${tapDropped} packets`],
    ['dropped by the queue', ({ qdiscDropped }) => `${qdiscDropped} packets`],
    ['other drops, by cause', ({ drops }) => causes(drops)],
  ];
  const table = new Table({ head: ['', ...stations.map(({ station }) => `station ${station}`)], style, chars });
  for (const [what, read] of rows) table.push([what, ...stations.map(read)]);

  const summary = new Table({ style, chars });
  summary.push(
    [
      'goodput, all stations',
      `${total.goodputBps} bit/s: ${percent(total.channelShare)} of the channel's ${result.rateBps} bit/s`,
    ],
    ['fairness (Jain; 1 is all alike)', total.jain.toFixed(3)],
    ['ping, idle channel', describePing(ping.idle)],
    ['ping, saturated channel', `${describePing(ping.loaded)}, sent with priority (TOS 0x10)`],
    ['collisions', result.collisionRatio === null ? 'not known' : `${percent(result.collisionRatio)} of the busy time`],
    ['back pressure', backPressure.mode],
  );
  return `${table.toString()}\n${summary.toString()}\n\n${closing(result)}`;
}

function causes(drops: DemoStation['drops']): string {
  const counted = Object.entries(drops).filter(([, count]) => count > 0);
  return counted.map(([cause, count]) => `${cause} ${count}`).join('\n') || 'none';
}

function describePing({ sent, lost, medianMs, maxMs }: DemoPing): string {
  return `median ${medianMs ?? '-'} ms, longest ${maxMs ?? '-'} ms, ${lost} of ${sent} lost`;
}

function closing({ total, stations, backPressure }: DemoResult): string {
  const heldRatio = stations.reduce((sum, each) => sum + each.heldRatio, 0) / stations.length;
  const held = `What it showed: the senders were held back ${total.holds} times (${percent(heldRatio)} of the time)`;
  if (backPressure.mode === 'none') {
    return `${held}; without back pressure ${total.dropped} packets were dropped. "sluice check" says what is missing.`;
  }
  if (total.dropped === 0 && total.missing === 0) {
    return `${held} because the channel was full; no packet was dropped, and none is missing.`;
  }
  if (total.dropped === 0) {
    return `${held} because the channel was full; TAP and queue dropped nothing, ${total.missing} packets were lost on the air after all retries.`;
  }
  return `${held}, but ${total.dropped} packets were dropped: please report this, with "sluice check".`;
}
