import { type AssetKey, type RangeSet, rangeSet } from "@headgate/model";
import type { AssetNode, Graph } from "./asset-graph.ts";

/** Partitions of one asset, as a plan is asked for them. */
export interface Asked {
  readonly node: AssetNode;
  readonly set: RangeSet;
}

/** What a plan computes of one asset, and the part of it that was not asked for. */
export interface Expanded extends Asked {
  readonly added: RangeSet;
}

export type ExpandedResult =
  | { readonly ok: true; readonly targets: readonly Expanded[] }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly hint: string };

/**
 * Adds what is computed in any case: whoever asks for one output of a multi-asset that cannot be subset asks for all.
 * Refused where one of them cannot be computed, since the others cannot either.
 */
export function expanded(graph: Graph, targets: readonly Asked[]): ExpandedResult {
  const sets = new Map<AssetNode, { asked: RangeSet; all: RangeSet }>();
  for (const { node, set } of targets) sets.set(node, { asked: set, all: set });
  for (const { node, set } of targets) {
    const { multi } = node.definition;
    if (multi === undefined || multi.canSubset) continue;
    const problem = incompleteSet(graph, node);
    if (problem !== undefined) return { ok: false, ...problem };
    for (const key of multi.outputs) {
      const output = graph.asset(key);
      if (output === undefined) continue;
      const known = sets.get(output) ?? { asked: rangeSet.empty, all: rangeSet.empty };
      sets.set(output, { ...known, all: rangeSet.union(known.all, set) });
    }
  }
  const all = [...sets].map(([node, set]) => {
    return { node, set: set.all, added: rangeSet.difference(set.all, set.asked) };
  });
  return { ok: true, targets: all };
}

/** Why an asset cannot be computed: of what is computed with it in any case, something cannot. */
export function incompleteSet(
  graph: Graph,
  node: AssetNode,
): { readonly code: string; readonly message: string; readonly hint: string } | undefined {
  const { multi } = node.definition;
  if (multi === undefined || multi.canSubset) return undefined;
  for (const key of multi.outputs) {
    const why = missing(graph, node, key);
    if (why === undefined) continue;
    return {
      code: "asset.set_incomplete",
      message: `${node.key} cannot be computed: one call computes it together with ${key}, ${why}`,
      hint: `Mend ${key}, or let the multi-asset compute a part of its outputs (canSubset).`,
    };
  }
  return undefined;
}

function missing(graph: Graph, node: AssetNode, key: AssetKey): string | undefined {
  const output = graph.asset(key);
  const refused = output?.error ?? (output === undefined ? graph.errors.find((error) => error.key === key) : undefined);
  if (refused !== undefined) return `which did not load: ${refused.message}`;
  if (output === undefined || output.retired) return `which ${node.location} no longer defines.`;
  if (output.location !== node.location) return `which belongs to ${output.location}.`;
  const same = output.definition.multi?.outputs.join("\n") === node.definition.multi?.outputs.join("\n");
  if (!same || output.space !== node.space) return "whose definition says otherwise.";
  return undefined;
}

/** Names what this step may be computed with; undefined: it is computed alone. */
function companyOf({ key, definition, location }: AssetNode, { partition, forecast }: Joinable): string | undefined {
  const { multi, batch } = definition;
  // What could run does not wait for what cannot yet, and a call is not kept small by what is blocked.
  if (batch !== undefined) return [location, key, forecast.kind].join("\n");
  return multi === undefined ? undefined : [location, partition, ...multi.outputs].join("\n");
}

/** The call that computes several steps. */
export interface PlannedComputation {
  /** Index of the first of the steps. */
  readonly first: number;
  /** Any part of them can be computed without the rest. */
  readonly canSubset: boolean;
}

/** A step that may be computed with others, or is by an earlier plan. */
interface Joinable {
  readonly index: number;
  readonly kind: "materialize" | "checks";
  readonly asset: AssetKey;
  readonly partition: string;
  readonly forecast: { readonly kind: "runs" | "waits" | "blocked" };
  readonly computation?: PlannedComputation;
}

/**
 * Joins the steps that one call computes: the outputs of a multi-asset, by partition; and partitions of an asset that is
 * computed in batches, in their order, as many at a time as it takes. One alone is a step like any other.
 */
export function computedTogether<S extends Joinable>(graph: Graph, steps: readonly S[]): S[] {
  /** The call that the next step of this company joins. */
  const open = new Map<string, number[]>();
  const calls: number[][] = [];
  for (const step of steps) {
    const node = step.kind === "checks" ? undefined : graph.asset(step.asset);
    const company = node && companyOf(node, step);
    if (node === undefined || company === undefined) continue;
    const call = open.get(company);
    if (call !== undefined && call.length < (node.definition.batch?.partitionsMax ?? Infinity)) {
      call.push(step.index);
      continue;
    }
    const next = [step.index];
    open.set(company, next);
    calls.push(next);
  }
  const joined = steps.map((step) => (step.computation === undefined ? step : apart(step)));
  for (const call of calls) {
    const [first] = call;
    if (first === undefined || call.length < 2) continue;
    for (const index of call) {
      const step = joined[index]!;
      const canSubset = graph.asset(step.asset)?.definition.multi?.canSubset ?? true;
      joined[index] = { ...step, computation: { first, canSubset } };
    }
  }
  return joined;
}

function apart<S extends Joinable>({ computation: _, ...step }: S): S {
  return step as S;
}

interface Ordered {
  readonly index: number;
  readonly after: readonly number[];
  readonly computation?: { readonly first: number };
}

/**
 * A step that would wait for ever, since what it is computed with has to wait for it, or it for that. Outputs of one
 * multi-asset read the same, so it takes definitions of different ages to get one.
 */
export function entangledStep<S extends Ordered>(steps: readonly S[]): S | undefined {
  const unitOf = (step: Ordered): number => step.computation?.first ?? step.index;
  const waitsFor = new Int32Array(steps.length);
  const dependents = new Map<number, number[]>();
  for (const step of steps) {
    const unit = unitOf(step);
    for (const index of step.after) {
      const before = steps[index];
      if (before === undefined) continue;
      const list = dependents.get(unitOf(before)) ?? [];
      dependents.set(unitOf(before), list);
      list.push(unit);
      waitsFor[unit]!++;
    }
  }
  const units = new Set(steps.map(unitOf));
  const ready = [...units].filter((unit) => waitsFor[unit] === 0);
  for (const unit of ready) {
    units.delete(unit);
    for (const dependent of dependents.get(unit) ?? []) if (--waitsFor[dependent]! === 0) ready.push(dependent);
  }
  const [left] = units;
  return left === undefined ? undefined : steps[left];
}
