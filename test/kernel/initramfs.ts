/** Builds the small root file system that a test kernel boots into: a cpio archive (newc) written straight from memory. */
import { execFile } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** File types of st_mode: Linux, include/uapi/linux/stat.h. */
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const TRAILER = 'TRAILER!!!';

interface Entry {
  readonly mode: number;
  /** The octets, or the path of the file to read them from when the archive is written. */
  readonly content: Buffer | string;
}

/** A root file system in the making. Paths are absolute; the folders above a file come by themselves. */
export class Initramfs {
  readonly #entries = new Map<string, Entry>();

  directory(path: string): void {
    if (path === '/' || this.#entries.has(path)) return;
    this.directory(dirname(path));
    this.#entries.set(path, { mode: S_IFDIR | 0o755, content: Buffer.alloc(0) });
  }

  text(path: string, text: string | Buffer, mode = 0o644): void {
    this.directory(dirname(path));
    this.#entries.set(path, { mode: S_IFREG | mode, content: Buffer.from(text) });
  }

  file(path: string, from: string, mode = 0o644): void {
    this.directory(dirname(path));
    this.#entries.set(path, { mode: S_IFREG | mode, content: from });
  }

  link(path: string, target: string): void {
    this.directory(dirname(path));
    this.#entries.set(path, { mode: S_IFLNK | 0o777, content: Buffer.from(target) });
  }

  /** Adds a program under /bin with the shared libraries it asks for, these at their own paths. */
  async program(from: string): Promise<void> {
    this.file(join('/bin', basename(from)), from, 0o755);
    // ldd exits with 1 on a static program.
    const { stdout } = await run('ldd', [from]).catch(() => ({ stdout: '' }));
    for (const [library] of stdout.matchAll(/\/\S+/g)) this.file(library, library, 0o755);
  }

  /** Adds a kernel module and those it depends on under /modules, and returns their paths in loading order. */
  async module(name: string, modulesDir: string, loaded: string[] = []): Promise<string[]> {
    const path = `/modules/${name}.ko`;
    if (loaded.includes(path)) return loaded;
    const source = await findModule(name, modulesDir);
    if (source === 'builtin') return loaded;
    const octets = await decompressed(source);
    // A module names what it needs in its .modinfo section: "depends=a,b", ended by a NUL.
    const depends = /(?:^|\0)depends=([^\0]*)\0/.exec(octets.toString('latin1'))?.[1] ?? '';
    for (const needed of depends.split(',').filter(Boolean)) await this.module(needed, modulesDir, loaded);
    this.text(path, octets);
    loaded.push(path);
    return loaded;
  }

  /** Writes the archive, not compressed: an emulated CPU copies faster than it inflates. */
  async write(target: string): Promise<void> {
    await pipeline(this.#archive(), createWriteStream(target));
  }

  async *#archive(): AsyncGenerator<Buffer> {
    let inode = 1;
    for (const [path, entry] of [...this.#entries, [`/${TRAILER}`, { mode: 0, content: Buffer.alloc(0) }] as const]) {
      const octets = typeof entry.content === 'string' ? await readFile(entry.content) : entry.content;
      const name = Buffer.from(`${path.slice(1)}\0`);
      const header = cpioHeader(inode++, entry.mode, octets.length, name.length);
      yield padded(Buffer.concat([header, name]));
      yield padded(octets);
    }
  }
}

/** The newc header: Linux, Documentation/driver-api/early-userspace/buffer-format.rst. */
function cpioHeader(inode: number, mode: number, sizeBytes: number, nameBytes: number): Buffer {
  const links = 1;
  const fields = [inode, mode, 0, 0, links, 0, sizeBytes, 0, 0, 0, 0, nameBytes, 0];
  return Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
}

function padded(octets: Buffer): Buffer {
  const missing = -octets.length & 3;
  return missing === 0 ? octets : Buffer.concat([octets, Buffer.alloc(missing)]);
}

async function findModule(name: string, modulesDir: string): Promise<string> {
  const spelling = new RegExp(`/${name.replaceAll(/[-_]/g, '[-_]')}\\.ko(\\.xz|\\.zst)?$`);
  const files = await readdir(join(modulesDir, 'kernel'), { recursive: true });
  const found = files.find((file) => spelling.test(`/${file}`));
  if (found) return join(modulesDir, 'kernel', found);
  const builtin = join(modulesDir, 'modules.builtin');
  if (existsSync(builtin) && (await readFile(builtin, 'utf8')).split('\n').some((line) => spelling.test(line))) {
    return 'builtin';
  }
  throw new Error(`kernel module ${name} is not in ${modulesDir}`);
}

async function decompressed(path: string): Promise<Buffer> {
  const program = path.endsWith('.xz') ? 'xz' : path.endsWith('.zst') ? 'zstd' : undefined;
  if (!program) return readFile(path);
  const { stdout } = await run(program, ['-dc', path], { encoding: 'buffer', maxBuffer: 1 << 28 });
  return stdout;
}

/**
 * The built files that a program of ours needs: itself and everything it imports by relative path, in the order found.
 * @throws Error when one of them imports an npm package: the lab carries none.
 */
export async function importedFiles(entry: string): Promise<string[]> {
  const found = new Set([entry]);
  for (const file of found) {
    const text = await readFile(file, 'utf8');
    for (const [, specifier = ''] of text.matchAll(/(?:\bfrom|^\s*import|\bimport\()\s*'([^']+)'/gm)) {
      if (specifier.startsWith('.')) found.add(join(dirname(file), specifier));
      else if (!specifier.startsWith('node:')) throw new Error(`${file} imports ${specifier}: not in the lab`);
    }
  }
  return [...found];
}
