import type { PartitionMapping, PartitionSpace } from "@headgate/model";
import { defaultMapping, mappingProblem, mapsOneToOne } from "@headgate/model";
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
