/** The terminal while `sluice top` has it: its other screen, no cursor, keys as they are pressed. All is given back at the end. */
import escapes from 'ansi-escapes';

/** ETX: Ctrl-C is a key like any other while keys come as they are pressed. */
const CTRL_C = '\u0003';

export interface TerminalEvents {
  /** q or Ctrl-C was pressed, or the terminal has gone away. */
  quit(): void;
  /** It has another size; what is on it must be drawn anew. */
  resized(): void;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export class Terminal {
  readonly #in: NodeJS.ReadStream;
  readonly #out: NodeJS.WriteStream;
  readonly #undo: (() => void)[] = [];

  /** Takes the terminal at once. */
  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream, events: TerminalEvents) {
    this.#in = input;
    this.#out = output;
    this.#out.write(escapes.enterAlternativeScreen + escapes.cursorHide);
    // Also when the process ends by an error that nobody expected.
    const atExit = (): void => this.close();
    process.once('exit', atExit);
    this.#undo.push(() => process.off('exit', atExit));
    const resized = (): void => events.resized();
    output.on('resize', resized);
    this.#undo.push(() => output.off('resize', resized));
    if (input.isTTY) this.#takeKeys(events);
  }

  get size(): Size {
    return { columns: this.#out.columns || 80, rows: this.#out.rows || 24 };
  }

  get colour(): boolean {
    return this.#out.hasColors();
  }

  /** A slow line gets fewer pictures, not late ones: this one is left out when the last is not through yet. */
  draw(lines: readonly string[]): void {
    if (this.#out.writableLength > 0) return;
    // Erased before it is written: behind a full line the cursor is still on its last character.
    this.#out.write(escapes.cursorTo(0, 0) + lines.map((line) => escapes.eraseEndLine + line).join('\r\n'));
  }

  /** Idempotent. */
  close(): void {
    if (this.#undo.length === 0) return;
    for (const undo of this.#undo.splice(0)) undo();
    this.#out.write(escapes.cursorShow + escapes.exitAlternativeScreen);
  }

  #takeKeys({ quit }: TerminalEvents): void {
    const input = this.#in;
    const pressed = (keys: Buffer): void => {
      if (/^q/i.test(String(keys)) || String(keys).includes(CTRL_C)) quit();
    };
    input.setRawMode(true);
    input.on('data', pressed).once('end', quit).on('error', quit);
    this.#undo.push(() => {
      input.off('data', pressed).off('end', quit).off('error', quit);
      input.setRawMode(false);
      input.pause();
    });
  }
}
