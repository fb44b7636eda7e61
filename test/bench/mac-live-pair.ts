/** Two real bridges: what one carries to the other, as datagrams and as TCP. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../../src/daemon/station-datagrams.js';
import { addressOf, Neighbourhood, type Station } from '../../src/daemon/stations.js';

export const RATE_BPS = 9600;
export const MTU_BYTES = 576;
/** IPv4 and UDP headers, which the receiving program does not see. */
export const HEADERS_BYTES = 28;
const SINK = 9;
const SEND_BUFFER_BYTES = 4096;
const TCP_SECONDS = 70;
const IPERF_PATIENCE_MS = 240_000;
/** Little to drain at the end. */
const TCP_WINDOW = '8K';
const SEED = 1;

interface PairOptions {
  readonly rateBps: number;
  /** Of the frames, at each receiver by itself. */
  readonly noiseFer?: number;
  readonly settings?: readonly string[];
}

/** Stations 1 and 2, closed in the end. */
async function withPair<T>(
  { rateBps, noiseFer = 0, settings = [] }: PairOptions,
  run: (sender: Station, receiver: Station) => Promise<T>,
): Promise<T> {
  const place = new Neighbourhood();
  const lineBaud = 2 * rateBps;
  try {
    await place.startMedium(
      `rateBps: ${rateBps}\nlineBaud: ${lineBaud}\nnoiseFer: ${noiseFer}\nstations:\n  - { id: 1 }\n  - { id: 2 }\n`,
      SEED,
    );
    const [sender, receiver] = [await place.open(), await place.open()];
    for (const [index, station] of [sender, receiver].entries()) {
      await station.up({
        number: index + 1,
        profile: 'radio-9600',
        port: place.medium.port(index + 1),
        settings: [
          ...[`air.rateBps=${rateBps}`, `line.baudRate=${lineBaud}`, `link.mtuBytes=${MTU_BYTES}`],
          ...settings,
        ],
      });
    }
    return await run(sender, receiver);
  } finally {
    await place.close();
  }
}

/** What one blocking sender gets through, in IP octets, of what the channel could carry; and the slot. */
export async function pairShare(
  options: PairOptions & { readonly seconds: number; readonly settleSeconds: number },
): Promise<{ share: number; slotUs: number }> {
  return await withPair(options, async (sender, receiver) => {
    await receiver.call('receive', { port: SINK });
    await sender.call('flood', {
      to: { address: addressOf(2), port: SINK },
      stream: 1,
      typeOfService: 0,
      payloadBytes: MTU_BYTES - HEADERS_BYTES,
      sendBufferBytes: SEND_BUFFER_BYTES,
    });
    await sleep(1000 * (options.settleSeconds + options.seconds));
    const endUs = monotonicUs();
    const startUs = endUs - 1e6 * options.seconds;
    const arrivals = await receiver.call('received', { port: SINK });
    await sender.call('flooded', { stop: true });
    const times = arrivals.map(({ atUs }) => atUs).filter((atUs) => atUs >= startUs && atUs <= endUs);
    // From one arrival to another, or where the window cuts would show.
    const spanUs = (times.at(-1) ?? 0) - (times[0] ?? 0);
    const { mac } = await sender.status();
    return { share: ((times.length - 1) * MTU_BYTES * 8e6) / (options.rateBps * spanUs), slotUs: mac.slotUs };
  });
}

/** What one TCP connection carries between two bridges. */
export async function iperfBps(noiseFer: number): Promise<number> {
  return await withPair({ rateBps: RATE_BPS, noiseFer }, async (sender, receiver) => {
    void receiver.call('run', { program: 'iperf3', args: ['-s', '-1'], timeoutMs: IPERF_PATIENCE_MS }).catch(() => {});
    await sleep(1000);
    const { stdout } = await sender.call('run', {
      program: 'iperf3',
      args: ['-c', addressOf(2), '-t', `${TCP_SECONDS}`, '-w', TCP_WINDOW, '-J'],
      timeoutMs: IPERF_PATIENCE_MS,
    });
    const report = JSON.parse(stdout) as { end: { sum_received?: { bits_per_second: number } } };
    return report.end.sum_received?.bits_per_second ?? 0;
  });
}
