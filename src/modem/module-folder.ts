/** Finds the modules of a folder by listing it, so that a new one needs no line anywhere else. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Loads every module beside the caller, in the order of their names, and returns what they export by that name; those that
 * export nothing of the kind are left out.
 * @param caller its `import.meta.url`; its own ending (`.ts` in tests, `.js` built) is that of the others
 * @param except modules that import the caller: it would wait for them, and they for it, for ever
 */
export async function exportsBeside(
  caller: string,
  name: string,
  except: readonly string[] = [],
): Promise<Map<string, unknown>> {
  const folder = new URL('./', caller);
  const own = caller.slice(folder.href.length);
  const ending = own.slice(own.lastIndexOf('.'));
  const passedOver = [own, ...except.map((module) => module + ending)];
  const files = readdirSync(fileURLToPath(folder)).filter((file) => file.endsWith(ending));
  const found = new Map<string, unknown>();
  for (const file of files.filter((file) => !passedOver.includes(file)).sort()) {
    const module = (await import(new URL(file, folder).href)) as Readonly<Record<string, unknown>>;
    if (module[name] !== undefined) found.set(file.slice(0, -ending.length), module[name]);
  }
  return found;
}
