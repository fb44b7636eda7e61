/**
 * What changed between two statuses, for links on which a whole one takes long. Objects become those of their keys that
 * changed, lists of stations those stations that did; null stands for what is gone. Times since something that go on as they
 * must have not changed: they follow from `uptimeMs`, which is always told.
 */

type Value = unknown;
type Mapping = Readonly<Record<string, Value>>;
type StationList = readonly (Mapping & { readonly station: number })[];

/** Times that grow by themselves. */
const AGES = /^(uptime|lastHeard)Ms$/;
/** What rounding may make of such a time. */
const AGE_TOLERANCE_MS = 2;

export interface Timed extends Mapping {
  readonly uptimeMs: number;
}

/** Everything in `after` that is not as in `before`. */
export function changesBetween(before: object & { uptimeMs: number }, after: object & { uptimeMs: number }): Timed {
  const elapsedMs = after.uptimeMs - before.uptimeMs;
  return { uptimeMs: after.uptimeMs, ...changed({ ...before }, { ...after }, elapsedMs) };
}

/** The status that `changes` were made of, given the one that they were made against. */
export function applyChanges(before: object & { uptimeMs: number }, changes: Timed): Timed {
  const { uptimeMs } = changes;
  return { ...(applied(before, changes, uptimeMs - before.uptimeMs) as Mapping), uptimeMs };
}

function changed(before: Mapping, after: Mapping, elapsedMs: number): Mapping {
  const found: Record<string, Value> = {};
  for (const [key, value] of Object.entries(after)) {
    const old = before[key];
    if (isStationList(value) && isStationList(old)) {
      const list = changedStations(old, value, elapsedMs);
      if (list.length > 0) found[key] = list;
    } else if (isMapping(value) && isMapping(old)) {
      const inner = changed(old, value, elapsedMs);
      if (Object.keys(inner).length > 0) found[key] = inner;
    } else if (!isSame(key, old, value, elapsedMs)) found[key] = value;
  }
  for (const key of Object.keys(before)) if (!(key in after)) found[key] = null;
  return found;
}

function changedStations(before: StationList, after: StationList, elapsedMs: number): StationList {
  const old = new Map(before.map((each) => [each.station, each]));
  const present = new Set(after.map(({ station }) => station));
  return [
    ...after.flatMap((each) => {
      const inner = changed(old.get(each.station) ?? {}, each, elapsedMs);
      return Object.keys(inner).length > 0 ? [{ ...inner, station: each.station }] : [];
    }),
    ...before.filter(({ station }) => !present.has(station)).map(({ station }) => ({ station, gone: true })),
  ];
}

function applied(before: Value, changes: Value, elapsedMs: number): Value {
  if (isStationList(before)) return appliedStations(before, isStationList(changes) ? changes : [], elapsedMs);
  if (!isMapping(before)) return changes === undefined ? before : changes;
  const given = isMapping(changes) ? changes : {};
  const result: Record<string, Value> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(given)])) {
    if (given[key] === null) continue;
    const old = before[key];
    const isAge = AGES.test(key) && typeof old === 'number' && given[key] === undefined;
    result[key] = isAge ? old + elapsedMs : applied(old, given[key], elapsedMs);
  }
  return result;
}

function appliedStations(before: StationList, changes: StationList, elapsedMs: number): StationList {
  const stations = new Map(before.map((each) => [each.station, each]));
  for (const { station } of before) {
    stations.set(station, applied(stations.get(station), {}, elapsedMs) as StationList[number]);
  }
  for (const change of changes) {
    const old = before.find(({ station }) => station === change.station);
    if (change.gone === true) stations.delete(change.station);
    else stations.set(change.station, applied(old ?? {}, change, elapsedMs) as StationList[number]);
  }
  return [...stations.values()].sort((left, right) => left.station - right.station);
}

function isSame(key: string, old: Value, value: Value, elapsedMs: number): boolean {
  if (AGES.test(key) && typeof old === 'number' && typeof value === 'number') {
    return Math.abs(old + elapsedMs - value) <= AGE_TOLERANCE_MS;
  }
  return JSON.stringify(old) === JSON.stringify(value);
}

function isMapping(value: Value): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStationList(value: Value): value is StationList {
  return Array.isArray(value) && value.every((each) => isMapping(each) && typeof each.station === 'number');
}
