/** Suite `modem`: two real Dire Wolfs at 1200 bit/s under the bridge, AX.25 encapsulation. */
import { median } from '../../src/daemon/station-figures.js';
import {
  airtimeUs,
  LOW_DELAY,
  MTU_BYTES,
  measureFlood,
  ping,
  startFlood,
  stationOf,
  withWolves,
} from '../modem/direwolf-scenarios.js';
import type { BenchRow } from './rows.js';

const SUITE = 'modem';
const FLOOD_S = 180;
const IDLE_PINGS = 10;
const LOADED_PINGS = 20;
const GOODPUT_SHARE = 0.85;

const row = (
  measure: string,
  value: number | null,
  unit: string,
  target: string | null,
  met: boolean | null,
): BenchRow => ({
  suite: SUITE,
  measure,
  value,
  unit,
  target,
  met,
});

export async function runModemBench(say: (line: string) => void): Promise<readonly BenchRow[]> {
  return await withWolves(2, async (wolves) => {
    await wolves.up(1, true);
    await wolves.up(2, true);
    const one = stationOf(wolves.stations, 1);
    const pings = async (count: number): Promise<number | null> => {
      const rtts: number[] = [];
      for (let i = 0; i < count; i++) {
        for (const ms of (await ping(one, 2, 1, LOW_DELAY)).rttMs) if (ms !== null) rtts.push(ms);
      }
      return median(rtts);
    };
    say('ping on an idle channel');
    const idleMs = await pings(IDLE_PINGS);
    say(`flood, ${FLOOD_S} s`);
    const flood = await measureFlood(wolves, FLOOD_S);
    say('ping beside a flood');
    await startFlood(one, 2, 2);
    const loadedMs = await pings(LOADED_PINGS);
    await one.call('flooded', { stop: true });
    const { backPressure } = await one.status();
    const limitMs = idleMs === null ? null : idleMs + (2 * airtimeUs(MTU_BYTES)) / 1000;
    const drops = backPressure.tapDropped + backPressure.qdisc.dropped;
    return [
      row('UDP goodput', flood.goodputBps, 'bit/s', null, null),
      row(
        'UDP goodput / (payload / airtime by the model)',
        flood.share,
        '',
        `>= ${GOODPUT_SHARE}`,
        flood.share >= GOODPUT_SHARE,
      ),
      row(
        'most octets waiting in the TNC',
        flood.mostQueuedBytes,
        'octets',
        'one frame: <= 272',
        flood.mostQueuedBytes <= 272,
      ),
      row('datagrams missing', flood.missing, '', null, null),
      row('ping, idle, median', idleMs, 'ms', null, null),
      row(
        'ping beside a flood, median',
        loadedMs,
        'ms',
        limitMs === null ? null : `<= ${Math.round(limitMs)}`,
        limitMs === null || loadedMs === null ? null : loadedMs <= limitMs,
      ),
      row('drops at TAP and qdisc', drops, 'packets', '0', drops === 0),
    ];
  });
}
