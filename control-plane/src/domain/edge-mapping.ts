import type { PartitionMapping, PartitionSpace } from "@headgate/model";
import { defaultMapping, mappingProblem } from "@headgate/model";
import type { Dependency } from "./definitions.ts";

/** How an edge maps partitions, or why it cannot. */
export interface EdgeMapping {
  readonly mapping: PartitionMapping;
  readonly single: boolean;
  readonly problem: { readonly message: string; readonly hint: string } | undefined;
}

/** Resolves the mappings of edges, remembering the answer for each pair of spaces where no mapping is named. */
export function edgeMappings(): (
  dependency: Dependency,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
) => EdgeMapping {
  const defaults = new Map<PartitionSpace, Map<PartitionSpace, EdgeMapping>>();
  return (dependency, upstream, downstream) => {
    if (dependency.mapping !== undefined) return resolved(dependency.mapping, upstream, downstream);
    const ofUpstream = defaults.get(upstream) ?? new Map<PartitionSpace, EdgeMapping>();
    if (ofUpstream.size === 0) defaults.set(upstream, ofUpstream);
    let mapping = ofUpstream.get(downstream);
    if (mapping === undefined) {
      mapping = resolved(defaultMapping(upstream, downstream), upstream, downstream);
      ofUpstream.set(downstream, mapping);
    }
    return mapping;
  };
}

function resolved(mapping: PartitionMapping, upstream: PartitionSpace, downstream: PartitionSpace): EdgeMapping {
  return {
    mapping,
    single: mapsOneToOne(mapping, upstream, downstream),
    problem: mappingProblem(mapping, upstream, downstream),
  };
}

/**
 * True where a partition of the reader reads one upstream partition by the form of the two definitions, not by the
 * count of today. The SDK decides by the same rule, in types, whether compute receives a value or a collection.
 */
function mapsOneToOne(mapping: PartitionMapping, upstream: PartitionSpace, downstream: PartitionSpace): boolean {
  if (upstream.definition === undefined) return true;
  switch (mapping.kind) {
    case "identity":
    case "last":
      return true;
    case "window":
      return mapping.startOffset === mapping.endOffset && sameWindows(upstream, downstream);
    case "all":
    case "static":
      return false;
  }
}

function sameWindows(a: PartitionSpace, b: PartitionSpace): boolean {
  if (a.definition?.kind !== "timeWindow" || b.definition?.kind !== "timeWindow") return false;
  return a.definition.cron === b.definition.cron && a.definition.timezone === b.definition.timezone;
}

/**
 * How many of the mapped partitions must be open; 0: every one. The default is every one, and at least one for
 * `lastValidated` over several.
 */
export function resolvedAtLeast(dependency: Dependency, single: boolean): number {
  if (dependency.atLeast !== undefined) return dependency.atLeast;
  return dependency.mode === "lastValidated" && !single ? 1 : 0;
}

/** The most partitions that one partition of the reader can ever read; infinite where windows go on. */
export function mappedCountMax({ mapping, single }: EdgeMapping, upstream: PartitionSpace): number {
  if (single) return 1;
  if (mapping.kind === "all" && upstream.definition?.kind === "static") return upstream.definition.keys.length;
  return Infinity;
}
