/** What Prometheus gets: read by a parser of its text format, with the conventions that its own linter checks. */
import parseMetrics from 'parse-prometheus-text-format';
import { describe, expect, it } from 'vitest';
import { DROP_CAUSES } from '../../../src/base/drops.js';
import { bridgeMetrics, type Figures } from '../../../src/daemon/metric-registry.js';
import { DurationHistogram, newMacCounters } from '../../../src/mac/statistics.js';
import { neighbour, statusOf } from '../cli/top/statuses.js';

function figures(changes: Parameters<typeof statusOf>[0] = {}): Figures {
  const delays = new DurationHistogram();
  for (const us of [900, 2000, 60_000, 64_000, 70_000, 2e9]) delays.record(us);
  const capture = { readers: 0, frames: 0, dropped: 3 };
  return { status: { ...statusOf(changes), capture }, mac: { delays, retries: [5, 2, 0, 1], budgetLeft: 0.5 } };
}

/** By metric, then by what its labels say, the interface left out. */
async function scraped(look: () => Figures): Promise<Map<string, ReturnType<typeof parseMetrics>[number]>> {
  const text = await bridgeMetrics(look).text();
  return new Map(parseMetrics(text).map((family) => [family.name, family]));
}

/** Of each series, a label and the value. */
function series(family: ReturnType<typeof parseMetrics>[number] | undefined, label: string): Record<string, number> {
  return Object.fromEntries((family?.metrics ?? []).map(({ labels, value }) => [labels?.[label] ?? '', Number(value)]));
}

const UNITS = /_(seconds|bytes|ratio|packets|slots|frames|attempts|dbm|info)(_total)?$/;
/** Counted things that are no unit: carriers, grants, reopenings. */
const COUNTED =
  /_(receptions|backoffs|requests|send|waits|silences|identifications|carriers|timers|grants|repairs|reopens|stalls|exchanges|sent|attempts)_total$|_(up|stuck|mode|retries)$/;

describe('the metrics', () => {
  it('are named as Prometheus wants it, and each has a help', async () => {
    const all = [...(await scraped(() => figures())).values()];
    for (const { name, type } of all) expect(name.endsWith('_total'), name).toBe(type === 'COUNTER');
    const own = all.filter(({ name }) => name.startsWith('sluice_'));
    expect(own.length).toBeGreaterThan(35);
    for (const { name, help } of own) {
      expect(name).toMatch(/^[a-z][a-z_]*[a-z]$/);
      expect(UNITS.test(name) || COUNTED.test(name), name).toBe(true);
      expect(name).not.toMatch(/milli|micro|_ms\b|_us\b|kilo/);
      expect(help, name).toMatch(/^[A-Z0-9].{8,}\.$/);
    }
  });

  it('say what the status says, in seconds and octets', async () => {
    const counters = { ...newMacCounters(), attempts: 12, acked: 7, garbled: 4 };
    const found = await scraped(() =>
      figures({
        uptimeMs: 100_000,
        mac: { ...counters, airtimeUs: 20_000_000, busyUs: 30_000_000, stuckUs: 5_000_000, slotUs: 9039 },
        neighbours: [neighbour(2, { airtimeUs: 1_500_000, lossRatio: 0.25, rssiDbm: -87 }), neighbour(9)],
        unheard: [{ station: 5, attempts: 6 }],
        drops: { deadline: 3 },
      }),
    );
    const value = (name: string): number => Number(found.get(name)?.metrics[0]?.value);
    expect(value('sluice_line_up')).toBe(1);
    expect(value('sluice_attempts_total')).toBe(12);
    expect(value('sluice_garbled_receptions_total')).toBe(4);
    expect(value('sluice_slot_seconds')).toBe(0.009039);
    expect(value('sluice_capture_dropped_frames_total')).toBe(3);
    expect(found.get('sluice_bridge_info')?.metrics[0]?.labels).toEqual({
      ...{ interface: 'sluice0', station: '1', profile: 'radio-9600' },
    });
    expect(series(found.get('sluice_channel_seconds_total'), 'state')).toEqual({
      tx: 20,
      busy: 30,
      stuck: 5,
      idle: 45,
    });
    expect(series(found.get('sluice_back_pressure_mode'), 'mode')).toEqual({ native: 0, gate: 1, none: 0 });
    expect(series(found.get('sluice_neighbour_airtime_seconds_total'), 'neighbour')).toEqual({ 2: 1.5, 9: 0 });
    expect(series(found.get('sluice_neighbour_rssi_dbm'), 'neighbour')).toEqual({ 2: -87 });
    expect(series(found.get('sluice_neighbour_exchanges_total'), 'neighbour')).toEqual({ 2: 0, 5: 6, 9: 0 });
    const drops = series(found.get('sluice_dropped_frames_total'), 'cause');
    expect(Object.keys(drops).sort()).toEqual(Object.keys(DROP_CAUSES).sort());
    expect(drops.deadline).toBe(3);
  });

  it('have histograms that only grow from bucket to bucket', async () => {
    const text = await bridgeMetrics(() => figures()).text();
    const found = await scraped(() => figures());
    const delay = found.get('sluice_access_delay_seconds');
    expect(delay?.type).toBe('HISTOGRAM');
    const [{ buckets = {} } = {}] = delay?.metrics ?? [];
    expect(
      Object.entries(buckets).map(([bound, value]) => [Number(bound.replace('+Inf', 'Infinity')), Number(value)]),
    ).toEqual([
      [0.001, 1],
      [0.004, 2],
      [0.016, 2],
      [0.064, 4],
      [0.256, 5],
      [1.024, 5],
      [4.096, 5],
      [16.384, 5],
      [65.536, 5],
      [262.144, 5],
      [1048.576, 5],
      [Number.POSITIVE_INFINITY, 6],
    ]);
    expect(text).toMatch(/^sluice_access_delay_seconds_count\{interface="sluice0"\} 6$/m);
    expect(text).toMatch(/^sluice_access_delay_seconds_sum\{interface="sluice0"\} 2000.1969$/m);
    const [retries] = found.get('sluice_frame_retries')?.metrics ?? [];
    expect(retries).toMatchObject({ buckets: { 0: '5', 1: '7', 2: '7', 3: '8', '+Inf': '8' } });
    expect(text).toMatch(/^sluice_frame_retries_sum\{interface="sluice0"\} 5$/m);
  });

  it('look at the bridge once a scrape, and follow its name and its neighbours', async () => {
    let looks = 0;
    let changes: Parameters<typeof statusOf>[0] = { neighbours: [neighbour(2), neighbour(3)] };
    const metrics = bridgeMetrics(() => {
      looks++;
      return figures(changes);
    });
    await metrics.text();
    expect(looks).toBe(2);
    changes = { interface: 'radio0', neighbours: [neighbour(3)] };
    const text = await metrics.text();
    expect(looks).toBe(3);
    expect(text).toContain('sluice_neighbour_loss_ratio{neighbour="3",interface="radio0"} 0');
    expect(text).not.toContain('neighbour="2"');
    expect(text).not.toContain('sluice0');
  });

  it('stay bounded with every station on the air', async () => {
    const all = Array.from({ length: 254 }, (_, index) => neighbour(index + 1, { rssiDbm: -90 }));
    const found = await scraped(() => figures({ neighbours: all }));
    const own = [...found.values()].filter(({ name }) => name.startsWith('sluice_'));
    expect(own.reduce((sum, { metrics }) => sum + metrics.length, 0)).toBeLessThan(1500);
  });
});
