/**
 * Figures of many stations over time, in bounded memory: cells of equal length, which grow longer together when there are too
 * many of them. Cells begin at whole multiples of their length in Unix time, so that a minute is a minute of the clock.
 */
import { addFigures, type Figures, newFigures } from './figures.js';

/** Each is a multiple of the one before. */
const CELL_LADDER_MS = [1, 2, 10, 30, 60, 120, 600, 1800, 3600, 7200, 21_600, 86_400, 604_800, 6_048_000].map(
  (seconds) => seconds * 1000,
);
/** A cell is about a kilobyte. With five stations, this is a day and a half at 30 s. */
const MAX_CELLS = 20_000;

export class Timeline {
  readonly #cells = new Map<number, Map<number, Figures>>();
  readonly #maxCells: number;
  #rung = 0;
  #count = 0;

  constructor(maxCells = MAX_CELLS) {
    this.#maxCells = maxCells;
  }

  get cellMs(): number {
    return CELL_LADDER_MS[this.#rung] ?? Number.POSITIVE_INFINITY;
  }

  /** Stations that have cells, in ascending order. */
  get stations(): number[] {
    return [...this.#cells.keys()].sort((left, right) => left - right);
  }

  /** Beginnings of all cells of any station, in Unix time, in ascending order. */
  get starts(): number[] {
    const starts = new Set<number>();
    for (const cells of this.#cells.values()) for (const index of cells.keys()) starts.add(index * this.cellMs);
    return [...starts].sort((left, right) => left - right);
  }

  /** How many cells a station has. */
  count(station: number): number {
    return this.#cells.get(station)?.size ?? 0;
  }

  /** The cells of a station that begin within [`fromMs`, `untilMs`), as [begin in Unix time, figures], in ascending order. */
  between(station: number, fromMs: number, untilMs: number): [number, Figures][] {
    const { cellMs } = this;
    const cells = this.#cells.get(station) ?? new Map<number, Figures>();
    const first = Math.ceil(fromMs / cellMs);
    const past = Math.ceil(untilMs / cellMs);
    const found: [number, Figures][] = [];
    if (past - first < cells.size) {
      for (let index = first; index < past; index++) {
        const figures = cells.get(index);
        if (figures !== undefined) found.push([index * cellMs, figures]);
      }
      return found;
    }
    for (const [index, figures] of cells) {
      if (index >= first && index < past) found.push([index * cellMs, figures]);
    }
    return found.sort(([left], [right]) => left - right);
  }

  /** The same with each station's clock put right; offsets are whole cells. */
  shifted(offsetsMs: ReadonlyMap<number, number>): Timeline {
    const copy = new Timeline(this.#maxCells);
    copy.#rung = this.#rung;
    for (const [station, cells] of this.#cells) {
      const offset = Math.round((offsetsMs.get(station) ?? 0) / this.cellMs);
      copy.#cells.set(station, new Map([...cells].map(([index, figures]) => [index + offset, figures])));
      copy.#count += cells.size;
    }
    return copy;
  }

  /** Spreads the figures of an interval over the cells that it touches. `startMs` < `endMs`, both Unix time. */
  add(station: number, startMs: number, endMs: number, figures: Figures): void {
    // An interval of many cells says nothing about single ones.
    while (endMs - startMs > this.cellMs * this.#maxCells && this.#canGrow()) this.#grow();
    const { cellMs } = this;
    for (let index = Math.floor(startMs / cellMs); index * cellMs < endMs; index++) {
      const partMs = Math.min(endMs, (index + 1) * cellMs) - Math.max(startMs, index * cellMs);
      addFigures(this.#cell(station, index), figures, partMs / (endMs - startMs));
    }
    while (this.#count > this.#maxCells && this.#canGrow()) this.#grow();
  }

  /** Forgets the cells that begin outside [`fromMs`, `untilMs`): of one station, or of all. */
  keep(fromMs: number, untilMs: number, only?: number): void {
    for (const [station, cells] of this.#cells) {
      if (only !== undefined && station !== only) continue;
      for (const index of cells.keys()) {
        const startMs = index * this.cellMs;
        if (startMs < fromMs || startMs >= untilMs) cells.delete(index);
      }
      if (cells.size === 0) this.#cells.delete(station);
    }
  }

  #canGrow(): boolean {
    return this.#rung < CELL_LADDER_MS.length - 1;
  }

  #grow(): void {
    const beforeMs = this.cellMs;
    this.#rung++;
    const { cellMs } = this;
    this.#count = 0;
    for (const [station, cells] of [...this.#cells]) {
      this.#cells.set(station, new Map());
      for (const [index, figures] of cells) {
        addFigures(this.#cell(station, Math.floor((index * beforeMs) / cellMs)), figures);
      }
    }
  }

  #cell(station: number, index: number): Figures {
    let cells = this.#cells.get(station);
    if (cells === undefined) {
      cells = new Map();
      this.#cells.set(station, cells);
    }
    let cell = cells.get(index);
    if (cell === undefined) {
      cell = newFigures();
      cells.set(index, cell);
      this.#count++;
    }
    return cell;
  }
}
