import { type RangeSet, formatPartitions, rangeSet } from "@headgate/model";
import { readProgress } from "../domain/backfill-progress.ts";
import { type BackfillPart, heldBack, waitingOf } from "../domain/backfill-state.ts";
import type { BackfillRow, RunCounts } from "../storage/backfills.ts";
import type { ApiContext } from "./api-context.ts";
import type { Answer, Routes } from "./contract.ts";
import { presentTime, presentTimeOrNull } from "./present-run.ts";

export type BackfillAnswer = Answer<Routes["getBackfill"]>;
type Status = BackfillAnswer["parts"][number]["ranges"][number]["status"];

/** A backfill with its partitions by status; of definitions that have changed since there are none. */
export function presentBackfill(context: ApiContext, row: BackfillRow, runs: RunCounts | undefined): BackfillAnswer {
  const progress = readProgress(context.graph(), row.progress);
  const parts = progress.ok ? [...progress.parts].sort((a, b) => a.node.index - b.node.index) : [];
  const held = heldBack(parts, context.now());
  const presented = parts.map((part) => presentPart(part, held.get(part.node) ?? rangeSet.empty));
  const counts: Record<string, number> = {};
  for (const { ranges } of presented) {
    for (const { status, count } of ranges) counts[status] = (counts[status] ?? 0) + count;
  }
  return {
    id: row.id,
    state: row.state,
    actor: row.actor,
    selection: row.selection,
    partitions: row.partitions,
    only: row.only_status,
    partitionsPerRun: row.partitions_per_run,
    priority: row.priority,
    tags: { ...row.tags },
    whenOpen: row.when_open,
    counts,
    runs: { all: runs?.all ?? 0, open: runs?.open ?? 0 },
    error: row.error,
    createdAt: presentTime(row.created_at),
    endedAt: presentTimeOrNull(row.ended_at),
    parts: presented,
  };
}

function presentPart(part: BackfillPart, held: RangeSet): BackfillAnswer["parts"][number] {
  const sets: readonly (readonly [Status, RangeSet])[] = [
    ["failed", part.failed],
    ["blocked", part.blocked],
    ["heldBack", held],
    ["canceled", part.canceled],
    ["inFlight", part.inFlight],
    ["waiting", rangeSet.difference(waitingOf(part), held)],
    ["succeeded", part.succeeded],
  ];
  return {
    asset: part.node.key,
    ranges: sets
      .filter(([, set]) => set.length > 0)
      .map(([status, set]) => ({
        status,
        partitions: formatPartitions(part.node.space, set),
        count: rangeSet.size(set),
      })),
  };
}
