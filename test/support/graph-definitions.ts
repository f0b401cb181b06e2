import { parseAssetKey, teamOf, type AssetKey } from "@headgate/model";
import type {
  AssetDefinition,
  CheckDefinition,
  Dependency,
  DefinitionError,
  ScheduleDefinition,
  SensorDefinition,
} from "../../control-plane/src/domain/definitions.ts";
import type { LocationSegment, StoredDefinition } from "../../control-plane/src/domain/graph.ts";

/** The key of a text that a test knows to be one. */
export function keyOf(text: string): AssetKey {
  const key = parseAssetKey(text);
  if (key === undefined) throw new Error(`${text} is no asset key`);
  return key;
}

/** A dependency: its asset's key for a strict one, or more to say. */
export type DependencyText = string | (Partial<Omit<Dependency, "asset">> & { readonly asset: string });

/** An asset with every default, exported to all, reading `dependencies`. */
export function assetOf(
  key: string,
  dependencies: readonly DependencyText[] = [],
  rest: Partial<Omit<AssetDefinition, "key" | "dependencies">> = {},
): AssetDefinition {
  return {
    kind: "asset",
    key: keyOf(key),
    description: "",
    dependencies: dependencies.map((dependency, i) => {
      const { asset, ...more } = typeof dependency === "string" ? { asset: dependency } : dependency;
      return { name: `input_${i}`, mode: "strict", ...more, asset: keyOf(asset) };
    }),
    export: true,
    exportTo: [],
    codeVersion: "1",
    group: "default",
    tags: {},
    kinds: [],
    inPlace: false,
    retry: { maxRetries: 0, delayMs: 1_000, backoff: "constant", jitter: 0, maxCrashes: 0 },
    timeoutMs: 0,
    attemptLeaseMs: 60_000,
    gateTimeoutMs: 3_600_000,
    requiredChecks: [],
    source: { file: `assets/${key.slice(key.indexOf("/") + 1)}.ts`, line: 7 },
    ...rest,
  };
}

export function checkOf(asset: string, name: string, rest: Partial<CheckDefinition> = {}): CheckDefinition {
  return {
    kind: "check",
    asset: keyOf(asset),
    name,
    description: "",
    blocking: true,
    version: 1,
    newVersionsOnly: false,
    timeoutMs: 0,
    source: { file: "checks.ts", line: 3 },
    ...rest,
  };
}

/** A schedule in UTC that launches the assets of its team. */
export function scheduleOf(name: string, cron: string, rest: Partial<ScheduleDefinition> = {}): ScheduleDefinition {
  return {
    kind: "schedule",
    name,
    description: "",
    crons: [cron],
    timezone: "UTC",
    selection: `${name.slice(0, name.indexOf("/"))}/*`,
    partitioned: false,
    config: {},
    tags: {},
    priority: 0,
    catchUpMax: 1,
    startsOff: false,
    source: { file: "automation.ts", line: 5 },
    ...rest,
  };
}

export function sensorOf(
  name: string,
  targets: readonly string[],
  rest: Partial<SensorDefinition> = {},
): SensorDefinition {
  return {
    kind: "sensor",
    name,
    description: "",
    targets: targets.map(keyOf),
    minimumIntervalMs: 30_000,
    timeoutMs: 60_000,
    startsOff: false,
    source: { file: "sensors.ts", line: 5 },
    ...rest,
  };
}

type Stored<D> = D | StoredDefinition<D>;

function stored<D>(definition: Stored<D>): StoredDefinition<D> {
  const given = definition as Partial<StoredDefinition<D>>;
  if (given.definition !== undefined) return definition as StoredDefinition<D>;
  return { definition: definition as D, hash: JSON.stringify(definition), firstSeenMs: 0 };
}

/** A location of one team; its name is the team's unless given. */
export function locationOf(
  team: string,
  assets: readonly Stored<AssetDefinition>[],
  checks: readonly Stored<CheckDefinition>[] = [],
  rest: Partial<Pick<LocationSegment, "location" | "sensors" | "errors">> & {
    readonly schedules?: readonly Stored<ScheduleDefinition>[];
  } = {},
): LocationSegment {
  const { schedules = [], ...more } = rest;
  return {
    location: team,
    team,
    assets: assets.map(stored),
    checks: checks.map(stored),
    schedules: schedules.map(stored),
    errors: [],
    ...more,
  };
}

export function retired<D>(definition: D, retiredMs?: number): StoredDefinition<D> {
  return { definition, hash: "gone", firstSeenMs: 0, retired: true, ...(retiredMs !== undefined && { retiredMs }) };
}

/** A definition whose newest form did not load. */
export function lastGood<D>(definition: D, error: DefinitionError): StoredDefinition<D> {
  return { definition, hash: "last-good", firstSeenMs: 0, error };
}

/** One location a team, with the assets that have its prefix. */
export function locationsOf(assets: readonly AssetDefinition[]): LocationSegment[] {
  const teams = [...new Set(assets.map(({ key }) => teamOf(key)))];
  return teams.map((team) =>
    locationOf(
      team,
      assets.filter(({ key }) => teamOf(key) === team),
    ),
  );
}
