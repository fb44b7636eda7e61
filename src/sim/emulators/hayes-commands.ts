/** The commands that an emulated Hayes modem knows, and what they set. */

export interface HayesCommand {
  readonly name: string;
  readonly value: string;
}

/** By modems.md 5.4; numbers differ among vendors. */
export const DIGITS_OF: Readonly<Record<string, number>> = {
  OK: 0,
  CONNECT: 1,
  RING: 2,
  'NO CARRIER': 3,
  ERROR: 4,
  'NO DIALTONE': 6,
  BUSY: 7,
};

const COMMAND = /\s*(?:(D)(.*)|(\+[A-Z]+)=?([^;]*);?|(S)(\d+=\d+|\d+\?)|([&%\\]?[A-Z])(\d*))/iy;
const KNOWN = /^(D|A|O|H|Z|E|V|X|Q|M|L|I|S|&[FKCDWS]|\+(CBST|IPR))$/;

/** The commands of a line, in order; undefined where one is unknown. */
export function parseHayes(line: string): HayesCommand[] | undefined {
  const commands: HayesCommand[] = [];
  COMMAND.lastIndex = 0;
  while (COMMAND.lastIndex < line.trimEnd().length) {
    const match = COMMAND.exec(line);
    if (match === null) return undefined;
    const [, d, number, plus, plusValue, s, register, letter, digits] = match;
    const name = (d ?? plus ?? s ?? letter ?? '').toUpperCase();
    if (!KNOWN.test(name)) return undefined;
    commands.push({ name, value: number ?? plusValue ?? register ?? digits ?? '' });
  }
  return commands;
}

export interface HayesState {
  echo: boolean;
  verbose: boolean;
  dtrHangsUp: boolean;
  /** S0; 0 is never. */
  answerRings: number;
  /** S12, units of 20 ms. */
  guardUs: number;
  set(name: string, value: string): void;
}

/** As after power-on. */
export function hayesSettings(): HayesState {
  return {
    echo: true,
    verbose: true,
    dtrHangsUp: true,
    answerRings: 0,
    guardUs: 1_000_000,
    set(name, value) {
      if (name === 'E') this.echo = value === '1';
      else if (name === 'V') this.verbose = value !== '0';
      else if (name === '&D') this.dtrHangsUp = value === '2';
      else if (name === 'S') {
        const [register, number] = value.split('=').map(Number);
        if (register === 0) this.answerRings = number ?? 0;
        if (register === 12) this.guardUs = (number ?? 50) * 20_000;
      }
    },
  };
}
