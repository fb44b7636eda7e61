/** Reads one YAML file or scalar into plain values; all failures name file, line and column. */
import { closeSync, openSync, readSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { SluiceError } from '../base/errors.js';

/**
 * The mapping in a YAML text. An empty text is an empty mapping.
 * @throws SluiceError `configuration`: not YAML, a key twice, or not a mapping.
 */
export function parseYamlMapping(source: string, origin: string): Record<string, unknown> {
  const value = parseYaml(source, origin);
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new SluiceError('configuration', `${origin}: is not a mapping of keys to values`, {
      subject: origin,
      remedy: 'Write one key a line, each with a colon and its value or, indented below it, its own keys.',
    });
  }
  return value as Record<string, unknown>;
}

/** Any YAML value. @throws SluiceError `configuration` when it is none. */
export function parseYaml(source: string, origin: string): unknown {
  const document = parseDocument(source, { prettyErrors: true, uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const [start] = error.linePos ?? [];
    const where = start === undefined ? '' : `:${start.line}:${start.col}`;
    throw new SluiceError('configuration', `${origin}${where}: ${error.message.split('\n')[0] ?? 'not YAML'}`, {
      subject: origin,
      remedy: 'Correct the YAML there; indent with spaces, and put text with signs of YAML into quotes.',
    });
  }
  try {
    // Bounded: a file of aliases to aliases must not eat the memory.
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (cause) {
    throw new SluiceError('configuration', `${origin}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      subject: origin,
      remedy: 'Write the values themselves in place of aliases (*name).',
      cause,
    });
  }
}

/** No profile, configuration or medium is this long; /dev/zero never ends. */
const FILE_MAX_BYTES = 2 ** 20;

/** @throws SluiceError `configuration`: unreadable, longer than 1 MiB, or as `parseYamlMapping`. */
export function readYamlMapping(path: string): Record<string, unknown> {
  let source: string;
  try {
    source = readText(path);
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    const errno = (cause as NodeJS.ErrnoException).code;
    throw new SluiceError('configuration', `${path}: cannot be read (${errno ?? String(cause)})`, {
      subject: path,
      remedy: 'Name a readable YAML file.',
      cause,
      ...(errno === undefined ? {} : { errno }),
    });
  }
  return parseYamlMapping(source, path);
}

/** Read to its end, as far as that may be: pipes have no length (`-c <(...)`). */
function readText(path: string): string {
  const buffer = Buffer.alloc(FILE_MAX_BYTES + 1);
  const fd = openSync(path, 'r');
  try {
    let bytes = 0;
    for (let read = -1; read !== 0 && bytes < buffer.length; bytes += read) {
      read = readSync(fd, buffer, bytes, buffer.length - bytes, null);
    }
    if (bytes <= FILE_MAX_BYTES) return buffer.toString('utf8', 0, bytes);
  } finally {
    closeSync(fd);
  }
  throw new SluiceError('configuration', `${path}: is longer than ${FILE_MAX_BYTES} octets`, {
    subject: path,
    remedy: 'Name a YAML file with settings.',
  });
}
