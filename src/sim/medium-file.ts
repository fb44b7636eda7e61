/** MEDIUM.yaml: who stands where, who hears whom, and on what channel. Read, checked, and turned into a medium. */
import { z } from 'zod';
import type { Scheduler } from '../base/clock.js';
import { SluiceError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { configurationError, showValue } from '../modem/configuration-errors.js';
import { integer, oneOf, section } from '../modem/schema-parts.js';
import { parseYamlMapping, readYamlMapping } from '../modem/yaml-file.js';
import { MAX_STATION } from '../wire/packet.js';
import type { EmulatorSettings } from './emulators/emulator.js';
import { emulatorNames } from './emulators/registry.js';
import { Medium, type Position } from './medium.js';

const REMEDY = 'Correct the keys named; src/sim/medium-file.md says what they are.';

const number = (expected: string, allows: (value: number) => boolean): z.ZodNumber =>
  z.number({ error: expected }).refine(allows, { error: expected });
const probability = (): z.ZodNumber => number('a number from 0 to below 1', (value) => value >= 0 && value < 1);
const stationId = (): z.ZodNumber => integer({ min: 1, max: MAX_STATION });
const modemName = (): z.ZodString => {
  const expected = `one of ${emulatorNames().join(', ')}`;
  return z.string({ error: expected }).refine((name) => emulatorNames().includes(name), { error: expected });
};

const milliseconds = (): z.ZodNumber =>
  number('a number from 0 (milliseconds)', (value) => value >= 0 && value <= 3_600_000);

const PAIR = '[STATION, STATION]';
const pair = z.tuple([stationId(), stationId()], { error: PAIR });
const pairs = z.array(pair, { error: `a list of pairs ${PAIR}` });
const POSITION = '[x, y, z] in metres';
const coordinate = z.number({ error: POSITION });
const HEARING = `all, a list of pairs ${PAIR}, or a mapping with pairs (both ways) or directed ([speaker, listener])`;

const station = section({
  id: stationId(),
  position: z.tuple([coordinate, coordinate, coordinate], { error: POSITION }).optional(),
  modem: modemName().optional(),
  stuckCarrierAfterMs: milliseconds().optional(),
});

const schema = section({
  rateBps: integer({ min: 1, max: 100_000_000, unit: 'bit/s' }),
  modem: modemName().default('transparent'),
  propagationMps: number('a number above 0 (metres per second)', (value) => value > 0).default(3e8),
  stations: z.array(station, { error: 'a list of stations' }).min(1, { error: 'at least one station' }),
  hearing: z
    .union([z.literal('all'), pairs, section({ pairs: pairs.optional(), directed: pairs.optional() })], {
      error: HEARING,
    })
    .optional(),
  pairs: pairs.optional(),
  bitErrorRate: probability().default(0),
  captureDb: z
    .union([z.literal('none'), z.number().min(0).max(100)], { error: 'none, or a number from 0 to 100 (dB)' })
    .default('none'),
  pathLossExponent: number('a number from 1 to 6', (value) => value >= 1 && value <= 6).default(2),
  duplex: oneOf(['half', 'full']).default('half'),
  noiseFer: probability().default(0),
  turnaroundMs: number('a number from 0 (milliseconds)', (value) => value >= 0 && value <= 60_000).optional(),
  carrierDetectMs: number('a number from 0 (milliseconds)', (value) => value >= 0 && value <= 60_000).optional(),
  lineBaud: integer({ min: 50, max: 12_000_000, unit: 'bit/s' }).optional(),
  flowControl: oneOf(['hardware', 'none']).optional(),
  bufferBytes: integer({ min: 1, max: 16_777_216, unit: 'octets' }).optional(),
  seed: integer({ min: 0, max: 0xffff_ffff }).optional(),
});

type File = z.infer<typeof schema>;

export interface PlannedStation {
  readonly id: number;
  readonly position: Position;
  /** Name of its emulator. */
  readonly modem: string;
  /** So long after the start, a carrier begins at its antenna that never ends. Absent: none does. */
  readonly stuckCarrierAfterUs?: number;
}

export interface MediumPlan {
  readonly rateBps: number;
  readonly propagationMps: number;
  readonly stations: readonly PlannedStation[];
  readonly hears: (listener: number, speaker: number) => boolean;
  readonly bitErrorRate: number;
  readonly frameErrorRate: number;
  readonly captureDb: number | 'none';
  readonly pathLossExponent: number;
  readonly duplex: 'half' | 'full';
  readonly settings: EmulatorSettings;
  readonly seed: number | undefined;
}

/** @throws SluiceError `configuration`: each problem with its key, its value and what is allowed. */
export function readMediumFile(path: string): MediumPlan {
  return plan(readYamlMapping(path), path);
}

/** As `readMediumFile`, from text. `origin` names it in errors. */
export function parseMediumFile(source: string, origin = 'MEDIUM.yaml'): MediumPlan {
  return plan(parseYamlMapping(source, origin), origin);
}

/** A medium of this plan. */
export function buildMedium(planned: MediumPlan, scheduler: Scheduler, random: Random): Medium {
  const { settings: _settings, seed: _seed, ...options } = planned;
  const medium = new Medium({ ...options, scheduler, random });
  for (const { id, stuckCarrierAfterUs: afterUs } of planned.stations) {
    if (afterUs !== undefined) scheduler.at(scheduler.nowUs() + afterUs, () => medium.holdCarrier(id));
  }
  return medium;
}

function plan(values: Record<string, unknown>, origin: string): MediumPlan {
  const result = schema.safeParse(values);
  if (!result.success) throw configurationError(result.error.issues, values, [{ origin, values }], origin, REMEDY);
  const file = result.data;
  checkStations(file, origin);
  const { turnaroundMs, carrierDetectMs, lineBaud, flowControl, bufferBytes } = file;
  return {
    rateBps: file.rateBps,
    propagationMps: file.propagationMps,
    stations: file.stations.map(({ id, position, modem, stuckCarrierAfterMs }) => ({
      id,
      position: position ?? [0, 0, 0],
      modem: modem ?? file.modem,
      ...(stuckCarrierAfterMs === undefined ? {} : { stuckCarrierAfterUs: Math.round(1000 * stuckCarrierAfterMs) }),
    })),
    hears: hearing(file),
    bitErrorRate: file.bitErrorRate,
    frameErrorRate: file.noiseFer,
    captureDb: file.captureDb,
    pathLossExponent: file.pathLossExponent,
    duplex: file.duplex,
    seed: file.seed,
    settings: {
      ...(turnaroundMs === undefined ? {} : { turnaroundUs: Math.round(turnaroundMs * 1000) }),
      ...(carrierDetectMs === undefined ? {} : { carrierDetectUs: Math.round(carrierDetectMs * 1000) }),
      ...(lineBaud === undefined ? {} : { lineBaud }),
      ...(flowControl === undefined ? {} : { flowControl }),
      ...(bufferBytes === undefined ? {} : { bufferBytes }),
    },
  };
}

function refuse(origin: string, key: string, value: unknown, allowed: string): never {
  throw new SluiceError(
    'configuration',
    `${key}: ${showValue(value)} is not allowed; expected ${allowed} [${origin}]`,
    {
      subject: origin,
      remedy: REMEDY,
    },
  );
}

function checkStations(file: File, origin: string): void {
  const seen = new Set<number>();
  for (const [index, { id }] of file.stations.entries()) {
    if (seen.has(id)) refuse(origin, `stations[${index}].id`, id, 'an id that no other station has');
    seen.add(id);
  }
  if (file.duplex === 'full' && file.stations.length !== 2) {
    refuse(origin, 'duplex', 'full', 'half, unless there are exactly two stations');
  }
  if (file.hearing !== undefined && file.pairs !== undefined) {
    refuse(origin, 'pairs', file.pairs, 'either hearing or pairs, not both');
  }
  for (const { key, list } of pairLists(file)) {
    for (const [index, [a, b]] of list.entries()) {
      const allowed = `two different stations of ${[...seen].join(', ')}`;
      if (a === b || !seen.has(a) || !seen.has(b)) refuse(origin, `${key}[${index}]`, [a, b], allowed);
    }
  }
}

interface PairList {
  readonly key: string;
  readonly list: readonly (readonly [number, number])[];
  readonly bothWays: boolean;
}

function pairLists({ hearing: value, pairs: top }: File): PairList[] {
  if (Array.isArray(value)) return [{ key: 'hearing', list: value, bothWays: true }];
  const lists: PairList[] = [];
  if (top !== undefined) lists.push({ key: 'pairs', list: top, bothWays: true });
  if (value === undefined || value === 'all') return lists;
  if (value.pairs !== undefined) lists.push({ key: 'hearing.pairs', list: value.pairs, bothWays: true });
  if (value.directed !== undefined) lists.push({ key: 'hearing.directed', list: value.directed, bothWays: false });
  return lists;
}

function hearing(file: File): MediumPlan['hears'] {
  const lists = pairLists(file);
  if (lists.length === 0) return () => true;
  const heard = new Set<string>();
  for (const { list, bothWays } of lists) {
    for (const [speaker, listener] of list) {
      heard.add(`${speaker}>${listener}`);
      if (bothWays) heard.add(`${listener}>${speaker}`);
    }
  }
  return (listener, speaker) => heard.has(`${speaker}>${listener}`);
}
