/**
 * The drivers there are: each file of this folder that exports `driver` (see driver-definition.ts). The profile schema is made
 * of what is found here; so no driver may import that schema but for its types.
 */
import { SluiceError } from '../../base/errors.js';
import { exportsBeside } from '../module-folder.js';
import type { Contradiction, DriverSection } from '../schema-parts.js';

/** A definition, as far as the profile schema needs it. */
export interface FoundDriver {
  readonly kind: string;
  readonly settings: DriverSection;
  readonly channelAccess?: readonly string[];
  baudRates?(settings: unknown): readonly number[];
  maxFrameBytes?(settings: unknown): number;
  contradictions?(settings: unknown, line: unknown): readonly Contradiction[];
}

function isDefinition(value: unknown): value is Omit<FoundDriver, 'kind'> {
  const { settings, create } = value as Partial<Record<string, unknown>>;
  const { shape } = (settings ?? {}) as { readonly shape?: Partial<Record<string, unknown>> };
  return typeof create === 'function' && shape?.kind !== undefined && shape.maxFrameBytes !== undefined;
}

const found = new Map<string, FoundDriver>();
for (const [file, definition] of await exportsBeside(import.meta.url, 'driver', ['registry'])) {
  if (!isDefinition(definition)) {
    throw new SluiceError(
      'internal',
      `the driver file ${file} exports a driver without settings (kind, maxFrameBytes)`,
    );
  }
  for (const kind of definition.settings.shape.kind.options) {
    if (found.has(kind))
      throw new SluiceError('internal', `two driver files say that they are '${kind}', one is ${file}`);
    found.set(kind, { ...definition, kind });
  }
}

/** By `driver.kind`. */
export const driverCatalogue: ReadonlyMap<string, FoundDriver> = found;
