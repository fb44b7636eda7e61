/** What `sluice capture` does: frames of a running bridge or packets of an interface, written as they come. */
import { SluiceError } from '../base/errors.js';
import type { AirFrameLine, AirLine } from '../daemon/air-formats.js';
import { controlLines, controlOctets } from '../daemon/control-client.js';
import { defaultControlPath } from '../daemon/control-socket.js';
import { captureInterface } from '../daemon/interface-capture.js';
import { BlockCutter } from '../observe/pcapng.js';
import { untilSignal } from './arguments.js';
import { CaptureOutput } from './capture-output.js';
import { onlyInterface } from './only-interface.js';

/** After a signal the bridge gets so long to complete the capture, and whoever reads ours to take it. */
const END_MS = 3000;

export interface CaptureOptions {
  readonly control?: string;
  readonly write?: string;
  readonly interfaceSide?: true;
}

interface Ends {
  /** Aborted by the first signal: let the bridge complete the capture. */
  readonly finish: AbortSignal;
  /** Aborted when that takes too long. */
  readonly stop: AbortSignal;
}

/** What there was; undefined when the bridge went away without a word. */
type Totals = { readonly frames: number; readonly dropped: number } | undefined;

/** @throws SluiceError `line` when no bridge answers, or it goes away unexpectedly; `usage` when FILE cannot be written */
export async function runCapture(name: string | undefined, options: CaptureOptions): Promise<void> {
  const { write, interfaceSide = false } = options;
  if (interfaceSide && write === undefined) {
    throw new SluiceError('usage', '--interface-side needs -w', { remedy: 'For text: -w - | tshark -r -' });
  }
  const path = interfaceSide ? undefined : (options.control ?? defaultControlPath(name ?? (await onlyInterface())));
  const [finish, stop] = [new AbortController(), new AbortController()];
  void untilSignal().then(() => {
    finish.abort();
    setTimeout(() => stop.abort(), END_MS).unref();
  });
  const ends = { finish: finish.signal, stop: stop.signal };
  let totals: Totals;
  if (path === undefined) {
    totals = await writePcapng(captureInterface(name ?? (await onlyInterface()), ends.finish), ends, write ?? '-');
  } else if (write === undefined) totals = await writeText(path, ends);
  else totals = await writePcapng(controlOctets(path, { command: 'capture' }, ends.stop, ends.finish), ends, write);
  if (stop.signal.aborted) {
    throw new SluiceError('system', `whoever reads the capture did not take its end within ${END_MS / 1000} s`);
  }
  if (totals === undefined && !finish.signal.aborted) {
    throw new SluiceError('line', 'the bridge went away during the capture', {
      ...(path === undefined ? {} : { subject: path }),
      remedy: 'What was written up to then is complete.',
    });
  }
  if (totals !== undefined) process.stderr.write(`${totals.frames} frames, ${totals.dropped} not captured\n`);
}

/** Whole blocks only, so that the file is complete whenever it ends. */
async function writePcapng(source: AsyncIterable<Uint8Array>, { stop }: Ends, file: string): Promise<Totals> {
  const output = new CaptureOutput(file, stop);
  const cutter = new BlockCutter();
  try {
    for await (const octets of source) {
      const blocks = cutter.push(octets);
      if (blocks !== undefined) await output.write(blocks);
    }
  } finally {
    await output.close();
  }
  const { packets, dropped } = cutter;
  return dropped === undefined ? undefined : { frames: packets + dropped, dropped };
}

async function writeText(path: string, { finish, stop }: Ends): Promise<Totals> {
  const output = new CaptureOutput(undefined, stop);
  let totals: Totals;
  for await (const each of controlLines(path, { command: 'capture', lines: true }, stop, finish)) {
    const line = each as AirLine;
    if ('frames' in line) totals = line;
    else await output.write(`${asText(line)}\n`);
  }
  return totals;
}

/** For example `12:04:05.123456 out 1 > 2 ip 17, 84 octets, 88.0 ms, attempt 2, acknowledged`. */
export function asText(line: AirFrameLine): string {
  const { atUs, direction, bytes, airtimeUs, outcome, attempt, rssiDbm, snrDb, droppedBefore, link } = line;
  const words = [
    ...(droppedBefore === undefined ? [] : [`(${droppedBefore} frames not captured)\n`]),
    `${timeOfDay(atUs)} ${direction === 'inbound' ? 'in ' : 'out'} `,
    link === undefined
      ? ''
      : `${link.source} > ${link.destination === 255 ? 'all' : link.destination} ${link.type} ${link.sequence}, `,
    [
      `${bytes} octets`,
      `${(airtimeUs / 1000).toFixed(1)} ms`,
      ...(attempt === undefined ? [] : [`attempt ${attempt}`]),
      ...(rssiDbm === undefined ? [] : [`${rssiDbm} dBm`]),
      ...(snrDb === undefined ? [] : [`SNR ${snrDb} dB`]),
      outcome,
    ].join(', '),
  ];
  return words.join('');
}

/** Local time, to the microsecond. */
function timeOfDay(atUs: number): string {
  const date = new Date(Math.floor(atUs / 1000));
  const two = (part: number): string => String(part).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${clock}.${String(atUs % 1_000_000).padStart(6, '0')}`;
}
