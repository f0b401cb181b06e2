import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import { ConditionFacts } from "../domain/conditions/condition-facts.ts";
import type { ConditionState } from "../domain/conditions/evaluate-condition.ts";
import type { PartitionState } from "../domain/conditions/partition-state.ts";
import { type StoredSet, fromStoredSet } from "../domain/conditions/stored-set.ts";
import type { AssetNode, Graph } from "../domain/graph.ts";
import { type ConditionStateRow, readConditionStates } from "./condition-states.ts";
import { readAssetFacts } from "./partition-facts.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** What a condition remembers, and the revision that it was read under. */
export interface RememberedState extends ConditionState {
  readonly revision: number;
}

/** Reads all that conditions can see: of every asset, or of some and what is upstream of them. */
export async function readConditionFacts(
  db: Queryable,
  graph: Graph,
  nowMs: number,
  among?: readonly AssetNode[],
): Promise<ConditionFacts> {
  const facts = new ConditionFacts(graph, nowMs, among);
  const readers = facts.automated.map(({ key }) => key);
  const states = new Map<AssetKey, Map<string, PartitionState>>();
  for (const { asset, partition, state } of await readAssetFacts(db, facts.relevant, readers)) {
    const ofAsset = states.get(asset);
    if (ofAsset === undefined) states.set(asset, new Map([[partition, state]]));
    else ofAsset.set(partition, state);
  }
  facts.fill(states);
  return facts;
}

/** Reads what the conditions of these assets remember; those that were never evaluated are left out. */
export async function readRememberedStates(
  db: Queryable,
  nodes: readonly AssetNode[],
): Promise<Map<AssetKey, RememberedState>> {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const states = new Map<AssetKey, RememberedState>();
  for (const row of await readConditionStates(db, [...byKey.keys()])) {
    const node = byKey.get(row.asset);
    if (node !== undefined) states.set(row.asset, fromRow(node, row));
  }
  return states;
}

function fromRow(node: AssetNode, row: ConditionStateRow): RememberedState {
  const held = Object.entries(row.held as Record<string, StoredSet>);
  return {
    sinceMs: row.sinceMs,
    revision: row.revision,
    ...(row.seq === null ? {} : { seq: row.seq }),
    requested: fromStoredSet(node.space, row.requested as StoredSet),
    held: new Map(held.map(([path, set]) => [path, fromStoredSet(node.space, set)])),
  };
}
