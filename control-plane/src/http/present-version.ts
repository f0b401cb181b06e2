import type { Kysely } from "kysely";
import type { z } from "zod";
import { judge } from "../domain/gate.ts";
import { type AssetNode, requiredChecks } from "../domain/graph.ts";
import { publishedSince } from "../storage/publications.ts";
import type { Schema } from "../storage/schema.ts";
import type { VersionRecord } from "../storage/versions-read.ts";
import { type WaiverRow, waiversInForce } from "../storage/waivers-read.ts";
import type { ApiContext } from "./api-context.ts";
import type { version, waiver } from "./contract/asset.ts";
import { presentReason } from "./present-reason.ts";
import { presentInput, presentTime, presentTimeOrNull } from "./present-run.ts";

export type VersionAnswer = z.input<typeof version>;

export function presentWaiver(row: WaiverRow, nowMs: number): z.input<typeof waiver> {
  return {
    id: row.id,
    asset: row.asset_key,
    partition: row.partition_key,
    version: row.version_id,
    team: row.team,
    check: row.name,
    reason: row.reason,
    actor: row.actor,
    createdAt: presentTime(row.created_at),
    until: presentTime(row.until),
    inForce: row.ended_at === null && row.until.getTime() > nowMs,
    endedAt: presentTimeOrNull(row.ended_at),
    endedBy: row.ended_by,
  };
}

/** Versions of one asset, as its own team's gate judges them. */
export async function presentVersions(
  context: ApiContext,
  db: Kysely<Schema>,
  node: AssetNode,
  records: readonly VersionRecord[],
): Promise<VersionAnswer[]> {
  const nowMs = context.now();
  const ids = records.map((record) => record.view.id);
  const waivers = await waiversInForce(db, ids, new Date(nowMs));
  const published = await publishedSince(db, ids);
  const required = requiredChecks(node, node.team);
  return records.map((record) => {
    const { view, discarded } = record;
    const judgement = judge(node.key, view, required, nowMs);
    return {
      id: view.id,
      asset: record.assetKey,
      partition: view.partition,
      seq: view.seq,
      state: judgement.state,
      open: judgement.open,
      newest: record.newest,
      createdAt: new Date(view.createdAtMs).toISOString(),
      run: view.runId,
      attempt: record.attemptId,
      location: record.location,
      codeVersion: view.codeVersion,
      dataVersion: view.dataVersion,
      value: view.value,
      metadata: view.metadata.map((entry) => ({ ...entry })),
      inputs: record.inputs.map((row) => presentInput(context, row)),
      results: view.results.map(({ runId, metadata, ...result }) => ({
        ...result,
        metadata: metadata.map((entry) => ({ ...entry })),
        run: runId,
      })),
      waivers: (waivers.get(view.id) ?? []).map((row) => presentWaiver(row, nowMs)),
      inheritedWaivers: [...view.waivers],
      reasons: judgement.reasons.map((reason) => presentReason(context, reason)),
      discarded:
        discarded === undefined ? null : { at: presentTime(discarded.at), by: discarded.by, reason: discarded.reason },
      publishedAt: presentTimeOrNull(published.get(view.id) ?? null),
    };
  });
}

export async function presentVersion(
  context: ApiContext,
  db: Kysely<Schema>,
  node: AssetNode,
  record: VersionRecord,
): Promise<VersionAnswer> {
  const [answer] = await presentVersions(context, db, node, [record]);
  if (answer === undefined) throw new Error("one version in, none out");
  return answer;
}
