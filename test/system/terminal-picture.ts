/** A picture of a terminal's screen, as SVG: what stands together in a line and has one style is one text. */
import type { IBufferCell, IBufferLine, Terminal } from '@xterm/headless';

const CELL_PX = { width: 8.4, height: 18 } as const;
const MARGIN_PX = 12;
const BACKGROUND = '#16181d';
const FOREGROUND = '#d8dce2';
/** Of the colours that SGR 30 to 37 name; those that top uses. */
const COLOURS: Readonly<Record<number, string>> = { 1: '#ff7a70', 2: '#7ccf6f', 3: '#e5c15c' };

export function svgOf({ cols, rows, buffer: { active } }: Terminal): string {
  const width = Math.ceil(cols * CELL_PX.width + 2 * MARGIN_PX);
  const height = rows * CELL_PX.height + 2 * MARGIN_PX;
  const lines = Array.from({ length: rows }, (_, i) => active.getLine(active.viewportY + i));
  const texts = lines.flatMap((line, i) =>
    line === undefined ? [] : stretches(line, cols).map((each) => text(each, i)),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<rect width="100%" height="100%" rx="6" fill="${BACKGROUND}"/>`,
    `<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="${FOREGROUND}">`,
    ...texts,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

interface Stretch {
  readonly from: number;
  readonly style: string;
  text: string;
}

function stretches(line: IBufferLine, columns: number): Stretch[] {
  const found: Stretch[] = [];
  for (let column = 0; column < columns; column++) {
    const cell = line.getCell(column);
    if (cell === undefined) break;
    const style = styleOf(cell);
    const last = found.at(-1);
    if (last?.style === style) last.text += cell.getChars() || ' ';
    else found.push({ from: column, style, text: cell.getChars() || ' ' });
  }
  return found.flatMap(apart);
}

/** At gaps, which not everybody who shows a picture keeps as wide as they are. */
function apart({ from, style, text: whole }: Stretch): Stretch[] {
  return [...whole.matchAll(/\S+(?: \S+)*/g)].map(({ 0: words, index }) => ({
    from: from + index,
    style,
    text: words,
  }));
}

function styleOf(cell: IBufferCell): string {
  const colour = cell.isFgPalette() ? COLOURS[cell.getFgColor()] : undefined;
  return [
    ...(colour === undefined ? [] : [`fill="${colour}"`]),
    ...(cell.isBold() ? ['font-weight="bold"'] : []),
    ...(cell.isDim() ? ['opacity="0.6"'] : []),
  ].join(' ');
}

/** Its length is given, so that columns stand one below the other in any font. */
function text({ from, style, text: words }: Stretch, row: number): string {
  const x = (MARGIN_PX + from * CELL_PX.width).toFixed(1);
  const y = MARGIN_PX + (row + 0.75) * CELL_PX.height;
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const length = (words.length * CELL_PX.width).toFixed(1);
  return `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs" ${style}>${escaped}</text>`;
}
