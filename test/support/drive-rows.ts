import { randomUUID } from "node:crypto";
import type pg from "pg";
import { noQueueRules } from "../../control-plane/src/domain/run-queue.ts";
import type { Claim } from "../../control-plane/src/storage/claim-runs.ts";
import { insertDaemon } from "../../control-plane/src/storage/daemons.ts";
import { type Flush, type LeaseEntry, driveFlush, emptyFlush } from "../../control-plane/src/storage/drive-flush.ts";

/** A run with waiting steps of these assets ("team/asset" or "team/asset partition"), driven by `daemon`. */
export async function insertRun(pool: pg.Pool, daemon: string | null, places: readonly string[]): Promise<string> {
  const id = randomUUID();
  await pool.query(
    `insert into runs (id, state, source, actor, selection, step_count, driver, epoch, slot)
     values ($1, 'started', 'manual', 'ada', 's', $2, $3, 1, 'held')`,
    [id, places.length, daemon],
  );
  await pool.query(
    `insert into steps (run_id, index, kind, asset_key, partition_key, location, state)
     select $1, n - 1, 'materialize', split_part(p, ' ', 1), split_part(p, ' ', 2), split_part(p, '/', 1), 'waiting'
     from unnest($2::text[]) with ordinality as t (p, n)`,
    [id, places],
  );
  return id;
}

export async function insertGates(pool: pg.Pool, assets: readonly string[]): Promise<void> {
  await pool.query("insert into asset_gate (asset_key) select unnest($1::text[]) on conflict do nothing", [assets]);
}

/** A claim without limits of a daemon that has nothing in memory. */
export function claimBy(daemon: string, more: Partial<Claim> = {}): Claim {
  return { daemon, rules: noQueueRules, held: [], wanting: [], roomOf: () => 500, max: 100, ...more };
}

export async function newDaemon(pool: pg.Pool): Promise<string> {
  const id = randomUUID();
  await insertDaemon(pool, { id, host: "h", pid: 1, processStart: "" });
  return id;
}

/** The lease of a step that `insertRun` made. */
export function leaseOf(run: string, stepIndex: number, place: string, more: Partial<LeaseEntry> = {}): LeaseEntry {
  const [assetKey = "", partitionKey = ""] = place.split(" ");
  return {
    id: randomUUID(),
    runId: run,
    stepIndex,
    number: 1,
    epoch: 1,
    kind: "materialize",
    assetKey,
    partitionKey,
    location: assetKey.split("/")[0] ?? "",
    instanceId: "instance",
    versionId: randomUUID(),
    inputs: [],
    gateAssets: [],
    ...more,
  };
}

export function addLease(flush: Flush, lease: LeaseEntry): LeaseEntry {
  flush.leases.push(lease);
  flush.leaseEvents.push({
    leaseId: lease.id,
    kind: "step_leased",
    runId: lease.runId,
    stepIndex: lease.stepIndex,
    assetKey: lease.assetKey,
    partitionKey: lease.partitionKey,
    location: lease.location,
    payload: { attempt: lease.id, number: lease.number, version: lease.versionId },
  });
  return lease;
}

/** The end of an attempt that computed: its version, with an event. */
export function addSuccess(flush: Flush, lease: LeaseEntry): void {
  const { id, runId, stepIndex, assetKey, partitionKey, location, versionId } = lease;
  flush.ended.push({ id, state: "succeeded", error: null, sequence: 1 });
  flush.steps.push({ runId, index: stepIndex, state: "succeeded", ended: true, versionId });
  const event = flush.events.push({
    kind: "step_succeeded",
    runId,
    stepIndex,
    assetKey,
    partitionKey,
    location,
    payload: { attempt: id, number: 1, version: versionId },
  });
  flush.versions.push({
    id: versionId,
    assetKey,
    partitionKey,
    event,
    runId,
    attemptId: id,
    location,
    codeVersion: "1",
    dataVersion: versionId,
    value: null,
    metadata: [],
    inputs: [],
    waivers: [],
  });
}

/** A version of each of these places, committed. */
export async function makeVersions(pool: pg.Pool, places: readonly string[]): Promise<LeaseEntry[]> {
  const daemon = await newDaemon(pool);
  const run = await insertRun(pool, daemon, places);
  const leasing = emptyFlush(daemon);
  const leases = places.map((place, n) => addLease(leasing, leaseOf(run, n, place)));
  await driveFlush(pool, leasing);
  const ending = emptyFlush(daemon);
  for (const lease of leases) addSuccess(ending, lease);
  ending.runs.push({ id: run, state: "succeeded", ended: true });
  ending.events.push({ kind: "run_succeeded", runId: run });
  await driveFlush(pool, ending);
  return leases;
}
