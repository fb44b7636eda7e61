/** Lines cut from chunks, and files read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { LineCutter, MAX_LINE_BYTES, readLines } from '../../../../src/observe/report/read-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'sluice-lines-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sink(): { seen: string[]; line(text: string): void; rest(text: string): void; tooLong(): void } {
  const seen: string[] = [];
  return {
    seen,
    line: (text) => seen.push(text),
    rest: (text) => seen.push(`rest:${text}`),
    tooLong: () => seen.push('too long'),
  };
}

describe('lines', () => {
  it('come out alike however the octets are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.integer({ min: 1, max: 9 })), (texts, cuts) => {
        const octets = Buffer.from(texts.join('\n'));
        const whole = sink();
        const cut = sink();
        const one = new LineCutter(whole);
        one.push(octets);
        one.end();
        const many = new LineCutter(cut);
        let at = 0;
        for (const length of [...cuts, octets.length]) {
          many.push(octets.subarray(at, at + length));
          at += length;
        }
        many.end();
        expect(cut.seen).toEqual(whole.seen);
      }),
    );
  });

  it('that never end are not kept', () => {
    const { seen, ...rest } = sink();
    const cutter = new LineCutter({ ...rest });
    for (let pushed = 0; pushed <= MAX_LINE_BYTES; pushed += 4096) cutter.push(Buffer.alloc(4096, 'x'));
    cutter.push(Buffer.from('\nshort\nrest'));
    cutter.end();
    expect(seen).toEqual(['too long', 'short', 'rest:rest']);
  });
});

describe('a file', () => {
  it('may be packed', async () => {
    const path = join(folder, 'a.1.gz');
    writeFileSync(path, gzipSync('one\ntwo\n'));
    const into = sink();
    await readLines(path, into);
    expect(into.seen).toEqual(['one', 'two']);
  });

  it('that is packed and cut off gives what it has, and says so', async () => {
    const path = join(folder, 'b.gz');
    const packed = gzipSync(Array.from({ length: 20_000 }, (_, index) => `line ${index * 7919}\n`).join(''));
    writeFileSync(path, packed.subarray(0, packed.length / 2));
    const into = sink();
    await expect(readLines(path, into)).rejects.toThrow(/unexpected end/);
    expect(into.seen[0]).toBe('line 0');
  });

  it.each(['missing', 'missing.gz', '.'])('that cannot be read is named: %s', async (name) => {
    await expect(readLines(join(folder, name), sink())).rejects.toThrow(/ENOENT|EISDIR/);
  });
});
