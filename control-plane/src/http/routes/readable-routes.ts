import { type AssetKey, parseAssetKey, parsePartitions, rangeSet } from "@headgate/model";
import type { AssetNode } from "../../domain/graph.ts";
import { type OpenVersion, openVersions } from "../../domain/open-versions.ts";
import { ancestors, rootReasons } from "../../domain/root-reasons.ts";
import { loadGateView } from "../../storage/gate-state.ts";
import { readRun } from "../../storage/runs-read.ts";
import { readAttempt } from "../../storage/steps-read.ts";
import { readVersions } from "../../storage/versions-read.ts";
import type { ApiContext } from "../api-context.ts";
import { findAsset } from "../find-asset.ts";
import { presentReadable } from "../present-readable.ts";
import { presentReason } from "../present-reason.ts";
import { presentAttempt, presentInput } from "../present-run.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";

/** More at once is a lot to answer, and nothing that a person tries reads as much. */
const partitionsMax = 1_000;

/** What somebody needs who reads values outside a run: the versions, with where their values are. */
export const readableRoutes: Pick<Handlers, "listOpenVersions" | "getAttempt"> = {
  async listOpenVersions(context, { params, query }) {
    const node = findAsset(context, params.key);
    const reader = readerOf(node, query.reader);
    const set = partitionsOf(node, query.partitions ?? "", context.now());
    const nowMs = context.now();
    const found = openVersions(node, set, reader, await loadGateView(context.pool, [node.key]), nowMs);
    const closed = found.filter((partition) => partition.kind === "closed");
    return {
      items: found.flatMap((partition) =>
        partition.kind === "open" ? [presentReadable(partition.version, partition.isNewest, partition.waivers)] : [],
      ),
      leftOut: await presentClosed(context, node, closed, nowMs),
    };
  },

  async getAttempt(context, { params }) {
    const row = await readAttempt(context.db, params.id);
    if (row === undefined) {
      const hint = "`npx headgate run show <id> --json` has the attempts of a run.";
      throw new Problem("attempt.unknown", `There is no attempt ${params.id}.`, hint);
    }
    const ids = row.inputs.flatMap(({ versions }) => versions.map((version) => version.id));
    const [run, records] = await Promise.all([readRun(context.db, row.run_id), readVersions(context.db, ids)]);
    const config = (run?.config ?? {})[row.asset_key] as Record<string, unknown> | undefined;
    return {
      ...presentAttempt(context, row),
      asset: context.graph().renamed.get(row.asset_key) ?? row.asset_key,
      partition: row.partition_key,
      kind: row.kind,
      run: row.run_id,
      step: row.step_index,
      location: row.location,
      version: row.version_id,
      config: config ?? {},
      tags: run?.tags ?? {},
      reads: row.inputs.map((input) => ({
        ...presentInput(context, input),
        versions: input.versions.flatMap(({ id, waivers }) => {
          const record = records.get(id);
          return record === undefined ? [] : [presentReadable(record.view, record.newest, waivers)];
        }),
        gone: input.versions.map(({ id }) => id).filter((id) => !records.has(id)),
      })),
    };
  },
};

function readerOf(node: AssetNode, reader: string | undefined): AssetKey {
  if (reader === undefined) return node.key;
  const key = parseAssetKey(reader);
  if (key !== undefined) return key;
  throw new Problem("request.invalid", `${reader} is no asset key.`, "Name the asset that reads, as team/name.");
}

function partitionsOf(node: AssetNode, text: string, nowMs: number) {
  if (text === "" && node.space.definition !== undefined) return rangeSet.empty;
  const parsed = parsePartitions(node.space, text, nowMs);
  if (!parsed.ok) throw new Problem("partition.unknown", `${node.key}: ${parsed.message}.`, parsed.hint);
  const count = rangeSet.size(parsed.set);
  if (count <= partitionsMax) return parsed.set;
  const hint = `Ask for at most ${partitionsMax} at once.`;
  throw new Problem("request.invalid", `${count} partitions of ${node.key} are asked for.`, hint);
}

/** With the reasons followed upstream, to the check that shut. */
async function presentClosed(
  context: ApiContext,
  node: AssetNode,
  closed: readonly Extract<OpenVersion, { kind: "closed" }>[],
  nowMs: number,
) {
  if (closed.length === 0) return [];
  const keys = ancestors([node]).map((upstream) => upstream.key);
  const view = await loadGateView(context.pool, keys);
  return closed.map(({ partition, reasons }) => {
    const roots = rootReasons(context.graph(), reasons, view, nowMs);
    const shown = roots.kind === "roots" ? roots.reasons : reasons;
    return { partition, reasons: shown.map((reason) => presentReason(context, reason)) };
  });
}
