/** Reads one YAML file or scalar into plain values; all failures name file, line and column. */
import { readFileSync } from 'node:fs';
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
    throw new SluiceError('configuration', `${origin}: is not a mapping of keys to values`, { subject: origin });
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
    });
  }
  try {
    // Bounded: a file of aliases to aliases must not eat the memory.
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (cause) {
    throw new SluiceError('configuration', `${origin}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      subject: origin,
      cause,
    });
  }
}

/** @throws SluiceError `configuration`: unreadable, or as `parseYamlMapping`. */
export function readYamlMapping(path: string): Record<string, unknown> {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (cause) {
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
