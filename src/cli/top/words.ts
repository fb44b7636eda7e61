/** Figures as words, for a narrow screen. */
import type { DropRow, TopFigures } from './figures.js';

/** Busy for so much of the time is worth asking by whom, if frames explain less than that part of it. */
const MUCH = 0.5;
const UNDERSTOOD_LEAST = 0.25;

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `0.4 ms`, `41 ms`, `3.2 s`, `4 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`;
  return span(ms);
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Whole seconds and more: `2 s`, `15 min`, `30 h`, `12 d`. */
export function span(ms: number): string {
  if (ms < 100_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 90 * MINUTE_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  return ms < 48 * HOUR_MS ? `${Math.round(ms / HOUR_MS)} h` : `${Math.round(ms / (24 * HOUR_MS))} d`;
}

export function octets(count: number): string {
  return count < 1000 ? `${count} octets` : `${(count / 1000).toFixed(1)} kB`;
}

/** `1:02:03`. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Of the latest frames; nothing is measured before the first was settled. */
export function delayWords({ p50, p99 }: { readonly p50: number; readonly p99: number }): string {
  return p99 === 0 ? 'delay -' : `delay p50 ${duration(p50)}, p99 ${duration(p99)}`;
}

/** `retry-limit 12 (+1)`. */
export function dropWords({ cause, total, fresh }: DropRow): string {
  return `${cause} ${total}${fresh > 0 ? ` (+${fresh})` : ''}`;
}

/** What is wrong, as far as the bridge itself can tell; the worst first. */
export function warnings({ status, long, neighbours }: TopFigures): string[] {
  const { line, mac, backPressure } = status;
  const understood = neighbours.reduce((sum, { longShare }) => sum + longShare, 0);
  const isStuck = mac.carrierStuck || long.stuck > 0;
  const isStrange = long.others >= MUCH && understood < UNDERSTOOD_LEAST * long.others;
  return [
    ...(line.state === 'open' ? [] : [`line ${line.state}: nothing is sent or heard`]),
    ...(isStuck ? ['stuck carrier: busy without end, no longer believed; check squelch and wiring'] : []),
    ...(isStrange ? [`busy ${percent(long.others)}, hardly a frame in it: noise, open squelch, strangers?`] : []),
    ...(backPressure.mode === 'none' ? ['no back pressure: what the modem cannot take is lost'] : []),
  ];
}
