/**
 * What Prometheus is told of one bridge: names, units and help of each metric, and what it reads. Labels are bounded: causes
 * and states are closed lists, and stations have numbers from 1 to 254.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { DROP_CAUSES, type DropCause } from '../base/drops.js';
import type { MacSnapshot } from '../mac/ports.js';
import { DurationHistogram } from '../mac/statistics.js';
import type { DaemonStatus } from './status.js';

/** One look at the bridge, for one scrape. */
export interface Figures {
  readonly status: DaemonStatus;
  readonly mac: Pick<MacSnapshot, 'retries' | 'delays' | 'budgetLeft'>;
}

type Read = (status: DaemonStatus) => number;
type Labelled = (status: DaemonStatus) => readonly (readonly [label: string, value: number])[];

const GAUGES: readonly (readonly [name: string, help: string, read: Read])[] = [
  ['sluice_line_up', '1 while the line to the modem is open.', ({ line }) => Number(line.state === 'open')],
  [
    'sluice_carrier_stuck',
    '1 while a carrier is sensed that is no longer believed.',
    ({ mac }) => Number(mac.carrierStuck),
  ],
  ['sluice_contention_window_slots', 'Present contention window.', ({ mac }) => mac.contentionWindow],
  ['sluice_slot_seconds', 'Length of a contention slot.', ({ mac }) => mac.slotUs / 1e6],
  [
    'sluice_queue_packets',
    'Packets in the queueing discipline.',
    ({ backPressure }) => backPressure.qdisc.backlogPackets,
  ],
  ['sluice_queue_bytes', 'Octets in the queueing discipline.', ({ backPressure }) => backPressure.qdisc.backlogBytes],
];

const COUNTERS: readonly (readonly [name: string, help: string, read: Read])[] = [
  ['sluice_attempts_total', 'Data frames put on the air, repetitions included.', ({ mac }) => mac.attempts],
  ['sluice_acknowledged_frames_total', 'Frames acknowledged.', ({ mac }) => mac.acked],
  ['sluice_unacknowledged_attempts_total', 'Attempts that no acknowledgement came for.', ({ mac }) => mac.unacked],
  ['sluice_unconfirmed_frames_total', 'Frames sent that ask for no acknowledgement.', ({ mac }) => mac.unconfirmed],
  [
    'sluice_acknowledgements_sent_total',
    'Acknowledgements sent, each in a frame of its own.',
    ({ mac }) => mac.acksSent,
  ],
  [
    'sluice_carried_acknowledgements_sent_total',
    'Acknowledgements sent along with data.',
    ({ mac }) => mac.acksCarried,
  ],
  [
    'sluice_deferred_exchanges_total',
    'Bursts sent whose acknowledgement might come along with data.',
    ({ mac }) => mac.acksDeferred,
  ],
  ['sluice_delivered_frames_total', 'Packets received and handed up.', ({ mac }) => mac.delivered],
  ['sluice_overheard_frames_total', 'Frames heard that were meant for others.', ({ mac }) => mac.overheard],
  ['sluice_echoed_frames_total', 'Own frames heard back.', ({ mac }) => mac.echoes],
  ['sluice_garbled_receptions_total', 'Receptions that were no good frame.', ({ mac }) => mac.garbled],
  ['sluice_backoffs_total', 'Times that a countdown was interrupted by a busy channel.', ({ mac }) => mac.backoffs],
  ['sluice_backoff_slots_total', 'Idle slots waited before own transmissions.', ({ mac }) => mac.backoffSlots],
  ['sluice_stuck_carriers_total', 'Carriers that were no longer believed.', ({ mac }) => mac.stuckBusy],
  [
    'sluice_requests_to_send_total',
    'Requests to send, where stations are hidden from each other.',
    ({ mac }) => mac.requests,
  ],
  ['sluice_uncleared_requests_total', 'Requests to send that were not cleared.', ({ mac }) => mac.requestsUnanswered],
  ['sluice_duty_cycle_waits_total', 'Times that the duty cycle made us wait.', ({ mac }) => mac.held],
  ['sluice_duty_cycle_silences_total', 'Answers that the duty cycle kept back.', ({ mac }) => mac.answersHeld],
  ['sluice_identifications_total', 'Station identifications sent.', ({ mac }) => mac.identifications],
  [
    'sluice_overdue_frames_total',
    'Frames that the modem did not report as sent for long.',
    ({ mac }) => mac.sentOverdue,
  ],
  ['sluice_late_timers_total', 'Timers so late that their slot had passed.', ({ mac }) => mac.lateTimers],
  ['sluice_grants_total', 'Credits granted to the queueing discipline.', ({ backPressure }) => backPressure.grants],
  [
    'sluice_back_pressure_repairs_total',
    'Times that back pressure was put back.',
    ({ backPressure }) => backPressure.repairs,
  ],
  [
    'sluice_tap_dropped_packets_total',
    'Packets dropped by the ring of the TAP.',
    ({ backPressure }) => backPressure.tapDropped,
  ],
  [
    'sluice_queue_dropped_packets_total',
    'Packets dropped by the queueing discipline.',
    ({ backPressure }) => backPressure.qdisc.dropped,
  ],
  ['sluice_line_received_bytes_total', 'Octets from the line.', ({ line }) => line.bytesIn],
  ['sluice_line_sent_bytes_total', 'Octets to the line.', ({ line }) => line.bytesOut],
  ['sluice_line_dropped_bytes_total', 'Octets written that never left.', ({ line }) => line.bytesDropped],
  ['sluice_line_reopens_total', 'Times that the line came back.', ({ line }) => line.reopens],
  ['sluice_line_stalls_total', 'Times that the line took nothing for too long.', ({ line }) => line.stalls],
  ['sluice_capture_dropped_frames_total', 'Frames that a capture had no room for.', ({ capture }) => capture.dropped],
];

type LabelledMetric = readonly [name: string, help: string, label: string, read: Labelled];

const LABELLED_GAUGES: readonly LabelledMetric[] = [
  [
    'sluice_back_pressure_mode',
    '1 for the mode in force.',
    'mode',
    ({ backPressure }) =>
      (['native', 'gate', 'none'] as const).map((mode) => [mode, Number(backPressure.mode === mode)]),
  ],
  [
    'sluice_neighbour_loss_ratio',
    'Share of unicast attempts that went unacknowledged, as a moving average.',
    'neighbour',
    ({ neighbours }) => neighbours.map(({ station, lossRatio }) => [`${station}`, lossRatio]),
  ],
  [
    'sluice_neighbour_last_heard_timestamp_seconds',
    'When it was last heard, in Unix time.',
    'neighbour',
    ({ neighbours }) => neighbours.map(({ station, lastHeardMs }) => [`${station}`, (Date.now() - lastHeardMs) / 1000]),
  ],
  [
    'sluice_neighbour_rssi_dbm',
    'Signal strength of its last frame, where the modem tells.',
    'neighbour',
    ({ neighbours }) =>
      neighbours.flatMap(({ station, rssiDbm }) => (rssiDbm === undefined ? [] : [[`${station}`, rssiDbm] as const])),
  ],
];

const LABELLED_COUNTERS: readonly LabelledMetric[] = [
  [
    'sluice_channel_seconds_total',
    'Time by what the channel was: own transmissions, others sensed, a carrier that is stuck, or idle.',
    'state',
    ({ mac, uptimeMs }) => {
      const [tx, busy, stuck] = [mac.airtimeUs / 1e6, mac.busyUs / 1e6, mac.stuckUs / 1e6];
      const idle = Math.max(0, uptimeMs / 1000 - tx - busy - stuck);
      return Object.entries({ tx, busy, stuck, idle });
    },
  ],
  [
    'sluice_dropped_frames_total',
    'Frames dropped, by cause.',
    'cause',
    ({ drops }) => (Object.keys(DROP_CAUSES) as DropCause[]).map((cause) => [cause, drops[cause] ?? 0]),
  ],
  [
    'sluice_neighbour_airtime_seconds_total',
    'What its frames that were understood took of the channel.',
    'neighbour',
    ({ neighbours }) => neighbours.map(({ station, airtimeUs }) => [`${station}`, airtimeUs / 1e6]),
  ],
  [
    'sluice_neighbour_exchanges_total',
    'Exchanges begun with it: unicast attempts, a burst being one.',
    'neighbour',
    ({ neighbours, unheard }) => [...neighbours, ...unheard].map(({ station, attempts }) => [`${station}`, attempts]),
  ],
];

/** 1 ms to a quarter of an hour, two octaves each. */
const DELAY_BOUNDS_S = Array.from({ length: 11 }, (_, index) => 4 ** index / 1000);
const RETRY_BOUNDS = [0, 1, 2, 3, 5, 7, 10, 14];

/** Each bucket: its upper bound, and how many are in it alone. */
type Bucket = readonly [bound: number, count: number];

/** A histogram whose observations others have counted. */
class CountedHistogram extends Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #read: () => { readonly buckets: readonly Bucket[]; readonly sum: number };

  constructor(
    description: { name: string; help: string; register: Registry },
    bounds: readonly number[],
    read: () => { buckets: readonly Bucket[]; sum: number },
  ) {
    const { name, help, register } = description;
    super({ name, help, buckets: [...bounds], registers: [register] });
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
    this.#read = read;
  }

  /** What the registry asks for, in prom-client's own form. */
  async getForPromString(): Promise<object> {
    const { buckets, sum } = this.#read();
    const upTo = (bound: number): number =>
      buckets.reduce((total, [upper, count]) => (upper <= bound * (1 + 1e-9) ? total + count : total), 0);
    const count = upTo(Number.POSITIVE_INFINITY);
    const values = [
      ...[...this.#bounds, '+Inf'].map((le) => ({
        metricName: `${this.#name}_bucket`,
        labels: { le },
        value: le === '+Inf' ? count : upTo(Number(le)),
      })),
      { metricName: `${this.#name}_sum`, labels: {}, value: sum },
      { metricName: `${this.#name}_count`, labels: {}, value: count },
    ];
    return { name: this.#name, help: this.#help, type: 'histogram', values };
  }
}

/** Of prom-client's own: gauges that are called like counters, which Prometheus' linter minds. */
const UNCONVENTIONAL = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

/** @param look called once a scrape */
export function bridgeMetrics(look: () => Figures): { readonly contentType: string; text(): Promise<string> } {
  const register = new Registry();
  let now = look();
  collectDefaultMetrics({ register });
  for (const name of UNCONVENTIONAL) register.removeSingleMetric(name);
  const info = { name: 'sluice_bridge_info', help: 'Who this is.', labelNames: ['station', 'profile'] as const };
  const { station, profile } = now.status;
  new Gauge({ ...info, registers: [register] }).set({ station: `${station}`, profile }, 1);
  for (const [name, help, read] of GAUGES) {
    new Gauge({
      ...{ name, help, registers: [register] },
      collect() {
        this.set(read(now.status));
      },
    });
  }
  for (const [name, help, read] of COUNTERS) {
    new Counter({
      ...{ name, help, registers: [register] },
      collect() {
        this.reset();
        this.inc(read(now.status));
      },
    });
  }
  for (const [name, help, label, read] of LABELLED_GAUGES) {
    new Gauge({
      ...{ name, help, labelNames: [label], registers: [register] },
      collect() {
        this.reset();
        for (const [each, value] of read(now.status)) this.set({ [label]: each }, value);
      },
    });
  }
  for (const [name, help, label, read] of LABELLED_COUNTERS) {
    new Counter({
      ...{ name, help, labelNames: [label], registers: [register] },
      collect() {
        this.reset();
        for (const [each, value] of read(now.status)) this.inc({ [label]: each }, value);
      },
    });
  }
  new Gauge({
    name: 'sluice_duty_cycle_left_ratio',
    help: 'What is left of the budget of the duty cycle; 1 without a limit.',
    registers: [register],
    collect() {
      this.set(now.mac.budgetLeft);
    },
  });
  const delay = 'Time from beginning to contend for the channel until the frame was settled, repetitions included.';
  new CountedHistogram({ name: 'sluice_access_delay_seconds', help: delay, register }, DELAY_BOUNDS_S, () => {
    const { counts, sumUs } = now.mac.delays;
    const buckets = [...counts].map((count, bucket): Bucket => [DurationHistogram.boundUs(bucket) / 1e6, count]);
    return { buckets, sum: sumUs / 1e6 };
  });
  const repetitions = 'Repetitions that frames took until they were acknowledged.';
  new CountedHistogram({ name: 'sluice_frame_retries', help: repetitions, register }, RETRY_BOUNDS, () => {
    const buckets = now.mac.retries.map((count, retries): Bucket => [retries, count]);
    return { buckets, sum: buckets.reduce((sum, [retries, count]) => sum + retries * count, 0) };
  });
  return {
    contentType: register.contentType,
    text: async () => {
      now = look();
      // The interface may have been renamed.
      register.setDefaultLabels({ interface: now.status.interface });
      return await register.metrics();
    },
  };
}
