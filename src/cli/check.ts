/** `sluice check`: what this machine can do, and what to do where it cannot. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { EXIT_CODES } from '../base/errors.js';
import { checkMachine, type MachineCheck } from '../daemon/machine-check.js';

export function addCheck(root: Command): void {
  root
    .command('check')
    .description('what this machine can do: TAP, back pressure (tested live), qdiscs, privileges, serial ports')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const check = await checkMachine();
      if (options.json === true) process.stdout.write(`${JSON.stringify(check, null, 2)}\n`);
      else process.stdout.write(`${asText(check)}\n`);
      if (check.findings.some(({ ok }) => !ok)) process.exitCode = EXIT_CODES['kernel-feature'];
    });
}

function asText(check: MachineCheck): string {
  const table = new Table({ style: { head: [], border: [] }, wordWrap: true, colWidths: [18, 6, 74] });
  for (const { what, ok, detail, remedy } of check.findings) {
    table.push([what, ok ? 'ok' : 'NO', remedy === undefined ? detail : `${detail}\n-> ${remedy}`]);
  }
  const missing = Object.entries(check.qdiscs).filter(([, why]) => why !== null);
  const present = Object.entries(check.qdiscs).filter(([, why]) => why === null);
  table.push([
    'qdiscs',
    '',
    `here: ${present.map(([kind]) => kind).join(', ') || 'none'}\nmissing: ${missing.map(([kind]) => kind).join(', ') || 'none'}`,
  ]);
  const latency = check.backPressure.probe?.gate.latencyUs;
  if (latency !== undefined && latency !== null) {
    table.push(['one grant takes', '', `p50 ${latency.p50.toFixed(0)} us, p99 ${latency.p99.toFixed(0)} us`]);
  }
  return `kernel ${check.kernel}\n${table.toString()}`;
}
