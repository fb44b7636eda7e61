/** The profile's schema as JSON Schema, for editors that complete and check YAML while it is written. */
import { z } from 'zod';
import { profileSchema } from './profile-schema.js';

type JsonSchema = Record<string, unknown>;

/** A whole profile (draft 2020-12). Contradictions between keys are not in it. */
export function wholeProfileJsonSchema(): JsonSchema {
  return z.toJSONSchema(profileSchema, { io: 'input' });
}

/** What a profile's file may hold: a whole profile, or with `extends` the keys in which it differs from another. */
export function profileJsonSchema(): JsonSchema {
  const { $schema, ...whole } = wholeProfileJsonSchema();
  const change = withoutRequired(whole) as JsonSchema;
  const parent = { type: 'string', description: 'The id of the profile that this one is laid over.' };
  return {
    $schema,
    title: 'A modem profile of sluice',
    type: 'object',
    if: { required: ['extends'] },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's word
    then: { $ref: '#/$defs/change' },
    else: { $ref: '#/$defs/whole' },
    $defs: {
      whole,
      change: { ...change, properties: { extends: parent, ...(change.properties as JsonSchema) } },
    },
  };
}

/** Nothing is required of what is laid over something; of two drivers that both fit then, either will do. */
function withoutRequired(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutRequired);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(([key, value]) => !(key === 'required' && Array.isArray(value)));
  return Object.fromEntries(entries.map(([key, value]) => [key === 'oneOf' ? 'anyOf' : key, withoutRequired(value)]));
}
