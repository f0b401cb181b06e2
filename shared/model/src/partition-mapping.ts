import { axesDownstream, axesOf, axesUpstream, dimensionsOf } from "./dimension-mapping.ts";
import type { AxesMapping, Axis, DimensionMapping } from "./dimension-mapping.ts";
import { sameSpace, windowsOf } from "./partition-space.ts";
import type { PartitionSpace } from "./space.ts";
import { rangeSet } from "./range-set.ts";
import type { RangeSet } from "./range-set.ts";
import { simpleDefault, simpleDownstream, simpleProblem, simpleUpstream } from "./simple-mapping.ts";
import type { MappingProblem, SimpleMapping } from "./simple-mapping.ts";

/**
 * Which upstream partitions a downstream partition reads.
 *
 * - `identity`: the one with the same key.
 * - `window`: those whose windows share time with its own; the first is moved by `startOffset` upstream partitions, the
 *   last by `endOffset`. `{ startOffset: -1, endOffset: -1 }` between equal spaces is the previous partition.
 * - `all`: every one that exists now.
 * - `last`: the newest one that exists now.
 * - `static`: those listed for its key; `upstreamOf` is keyed by downstream keys.
 * - `dimensions`: all combinations of what is read in each dimension of the upstream. One that is not named follows the
 *   reader's dimension of the same name, and is read whole where there is none.
 *
 * Between spaces of several dimensions `window` moves the one that has windows, and the others keep their keys.
 */
export type PartitionMapping =
  SimpleMapping | { readonly kind: "dimensions"; readonly dimensions: readonly DimensionMapping[] };

/**
 * The mapping of an edge that names none: `all` if one side is unpartitioned, `window` between windows that are cut
 * differently, `dimensions` where one side has several, else `identity`, which `mappingProblem` then refuses where keys
 * do not agree.
 */
export function defaultMapping(upstream: PartitionSpace, downstream: PartitionSpace): PartitionMapping {
  if (sameSpace(upstream, downstream)) return { kind: "identity" };
  if (upstream.definition === undefined || downstream.definition === undefined) return { kind: "all" };
  if (hasDimensions(upstream, downstream)) return { kind: "dimensions", dimensions: [] };
  return simpleDefault(upstream, downstream);
}

/**
 * Why a mapping cannot join these two spaces, or `undefined` if it can. A mapping that would let a downstream partition
 * read nothing, where it is meant to read something, is a problem: a gate over nothing would always be open.
 */
export function mappingProblem(
  mapping: PartitionMapping,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
): MappingProblem | undefined {
  if (isByAxes(mapping, upstream, downstream)) {
    const axes = axesOf(mapping, upstream, downstream);
    return "message" in axes ? axes : undefined;
  }
  if (mapping.kind === "last" && upstream.dimensions !== undefined) {
    const names = upstream.dimensions.inKey.map(({ name }) => name);
    const hint = `say of which dimension, as mappedDimensions(x, { ${names[0] ?? ""}: "last" })`;
    return { message: "the upstream has several dimensions, and no last partition", hint };
  }
  return simpleProblem(mapping, upstream, downstream);
}

/**
 * The upstream partitions that the downstream partitions of `set` read. `identity` and `window` may name windows that
 * have not ended at `nowMs`: what is needed and not there must be seen to be missing.
 */
export function upstreamPartitions(
  mapping: PartitionMapping,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  set: RangeSet,
  nowMs: number,
): RangeSet {
  if (set.length === 0) return rangeSet.empty;
  if (!isByAxes(mapping, upstream, downstream)) return simpleUpstream(mapping, upstream, downstream, set, nowMs);
  return axesUpstream(usableAxes(mapping, upstream, downstream), upstream, downstream, set, nowMs);
}

/**
 * The downstream partitions, of those that exist at `nowMs`, that read one of the upstream partitions of `set`: the
 * inverse of `upstreamPartitions`.
 */
export function downstreamPartitions(
  mapping: PartitionMapping,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  set: RangeSet,
  nowMs: number,
): RangeSet {
  if (set.length === 0) return rangeSet.empty;
  if (!isByAxes(mapping, upstream, downstream)) return simpleDownstream(mapping, upstream, downstream, set, nowMs);
  return axesDownstream(usableAxes(mapping, upstream, downstream), upstream, downstream, set, nowMs);
}

/**
 * True where a partition of the reader reads one upstream partition by the form of the two definitions, not by the
 * count of today. The SDK decides by the same rule, in types, whether compute receives a value or a collection; of
 * dimensions that are mapped one by one it always receives a collection.
 */
export function mapsOneToOne(mapping: PartitionMapping, upstream: PartitionSpace, downstream: PartitionSpace): boolean {
  if (upstream.definition === undefined) return true;
  if (mapping.kind === "dimensions" && mapping.dimensions.length > 0) return false;
  if (!isByAxes(mapping, upstream, downstream)) return isOneToOne(mapping, upstream, downstream);
  const axes = axesOf(mapping, upstream, downstream);
  if ("message" in axes) return false;
  return axes.every((axis) => isOneToOne(axis.mapping, axis.upstream.space, axis.downstream?.space));
}

function isOneToOne(
  mapping: PartitionMapping,
  upstream: PartitionSpace,
  downstream: PartitionSpace | undefined,
): boolean {
  switch (mapping.kind) {
    case "identity":
    case "last":
      return true;
    case "window":
      return mapping.startOffset === mapping.endOffset && sameWindows(upstream, downstream);
    case "all":
    case "static":
    case "dimensions":
      return false;
  }
}

function sameWindows(a: PartitionSpace, b: PartitionSpace | undefined): boolean {
  if (a.definition?.kind !== "timeWindow" || b?.definition?.kind !== "timeWindow") return false;
  return a.definition.cron === b.definition.cron && a.definition.timezone === b.definition.timezone;
}

/**
 * How an asset reads itself that may not, in words that follow "it reads itself"; `undefined` if each partition reads
 * earlier windows alone, so that none waits for its own version.
 */
export function selfDependencyProblem(
  mapping: PartitionMapping | undefined,
  space: PartitionSpace,
): string | undefined {
  switch (mapping?.kind) {
    case undefined:
    case "identity":
      return "at the same partition";
    case "all":
      return "at every partition";
    case "last":
      return "at the newest partition";
    case "static":
      return "by a table of keys";
    case "window":
    case "dimensions": {
      if (dimensionsOf(space).inKey.every((dimension) => windowsOf(dimension.space) === undefined)) {
        return "by windows and has no time windows";
      }
      const axes = axesOf(mapping, space, space);
      if ("message" in axes) return `in a way that cannot be: ${axes.message}`;
      const time = axes.find(({ upstream }) => windowsOf(upstream.space) !== undefined);
      return time && notEarlier(time);
    }
  }
}

/** Whatever is read in the other dimensions, it is earlier, and so never the partition itself. */
function notEarlier({ upstream, downstream, mapping }: Axis): string | undefined {
  if (mapping.kind === "window" && downstream?.name === upstream.name && mapping.endOffset < 0) return undefined;
  const offset = mapping.kind === "window" ? mapping.endOffset : 0;
  return `up to window offset ${offset}, which is not before it`;
}

function hasDimensions(upstream: PartitionSpace, downstream: PartitionSpace): boolean {
  return upstream.dimensions !== undefined || downstream.dimensions !== undefined;
}

/** Whether the dimensions are mapped one by one. */
function isByAxes(
  mapping: PartitionMapping,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
): mapping is AxesMapping & PartitionMapping {
  if (mapping.kind === "dimensions") return true;
  return (mapping.kind === "identity" || mapping.kind === "window") && hasDimensions(upstream, downstream);
}

function usableAxes(mapping: AxesMapping, upstream: PartitionSpace, downstream: PartitionSpace): readonly Axis[] {
  const axes = axesOf(mapping, upstream, downstream);
  // Refused by `mappingProblem` where definitions are read: nothing reads through it.
  if ("message" in axes) throw new Error(`a mapping that was refused is used: ${axes.message}`);
  return axes;
}
