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
/** Below either, the blank lines go, and what is noted of neighbours stands at the top, as their table may not be seen. */
const SMALL_COLUMNS = 80;
const SMALL_ROWS = 20;
const SMALL_NOTES = 3;

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

  const small = columns < SMALL_COLUMNS || rows < SMALL_ROWS;
  const blank = small ? [] : [''];
  const state = cut(`line ${status.line.state}, ${status.line.path}; back pressure ${status.backPressure.mode}`);
  const alerts = alertLines(figures, options, small).map(alert);
  const lines: string[] = [head(cut(header(figures, options)))];
  // On a small screen what is wrong takes the place of all else.
  lines.push(...(small ? [...alerts.slice(0, Math.max(0, rows - 2)), state] : [state, ...alerts]), ...blank);
  lines.push(...barLines(figures, columns, head, { own: paint('green'), others: paint('yellow'), idle: paint('dim') }));
  lines.push(...blank, ...macLines(figures).map(cut), ...blank);

  const drops = dropLines(figures, columns).map(cut);
  const room = rows - lines.length - drops.length - 2 - blank.length;
  lines.push(head(cut(NEIGHBOUR_HEADER)));
  lines.push(
    ...neighbourLines(figures.neighbours, Math.max(1, room)).map(({ text, alert: worth }) =>
      worth ? alert(cut(text)) : cut(text),
    ),
  );
  lines.push(...blank, ...drops);
  while (lines.length < rows - 1) lines.push('');
  lines.length = Math.min(lines.length, rows - 1);
  lines.push(paint('dim')(cut(`q quits; every ${span(options.intervalMs)}; loss: of our latest attempts; (+N): new`)));
  return lines;
}

/** What is wrong, the worst first, whole. */
function alertLines(figures: TopFigures, { columns, silentMs }: ScreenOptions, withNotes: boolean): string[] {
  const noted = withNotes ? figures.neighbours.filter(({ note }) => note !== '') : [];
  const notes = noted.slice(0, SMALL_NOTES).map(({ station, note }) => `station ${station} ${note}`);
  if (noted.length > notes.length) notes.push(`${noted.length - notes.length} more`);
  return [
    ...(silentMs === undefined ? [] : [`no answer from the bridge for ${duration(silentMs)}; asking again`]),
    ...warnings(figures),
    ...(notes.length === 0 ? [] : [notes.join(', ')]),
  ].flatMap((words) => wrapped(`! ${words}`, columns));
}

/** In lines of so many columns, those after the first moved in. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line.slice(0, columns));
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line.slice(0, columns)];
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
