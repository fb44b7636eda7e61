/** `sluice report`: a page about the channel, from the logs of one or several stations. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { SluiceError } from '../base/errors.js';
import { makeReport, type Report } from '../observe/report/report.js';
import { count, dateTime, stations, timeOfDay } from '../observe/report/words.js';

const PROGRESS_EVERY_MS = 1000;
const EXIT_INCOMPLETE = 1;

export function addReport(root: Command): void {
  root
    .command('report')
    .description('one page (HTML) about the channel: who occupied it, what went wrong and why, from logs alone')
    .argument('<log...>', 'log files of one or several stations, rotated and .gz ones too; - is standard input')
    .option('-o, --output <file>', 'where the page goes; - is standard output', 'report.html')
    .action(async (logs: string[], { output }: { output: string }) => {
      let nextMs = Date.now() + PROGRESS_EVERY_MS;
      const progress = (file: string, lines: number): void => {
        if (Date.now() < nextMs) return;
        nextMs = Date.now() + PROGRESS_EVERY_MS;
        process.stderr.write(`${count(lines)} lines read, now ${file}\n`);
      };
      const report = await makeReport(logs, { progress });
      write(output, report.page);
      const out = output === '-' ? process.stderr : process.stdout;
      out.write(asText(report, output));
      for (const failure of report.failures) process.stderr.write(`sluice: not read to its end: ${failure}\n`);
      if (report.failures.length > 0) process.exitCode = EXIT_INCOMPLETE;
    });
}

function write(output: string, page: string): void {
  try {
    writeFileSync(output === '-' ? 1 : output, page);
  } catch (error) {
    throw new SluiceError('usage', `${output} cannot be written: ${error instanceof Error ? error.message : error}`, {
      subject: output,
      cause: error,
      remedy: 'Name another file with -o.',
    });
  }
}

function asText({ stations: numbers, fromMs, untilMs, lines, causes, worst }: Report, output: string): string {
  const { stretch, causes: why } = worst;
  const text = [
    `${output}: ${stations(numbers)}, ${dateTime(fromMs)} to ${dateTime(untilMs)} UTC, ${count(lines)} lines`,
    ...(causes.length > 0 ? causes.map(({ title }) => `  ${title}`) : ['  nothing wrong that these logs show']),
    `worst minute: ${timeOfDay(stretch.fromMs)} to ${timeOfDay(stretch.untilMs)}${why[0] === undefined ? '' : `: ${why[0].title}`}`,
  ];
  return `${text.join('\n')}\n`;
}
