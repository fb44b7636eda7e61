/** What the demonstration tells about itself while it runs: the commands that look at its bridges, to be copied. */
import { join } from 'node:path';
import { INTERFACE, type Station } from './stations.js';

/** Each bridge has its own loopback device, so they all take Prometheus' usual place for exporters. */
export const METRICS = '127.0.0.1:9464';

/** As `--log-file` wants it: the files are called station-1.1.log and so on. */
export function logFile(folder: string, number: number): string {
  return join(folder, `station-${number}.log`);
}

export function reportCommand(folder: string): string {
  return `npx sluice report ${join(folder, 'station-*.log')} -o report.html`;
}

/** @param first station 1, which stands for all of them */
export function howToWatch(first: Station, count: number, logs: { folder: string; kept: boolean }): string[] {
  const { control, pid } = first;
  const inside = `nsenter -t ${pid} -n`;
  return [
    `to watch station 1 of ${count} from another terminal in this folder (the others: .../station-2.sock and so on):`,
    `  npx sluice top --control ${control}`,
    `  npx sluice status --watch --control ${control}`,
    `  npx sluice capture --control ${control}`,
    `  npx sluice capture --control ${control} -w - | tshark -X lua_script:hardware/wireshark/sluice.lua -r -`,
    `  ${inside} npx sluice capture ${INTERFACE} --interface-side -w - | tshark -r -`,
    `  ${inside} curl -s http://${METRICS}/metrics`,
    `  ${reportCommand(logs.folder)}`,
    ...(logs.kept ? [] : ['  (the logs go with the demo, unless --logs DIR keeps them; --seconds N makes it longer)']),
  ];
}
