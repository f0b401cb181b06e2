import { rangeSet } from "@headgate/model";
import { type BackfillPart, type PartOutcome, newPart, partOutcomes, settled } from "./backfill-state.ts";
import type { AssetNode, Graph } from "./graph.ts";
import { type StoredRanges, readRanges, storeRanges } from "./stored-ranges.ts";

type StoredPart = { readonly [set in "target" | "inFlight" | PartOutcome]: StoredRanges };

export type ReadProgress =
  | { readonly ok: true; readonly parts: readonly BackfillPart[] }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly hint: string };

/** The progress of a backfill as it is stored, by asset key. */
export function storeProgress(parts: readonly BackfillPart[]): Record<string, StoredPart> {
  return Object.fromEntries(
    parts.map(({ node, ...sets }) => {
      const stored = (set: "target" | "inFlight" | PartOutcome) => storeRanges(node.space, sets[set]);
      const outcomes = partOutcomes.map((outcome) => [outcome, stored(outcome)] as const);
      const of = { target: stored("target"), inFlight: stored("inFlight"), ...Object.fromEntries(outcomes) };
      return [node.key, of as StoredPart];
    }),
  );
}

/**
 * The progress by the definitions of now. Keys that were removed from a dynamic set are no longer part of it; whatever
 * else is gone, an asset or partitions of other windows, ends the backfill.
 */
export function readProgress(graph: Graph, stored: Readonly<Record<string, StoredPart>>): ReadProgress {
  const parts: BackfillPart[] = [];
  for (const [key, sets] of Object.entries(stored)) {
    const node = graph.asset(key);
    if (node === undefined || node.retired || node.definition.external !== undefined) {
      return changed(`${key} is no longer made by a code location.`);
    }
    const target = readRanges(node.space, sets.target);
    if (!target.isWhole && node.space.definition?.kind !== "dynamic") {
      return changed(`${key} no longer has all partitions that are to be made.`);
    }
    parts.push(partOf(node, target.set, sets));
  }
  return { ok: true, parts };
}

function partOf(node: AssetNode, target: BackfillPart["target"], sets: StoredPart): BackfillPart {
  const of = (stored: StoredRanges) => rangeSet.intersection(readRanges(node.space, stored).set, target);
  let part: BackfillPart = { ...newPart(node, target), inFlight: of(sets.inFlight) };
  for (const outcome of partOutcomes) part = settled(part, outcome, of(sets[outcome]));
  return part;
}

function changed(message: string): ReadProgress {
  const hint = "Create a backfill of what is defined now; --only missing leaves out what was made.";
  return { ok: false, code: "backfill.definitions_changed", message, hint };
}
