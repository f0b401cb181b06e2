import { createHash } from "node:crypto";
import { rangeSet } from "@headgate/model";
import type pg from "pg";
import { type AssetReport, type ReportRefusal, decideReport, decideResult } from "../../domain/external-report.ts";
import type { ResultView, ValueView, VersionView } from "../../domain/gate.ts";
import type { AssetNode } from "../../domain/graph.ts";
import { planMissingChecks } from "../../domain/check-steps.ts";
import { gateMove } from "../../domain/waiver-decision.ts";
import { appendNumbered } from "../../storage/append-events.ts";
import { shareOwner } from "../../storage/asset-owners.ts";
import { bumpGate } from "../../storage/bump-gate.ts";
import { appendRunQueued, insertRun } from "../../storage/create-run.ts";
import { isDeleted } from "../../storage/delete-asset.ts";
import { onTransaction } from "../../storage/on-transaction.ts";
import { insertReportedResult, insertReportedVersion } from "../../storage/reports.ts";
import { readVersion } from "../../storage/versions-read.ts";
import type { ApiContext } from "../api-context.ts";
import { checkPartition, findAsset } from "../find-asset.ts";
import { discardedProblem, found, gateEvent, newestView, requireOwner } from "../gate-change.ts";
import { type Change, mutate } from "../mutation.ts";
import { type VersionAnswer, presentVersion } from "../present-version.ts";
import { Problem } from "../problem.ts";
import { reportedMetadata } from "../reported-metadata.ts";
import type { Handlers } from "../request.ts";
import type { Actor } from "../tokens.ts";
import { findVersion } from "./asset-routes.ts";

interface Report {
  readonly kind: AssetReport["kind"];
  readonly partition: string;
  readonly dataVersion?: string | undefined;
  readonly value: ValueView | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

interface ReportedAnswer {
  readonly version: VersionAnswer;
  readonly changed: boolean;
  readonly run: string | null;
}

export const reportRoutes: Pick<Handlers, "reportMaterialization" | "reportObservation" | "reportCheckResult"> = {
  async reportMaterialization(context, request) {
    const { params, body, actor } = request;
    const node = reportable(context, actor, params.key, body.partition);
    const report: Report = { ...body, kind: "materialization", value: body.value ?? null };
    return mutate(context, request, 201, (tx) => takeReport(context, tx, actor, node, report));
  },

  async reportObservation(context, request) {
    const { params, body, actor } = request;
    const node = reportable(context, actor, params.key, body.partition);
    const report: Report = { ...body, kind: "observation", value: null };
    return mutate(context, request, 200, (tx) => takeReport(context, tx, actor, node, report));
  },

  async reportCheckResult(context, request) {
    const { params, body, actor } = request;
    const node = findAsset(context, params.key);
    const team = body.team ?? node.team;
    const decision = decideResult(node, team, params.name);
    if (decision.kind === "refused") throw refusalProblem(decision);
    const { view } = await findVersion(context, node, body.version);
    requireOwner(actor, team, `check ${params.name} of ${node.key}`);
    return mutate(context, request, 201, async (tx) => {
      await bumpGate(tx, node.key);
      const record = found(await readVersion(onTransaction(tx), view.id));
      if (record.discarded !== undefined) throw discardedProblem(node, view.id);
      const { severity, description } = body;
      const result: ResultView = {
        id: context.newId(),
        team,
        name: params.name,
        checkVersion: decision.check.definition.version,
        outcome: body.passed ? "passed" : severity === "WARN" ? "warned" : "failed",
        runId: null,
        seq: 0,
        description,
        metadata: reportedMetadata(body.metadata),
      };
      return takeResult(context, tx, actor, node, record.view, result);
    });
  },
};

/** @throws Problem for who may not report it, or a partition that does not exist */
function reportable(context: ApiContext, actor: Actor, key: string, partition: string): AssetNode {
  const node = findAsset(context, key);
  requireOwner(actor, node.team, node.key);
  checkPartition(node, partition);
  const ordinal = node.space.ordinalOf(partition) ?? 0;
  if (rangeSet.has(rangeSet.range(0, node.space.count(context.now())), ordinal)) return node;
  const hint = "A window of time exists once it has ended.";
  throw new Problem("partition.unknown", `Partition ${partition} of ${node.key} does not exist yet.`, hint);
}

/** Records a version, or that there is none to record, with the run of its checks; the gate's epoch moves with it. */
async function takeReport(
  context: ApiContext,
  tx: pg.PoolClient,
  actor: Actor,
  node: AssetNode,
  report: Report,
): Promise<Change<ReportedAnswer>> {
  const location = (await shareOwner(tx, node.key)) ?? node.location;
  await bumpGate(tx, node.key);
  if (await isDeleted(tx, node.key)) {
    throw new Problem("asset.unknown", `${node.key} was deleted.`, "Define it again to begin a new history.", {
      as: "asset.deleted",
    });
  }
  const { partition, kind, value } = report;
  const newest = await newestView(tx, node, partition);
  const decision = decideReport(node, { ...report, hasValue: value !== null }, newest);
  if (decision.kind === "refused") throw refusalProblem(decision);
  const changed = decision.kind === "version";
  const id = decision.kind === "version" ? context.newId() : decision.version.id;
  const run =
    decision.kind === "version" || decision.recheck
      ? await requestChecks(context, tx, actor, node, partition, id)
      : undefined;
  const dataVersion =
    decision.kind === "known" ? decision.version.dataVersion : (decision.dataVersion ?? defaultDataVersion(value, id));
  const metadata = reportedMetadata(report.metadata);
  const subject = { assetKey: node.key, partitionKey: partition, location };
  const said = { version: id, report: kind, actor: actor.name, dataVersion };
  const seq = await appendNumbered(tx, [
    changed
      ? { kind: "version_reported", ...subject, payload: said }
      : { kind: "asset_observed", ...subject, payload: { ...said, metadata } },
  ]);
  if (changed) {
    const { codeVersion } = node.definition;
    await insertReportedVersion(tx, { id, ...subject, partition, codeVersion, dataVersion, value, metadata, seq });
  }
  if (run !== undefined) await appendRunQueued(tx, [run]);
  const db = onTransaction(tx);
  const version = await presentVersion(context, db, node, found(await readVersion(db, id)));
  return {
    answer: { version, changed, run: run?.id ?? null },
    audit: {
      action: changed ? "version.report" : "asset.observe",
      subject: node.key,
      details: { version: id, partition, report: kind, dataVersion },
    },
    channels: ["headgate_events", ...(run === undefined ? [] : ["headgate_runs"])],
  };
}

/** The run that checks a version which was just reported; undefined: no check can be run. */
async function requestChecks(
  context: ApiContext,
  tx: pg.PoolClient,
  actor: Actor,
  node: AssetNode,
  partition: string,
  versionId: string,
) {
  const steps = planMissingChecks(node, partition, versionId, node.checks, 0);
  if (steps.length === 0) return undefined;
  const run = {
    id: context.newId(),
    source: "api",
    actor: actor.name,
    selection: `"${node.key}"`,
    partitions: partition,
    plan: { steps },
  } as const;
  await insertRun(tx, run);
  return run;
}

/** The digest where there is one, so that an equal value is not news to readers; else every report is. */
function defaultDataVersion(value: ValueView | null, versionId: string): string {
  if (value !== null && value.digest !== "") return value.digest;
  return `version:${createHash("sha256").update(versionId).digest("hex").slice(0, 32)}`;
}

async function takeResult(
  context: ApiContext,
  tx: pg.PoolClient,
  actor: Actor,
  node: AssetNode,
  version: VersionView,
  result: ResultView,
): Promise<Change<VersionAnswer>> {
  const { id, team, name, outcome } = result;
  const { partition } = version;
  const before = await newestView(tx, node, partition);
  const others = version.results.filter(
    (r) => r.team !== team || r.name !== name || r.checkVersion !== result.checkVersion,
  );
  const after = before?.id === version.id ? { ...version, results: [...others, result] } : before;
  const subject = { assetKey: node.key, partitionKey: partition, location: node.location };
  const payload = { version: version.id, result: id, team, check: name, outcome, actor: actor.name };
  const cause = { kind: "result", result: id, reader: team };
  const seq = await appendNumbered(tx, [
    { kind: "check_reported", ...subject, payload },
    ...gateEvent(node, partition, gateMove(node, before, after, team, context.now()), after, cause),
  ]);
  await insertReportedResult(tx, { ...result, versionId: version.id, assetKey: node.key, partition, seq });
  const db = onTransaction(tx);
  return {
    answer: await presentVersion(context, db, node, found(await readVersion(db, version.id))),
    audit: {
      action: "check.report",
      subject: node.key,
      details: { result: id, version: version.id, partition, team, check: name, outcome },
    },
    channels: ["headgate_events"],
  };
}

function refusalProblem({ code, message, hint }: ReportRefusal): Problem {
  return new Problem(code, message, hint);
}
