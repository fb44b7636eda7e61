/** Folders for logs, sockets and links: made where they can be, refused at once where not. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder } from '../../../src/observe/folder.js';

let base = '';

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'sluice-test-'));
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

describe('a folder', () => {
  it('is made with those that it is in, and left alone where it is there', () => {
    makeFolder(join(base, 'a/b/c'));
    makeFolder(join(base, 'a/b/c'));
    expect(statSync(join(base, 'a/b/c')).isDirectory()).toBe(true);
  });

  it.each([
    ['where the kernel has no folders', () => '/proc/self/x/y', 'ENOENT'],
    ['below a file', () => join(base, 'file/x'), 'ENOTDIR'],
    ['in place of a file', () => join(base, 'file'), 'EEXIST'],
    ['with a name that is too long', () => join(base, 'x'.repeat(5000)), 'ENAMETOOLONG'],
  ])('is refused %s', (_where, path, code) => {
    writeFileSync(join(base, 'file'), '');
    expect(() => makeFolder(path())).toThrow(expect.objectContaining({ code }));
  });
});
