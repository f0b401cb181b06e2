import type { AssetKey, PartitionMapping, PartitionSpace, TickTimes } from "@headgate/model";
import type { AssetDeletions } from "./asset-deletion.ts";
import type {
  AssetDefinition,
  CheckDefinition,
  DefinitionError,
  DefinitionKind,
  Dependency,
  ScheduleDefinition,
  SensorDefinition,
} from "./definitions.ts";
import type { CarryOver } from "./rename.ts";

/** A definition as storage keeps it for one location. */
export interface StoredDefinition<D> {
  /** The last one that loaded. */
  readonly definition: D;
  readonly hash: string;
  /** What is wrong with it in the newest manifest; `definition` is the last good one. */
  readonly error?: DefinitionError;
  /** It vanished from the newest manifest. */
  readonly retired?: boolean;
  /** When it vanished: tells a check that went with its asset from one that was removed before. Absent: unknown. */
  readonly retiredMs?: number;
  readonly firstSeenMs: number;
}

/** What one code location defines: the last good manifest, and what is wrong with the newest one. */
export interface LocationSegment {
  readonly location: string;
  readonly team: string;
  readonly assets: readonly StoredDefinition<AssetDefinition>[];
  readonly checks: readonly StoredDefinition<CheckDefinition>[];
  readonly schedules?: readonly StoredDefinition<ScheduleDefinition>[];
  readonly sensors?: readonly StoredDefinition<SensorDefinition>[];
  /** What never loaded. A check's key is `team/asset@name`, a module's its path. */
  readonly errors: readonly (DefinitionError & { readonly key: string; readonly kind: DefinitionKind })[];
}

/** Which location a key belongs to, by key: the owner registry, which absence does not free. Null: it was released. */
export type AssetOwners = ReadonlyMap<string, { readonly team: string; readonly location: string | null }>;

export interface Edge {
  readonly dependency: Dependency;
  readonly upstream: AssetNode;
  readonly downstream: AssetNode;
  readonly mapping: PartitionMapping;
  /** How many of the mapped partitions must be open, default resolved; 0: every one. */
  readonly atLeast: number;
  /** One partition of the reader maps to one of the upstream, so that compute receives a value and no collection. */
  readonly single: boolean;
}

export interface AssetNode {
  /** The place in `Graph.order`: every upstream asset has a lower one. */
  readonly index: number;
  readonly key: AssetKey;
  readonly team: string;
  readonly location: string;
  readonly definition: AssetDefinition;
  readonly hash: string;
  readonly space: PartitionSpace;
  /** In the order of the definition's dependencies; empty for a retired asset, which is computed no more. */
  readonly upstream: readonly Edge[];
  /** In the order of the readers. */
  readonly downstream: readonly Edge[];
  /** Of every team, ordered by team, then name; each once. */
  readonly checks: readonly CheckNode[];
  /** It vanished from its location while others read it: its versions serve them, and no step computes it. */
  readonly retired: boolean;
  /** The newest definition did not load; this is the last good one. */
  readonly error?: DefinitionError;
}

export interface CheckNode {
  /** `team/asset@team:name`, see `checkId`. */
  readonly id: string;
  readonly asset: AssetKey;
  readonly team: string;
  readonly name: string;
  /** Empty for a required check that nobody defines: it can be waived, never run. */
  readonly location: string;
  readonly definition: CheckDefinition;
  readonly firstSeenMs: number;
  /** The newest definition did not load, or is gone though it is required; this is the last good one. */
  readonly error?: DefinitionError;
}

export interface ScheduleNode {
  readonly name: string;
  readonly team: string;
  readonly location: string;
  readonly definition: ScheduleDefinition;
  readonly hash: string;
  readonly times: TickTimes;
  /** The newest definition did not load; this is the last good one. */
  readonly error?: DefinitionError;
}

export interface SensorNode {
  /** "team/name". */
  readonly name: string;
  readonly team: string;
  readonly location: string;
  readonly definition: SensorDefinition;
  readonly hash: string;
  /** In the order of the definition, each computed by steps. */
  readonly targets: readonly AssetNode[];
  /** The newest definition did not load; this is the last good one. */
  readonly error?: DefinitionError;
}

/** What is wrong with one definition. Its key: see `definitionKey`; the path of a module. */
export interface GraphError extends DefinitionError {
  readonly location: string;
  readonly kind: DefinitionKind;
  readonly key: string;
}

export interface Graph {
  readonly assets: ReadonlyMap<AssetKey, AssetNode>;
  /** Upstream first. */
  readonly order: readonly AssetNode[];
  /** By name, ascending. */
  readonly schedules: ReadonlyMap<string, ScheduleNode>;
  /** By name. */
  readonly sensors: ReadonlyMap<string, SensorNode>;
  /**
   * Ordered by location, then key. A definition that is named here is either left out, or (its newest form did not
   * load; it requires a check that does not exist) in the graph with its last good form and `error`.
   */
  readonly errors: readonly GraphError[];
  /** What its owner should mend though the definition is served. */
  readonly warnings: readonly GraphError[];
  /** Former keys, and what they are called now. */
  readonly renamed: ReadonlyMap<string, AssetKey>;
  /** Histories that are to be carried to another key. */
  readonly carryOvers: readonly CarryOver[];
  /** Keys whose history was deleted, or is being deleted. */
  readonly deleted: AssetDeletions;
  /** The node of any text that is a key of the graph. */
  asset(key: string): AssetNode | undefined;
}

/** The identity of a check: asset, owning team and name. */
export function checkId(asset: AssetKey, team: string, name: string): string {
  return `${asset}@${team}:${name}`;
}

/** Whether assets of `team` may read this one and be checked against it: its own team, or those it is exported to. */
export function isVisibleTo(definition: AssetDefinition, owner: string, team: string): boolean {
  return owner === team || definition.export || definition.exportTo.includes(team);
}
