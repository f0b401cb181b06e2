import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { Graph } from "../domain/asset-graph.ts";
import type { Renames } from "../domain/rename.ts";
import { type GateOpening, type GatingChange, gateOpenings, gatingChanges, mayOpen } from "../domain/gating-change.ts";
import { type NewEvent, appendEvents } from "./append-events.ts";
import { recordAutomations } from "./automations.ts";
import { bumpGate, definitionsGate } from "./bump-gate.ts";
import type { EstablishedEdges, StoredDefinitions } from "./definition-rows.ts";
import { readGateState } from "./gate-state.ts";

const openingsMax = 10_000;

/** What is about to be the asset graph, and what it was. */
export interface GraphChange {
  readonly before: Graph;
  readonly after: Graph;
  /** As it was read under the lock. */
  readonly stored: Pick<StoredDefinitions, "established" | "renames">;
  /** Whose definitions brought it about, for the events of gates that open. */
  readonly location: string | undefined;
  /** What happened; it stands in the log before the gates that it opens. */
  readonly events: readonly NewEvent[];
  readonly nowMs: number;
}

/**
 * Writes what another graph means: the edges that serve, gate epochs, and the events. To be called last, under the
 * definitions lock. Locks: automations by name, gates in ascending key order, last the
 * event log. Returns the versions that it opens.
 */
export async function changeGraph(tx: pg.PoolClient, change: GraphChange): Promise<GateOpening[]> {
  const { before, after, stored, location, events, nowMs } = change;
  await recordAutomations(tx, before, after, nowMs);
  await recordEdges(tx, after, stored.established);
  await askCarryOvers(tx, after, stored.renames);
  const changes = gatingChanges(before, after);
  // First, as the lowest key: whoever judges by the graph before this one is refused.
  await bumpGate(tx, definitionsGate);
  await bumpGates(tx, changes);
  const opened = await openings(tx, changes, nowMs);
  await appendEvents(tx, [...events, ...opened.map((opening) => openedEvent(opening, location))]);
  return opened;
}

/** Edges that serve from now on, and those that their readers have given up. */
async function recordEdges(tx: pg.PoolClient, graph: Graph, established: EstablishedEdges): Promise<void> {
  const fresh = graph.order.flatMap((node) =>
    node.upstream
      .filter((edge) => !established.has(node.key, edge.upstream.key))
      .map((edge) => ({ reader: node.key, upstream: edge.upstream.key })),
  );
  if (fresh.length > 0) {
    await tx.query(
      `insert into established_edges (reader, upstream)
         select distinct reader, upstream from jsonb_to_recordset($1) as x (reader text, upstream text)
         order by reader, upstream on conflict do nothing`,
      [JSON.stringify(fresh)],
    );
  }
  await tx.query(
    `delete from established_edges e using location_definitions d join definitions b on b.hash = d.hash
       where d.kind = 'asset' and d.key = e.reader and d.retired_at is null
         and not b.body -> 'dependencies' @> jsonb_build_array(jsonb_build_object('asset', e.upstream))
         and not exists (select from asset_renames n where n.key = e.upstream
           and b.body -> 'dependencies' @> jsonb_build_array(jsonb_build_object('asset', n.old_key)))`,
  );
}

/** What is to be carried over from now on; what nobody asks for any more is forgotten. */
async function askCarryOvers(tx: pg.PoolClient, graph: Graph, renames: Renames): Promise<void> {
  const asked = new Map<string, string>(graph.carryOvers.map(({ from, to }) => [from, to]));
  const known = [...renames].filter(([, { state }]) => state !== "done");
  const stale = known.filter(([old, { key }]) => asked.get(old) !== key).map(([old]) => old);
  if (stale.length > 0) {
    await tx.query("delete from asset_renames where old_key = any ($1) and done_at is null", [stale]);
  }
  const fresh = [...asked].filter(([old, key]) => renames.get(old)?.key !== key || renames.get(old)?.state === "done");
  if (fresh.length === 0) return;
  await tx.query(
    `insert into asset_renames (old_key, key) select * from unnest($1::text[], $2::text[])
       on conflict (old_key) do update set key = excluded.key, asked_at = clock_timestamp(), done_at = null, refused_at = null`,
    [fresh.map(([old]) => old), fresh.map(([, key]) => key)],
  );
}

/** New assets get a gate; every gate that is decided otherwise than before gets a new epoch. */
async function bumpGates(tx: pg.PoolClient, changes: readonly GatingChange[]): Promise<void> {
  if (changes.length === 0) return;
  const made = changes.filter(({ before }) => before === undefined).map(({ asset }) => asset);
  await tx.query(
    "insert into asset_gate (asset_key) select k from unnest($1::text[]) k order by k on conflict do nothing",
    [made],
  );
  await tx.query(
    `with locked as (select asset_key from asset_gate where asset_key = any ($1) order by asset_key for no key update)
     update asset_gate g set epoch = epoch + 1 from locked where g.asset_key = locked.asset_key`,
    [changes.map(({ asset }) => asset)],
  );
}

/** Read after the gates are locked, so that no result comes between. */
async function openings(tx: pg.PoolClient, changes: readonly GatingChange[], nowMs: number): Promise<GateOpening[]> {
  const candidates = changes.filter(mayOpen);
  const state = await readGateState(
    tx,
    candidates.map(({ asset }): AssetKey => asset),
  );
  const opened: GateOpening[] = [];
  for (const change of candidates) {
    const versions = [...(state.get(change.asset)?.partitions.values() ?? [])].flat();
    opened.push(...gateOpenings(change, versions, nowMs));
    if (opened.length > openingsMax) break;
  }
  return opened.slice(0, openingsMax);
}

function openedEvent({ asset, partition, version, checks, team }: GateOpening, location: string | undefined): NewEvent {
  const payload = { version, cause: "definition", checks, ...(team === undefined ? {} : { team }) };
  return {
    kind: "gate_opened",
    assetKey: asset,
    partitionKey: partition,
    payload,
    ...(location === undefined ? {} : { location }),
  };
}
