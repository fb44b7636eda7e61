/** Merges layers of settings: mappings key by key, everything else by replacement, later layers over earlier ones. */
import type { Layer } from './configuration-errors.js';

type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * `over` laid on `under`. A `driver` of another kind replaces the one below wholly: its settings mean nothing to it.
 * Neither argument is changed.
 */
export function mergeMappings(under: Mapping, over: Mapping): Record<string, unknown> {
  const merged = new Map(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    const replaces = key === 'driver' && isMapping(value) && isMapping(below) && otherKind(below.kind, value.kind);
    merged.set(key, isMapping(value) && isMapping(below) && !replaces ? mergeMappings(below, value) : value);
  }
  return Object.fromEntries(merged);
}

function otherKind(below: unknown, over: unknown): boolean {
  return over !== undefined && over !== below;
}

export function mergeLayers(layers: readonly Layer[]): Record<string, unknown> {
  return layers.reduce<Record<string, unknown>>((merged, layer) => mergeMappings(merged, layer.values), {});
}
