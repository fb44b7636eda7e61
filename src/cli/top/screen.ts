/** The screen of `sluice top`: figures as lines of text for a terminal of some size. ASCII, so that any terminal shows it. */
import { styleText } from 'node:util';
import type { TopFigures } from './figures.js';
import { NEIGHBOUR_HEADER, neighbourLines } from './neighbour-lines.js';
import { clock, delayWords, dropWords, duration, octets, percent, span, warnings } from './words.js';

export interface ScreenOptions {
  readonly columns: number;
  readonly rows: number;
  /** Colours only help the eye: nothing is told by them alone. */
  readonly colour: boolean;
  /** `12:03:04`. */
  readonly timeOfDay: string;
  readonly intervalMs: number;
  /** When the bridge does not answer: since how long. */
  readonly silentMs?: number;
}

type Paint = (text: string) => string;

/** One for each kind of time on the channel, all different in shape. */
const MARKS = { own: '#', others: '=', idle: '.' } as const;
const KINDS = ['own', 'others', 'idle'] as const;

const BAR_MIN = 12;
const BAR_MAX = 60;
const LABEL_COLUMNS = 9;
const SHARE_COLUMNS = 13;
const DROP_LINES = 2;

/** At most `rows` lines, none longer than `columns` but for escape sequences. */
export function screen(figures: TopFigures, options: ScreenOptions): string[] {
  const { columns, rows, colour } = options;
  const paint = (...format: Parameters<typeof styleText>[0][]): Paint => {
    const formats = format.flat() as Parameters<typeof styleText>[0];
    return (text) => (colour && text !== '' ? styleText(formats, text, { validateStream: false }) : text);
  };
  const cut: Paint = (text) => (text.length > columns ? text.slice(0, columns) : text);
  const alert = paint('bold', 'red');
  const head = paint('bold');
  const { status } = figures;

  const lines: string[] = [head(cut(header(figures, options)))];
  lines.push(cut(`line ${status.line.state}, ${status.line.path}; back pressure ${status.backPressure.mode}`));
  if (options.silentMs !== undefined) {
    lines.push(alert(cut(`! no answer from the bridge for ${duration(options.silentMs)}; asking again`)));
  }
  for (const warning of warnings(figures)) lines.push(alert(cut(`! ${warning}`)));
  lines.push(
    '',
    ...barLines(figures, columns, head, { own: paint('green'), others: paint('yellow'), idle: paint('dim') }),
  );
  lines.push('', ...macLines(figures).map(cut), '');

  const drops = dropLines(figures, columns).map(cut);
  const room = rows - lines.length - drops.length - 3;
  lines.push(head(cut(NEIGHBOUR_HEADER)));
  lines.push(
    ...neighbourLines(figures.neighbours, Math.max(1, room)).map(({ text, alert: worth }) =>
      worth ? alert(cut(text)) : cut(text),
    ),
  );
  lines.push('', ...drops);
  while (lines.length < rows - 1) lines.push('');
  lines.length = Math.min(lines.length, rows - 1);
  lines.push(paint('dim')(cut(`q quits; every ${span(options.intervalMs)}; loss: of our latest attempts; (+N): new`)));
  return lines;
}

function header({ status }: TopFigures, { columns, timeOfDay }: ScreenOptions): string {
  const left = `sluice top  ${status.interface}, station ${status.station}, ${status.profile}, up ${clock(status.uptimeMs)}`;
  return `${left.padEnd(columns - timeOfDay.length - 1)} ${timeOfDay}`;
}

/** How the time was used: in figures for both spans, in bars for the latest one, if there is room for bars. */
function barLines(
  { now, long, spanMs, longSpanMs }: TopFigures,
  columns: number,
  head: Paint,
  paints: Record<(typeof KINDS)[number], Paint>,
): string[] {
  const left = columns - LABEL_COLUMNS - 2 * SHARE_COLUMNS - 3;
  const width = left < BAR_MIN ? 0 : Math.min(BAR_MAX, left);
  const words = (label: string, ...shares: string[]): string =>
    `${label.padEnd(LABEL_COLUMNS)}${shares.map((share) => `${share.padStart(SHARE_COLUMNS - 2)}  `).join('')}`;
  const title = words('channel', `last ${span(spanMs)}`, `last ${span(longSpanMs)}`);
  const bars = KINDS.map((kind) => {
    const text = words(`${MARKS[kind]} ${kind}`, percent(now[kind]), percent(long[kind]));
    const bar = MARKS[kind].repeat(Math.round(now[kind] * width));
    return width === 0 ? text.slice(0, columns) : `${text}[${paints[kind](bar)}${' '.repeat(width - bar.length)}]`;
  });
  return [head(width === 0 ? title.slice(0, columns) : `${title} ${scale(width)}`), ...bars];
}

/** `0        50       100 %` over the bars. */
function scale(width: number): string {
  const half = Math.floor(width / 2);
  return `${'0'.padEnd(half - 1)}50${'100 %'.padStart(width - half - 1)}`;
}

function macLines({ status, fresh }: TopFigures): string[] {
  const { mac, backPressure } = status;
  const { kind, backlogPackets, backlogBytes } = backPressure.qdisc;
  return [
    `window ${mac.contentionWindow} slots of ${duration(mac.slotUs / 1000)}   ${delayWords(mac.delayMs)}   ${mac.state}`,
    `queue ${backlogPackets} packets, ${octets(backlogBytes)} (${kind}), waiting ${duration(backPressure.queueDelayMs)}`,
    `attempts ${fresh.attempts}: ${fresh.acked} acknowledged, ${fresh.unacked} not, ${fresh.unconfirmed} broadcast   backoffs ${fresh.backoffs}   slots ${fresh.backoffSlots}`,
  ];
}

function dropLines({ drops }: TopFigures, columns: number): string[] {
  if (drops.length === 0) return ['drops    none'];
  const lines: string[] = [];
  let line = 'drops  ';
  for (const drop of drops) {
    const words = `  ${dropWords(drop)}`;
    if (line.length + words.length > columns) {
      if (lines.length === DROP_LINES - 1) break;
      lines.push(line);
      line = '       ';
    }
    line += words;
  }
  return [...lines, line];
}
