/** What log-file.ts uses of pino-roll, which comes without types. */
declare module 'pino-roll' {
  interface RollOptions {
    readonly file: string;
    /** With a unit, such as `k`. */
    readonly size: string;
    readonly limit: { readonly count: number; readonly removeOtherLogFiles: boolean };
    readonly mkdir: boolean;
    readonly sync: boolean;
    /** Octets that wait to be written, at most. */
    readonly maxLength: number;
  }

  interface RolledFile {
    write(line: string): boolean;
    on(event: 'error', listener: (cause: Error) => void): unknown;
    on(event: 'write' | 'drop', listener: () => void): unknown;
  }

  export default function roll(options: RollOptions): Promise<RolledFile>;
}
