import type { AssetKey, PartitionMapping, PartitionsDefinition } from "@headgate/model";
import type { Condition } from "./conditions/condition.ts";

/** Where something is defined: a path relative to the code location's folder, and a line counted from 1 (0: unknown). */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
}

export type DependencyMode = "strict" | "lastValidated" | "orderOnly";

/** One edge as its reader declares it. */
export interface Dependency {
  /** The name under which compute receives the value. */
  readonly name: string;
  readonly asset: AssetKey;
  readonly mode: DependencyMode;
  /** Absent: see `defaultMapping`. */
  readonly mapping?: PartitionMapping;
  /** How many of the mapped partitions must be open; 0: every one. Absent: the default of the mode and mapping. */
  readonly atLeast?: number;
}

export interface RetryPolicy {
  /** Tries after the first when compute throws. */
  readonly maxRetries: number;
  readonly delayMs: number;
  readonly backoff: "constant" | "linear" | "exponential";
  /** The part of the delay that is random, 0 to 1. */
  readonly jitter: number;
  /** Tries after the first when the process dies or contact is lost. */
  readonly maxCrashes: number;
}

/** Of an asset that a multi-asset computes together with others. */
export interface MultiAssetPart {
  /** Keys of all that it computes, this one among them, in its order: at most `outputsMax`. */
  readonly outputs: readonly AssetKey[];
  /** It computes those that it is asked for, and not always all. */
  readonly canSubset: boolean;
}

/** Of an asset of which one call computes several partitions. */
export interface PartitionBatch {
  /** 1 to `batchPartitionsMax`. */
  readonly partitionsMax: number;
}

export interface CheckReference {
  readonly asset: AssetKey;
  readonly team: string;
  readonly name: string;
}

export interface ExternalAsset {
  /** There is one version at most, and readers are gated by its checks alone. */
  readonly unversioned: boolean;
  /** Readers count on a value: a report without one is refused. */
  readonly hasValue: boolean;
}

/** An asset as its code location defines it; what the `definitions` table stores as its body. */
export interface AssetDefinition {
  readonly kind: "asset";
  readonly key: AssetKey;
  readonly description: string;
  readonly dependencies: readonly Dependency[];
  readonly partitions?: PartitionsDefinition;
  /** Visible to every team. */
  readonly export: boolean;
  /** Visible to these teams. */
  readonly exportTo: readonly string[];
  readonly codeVersion: string;
  readonly group: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly kinds: readonly string[];
  readonly inPlace: boolean;
  readonly retry: RetryPolicy;
  /** 0: no limit of its own. */
  readonly timeoutMs: number;
  readonly attemptLeaseMs: number;
  readonly gateTimeoutMs: number;
  /** Whose slots its attempts take. */
  readonly pool?: string;
  /** When it is requested by itself. */
  readonly automation?: Condition;
  /** The key that it had before, whose history it takes over. */
  readonly formerly?: AssetKey;
  /** Checks of other teams that gate every reader of this asset. */
  readonly requiredChecks: readonly CheckReference[];
  /** JSON Schema. */
  readonly configSchema?: unknown;
  /** Its versions are reported by API, and no step makes it. */
  readonly external?: ExternalAsset;
  /** Its IO manager shows versions to readers outside. */
  readonly publishes?: true;
  /** Absent: it is computed alone. */
  readonly multi?: MultiAssetPart;
  /** Absent: each of its partitions is computed by a call of its own. Never together with `multi`. */
  readonly batch?: PartitionBatch;
  readonly source: SourceLocation;
}

/** Compute of the asset, with the version that it makes; or whoever reports by API, of an external asset. */
export type CheckReporter = "compute" | "api";

/** A check; its team is that of the location that defines it. */
export interface CheckDefinition {
  readonly kind: "check";
  readonly asset: AssetKey;
  readonly name: string;
  readonly description: string;
  readonly blocking: boolean;
  readonly version: number;
  /** Exempts the versions that were made before the check was first seen. */
  readonly newVersionsOnly: boolean;
  readonly timeoutMs: number;
  /** Whoever else reaches the verdict. Absent: the location runs it on the stored version. */
  readonly reportedBy?: CheckReporter;
  readonly source: SourceLocation;
}

/** A schedule as its code location defines it. */
export interface ScheduleDefinition {
  readonly kind: "schedule";
  /** `team/name`. */
  readonly name: string;
  readonly description: string;
  readonly crons: readonly string[];
  readonly timezone: string;
  /** What it launches, in the language of selections; of other teams nothing. */
  readonly selection: string;
  /** A run for each time window that closed since the tick before. */
  readonly partitioned: boolean;
  /** Fields by asset key. */
  readonly config: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly priority: number;
  /** Of the ticks that nobody was there to fire in time, the newest so many are fired. */
  readonly catchUpMax: number;
  /** It does not tick until somebody starts it. */
  readonly startsOff: boolean;
  readonly source: SourceLocation;
}

/** A sensor: evaluated in its location again and again, and answers what is to run. */
export interface SensorDefinition {
  readonly kind: "sensor";
  /** "team/name". */
  readonly name: string;
  readonly description: string;
  /** It may ask for no other. */
  readonly targets: readonly AssetKey[];
  /** From one evaluation to the next, at least. */
  readonly minimumIntervalMs: number;
  /** Of one evaluation. */
  readonly timeoutMs: number;
  /** It is not evaluated until somebody starts it. */
  readonly startsOff: boolean;
  readonly source: SourceLocation;
}

export type Definition = AssetDefinition | CheckDefinition | ScheduleDefinition | SensorDefinition;

/** What an entry of a manifest is; a module: something that did not load and may define anything. */
export type DefinitionKind = Definition["kind"] | "module";

/** What a definition is called within its kind: an asset's key, `team/asset@name` of a check, `team/name` of others. */
export function definitionKey(definition: Definition): string {
  switch (definition.kind) {
    case "asset":
      return definition.key;
    case "check":
      return `${definition.asset}@${definition.name}`;
    case "schedule":
    case "sensor":
      return definition.name;
  }
}

/** Why a definition is refused. It hides no other definition. */
export interface DefinitionError {
  /** Stable, for example "definition.missing_upstream". */
  readonly code: string;
  /** What is wrong, naming both sides. */
  readonly message: string;
  /** How to mend it. */
  readonly hint: string;
  readonly source?: SourceLocation;
}
