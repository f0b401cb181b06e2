import { sameCadence, sameSpace, windowsOf } from "./partition-space.ts";
import type { PartitionSpace } from "./space.ts";
import { rangeSet } from "./range-set.ts";
import type { RangeSet } from "./range-set.ts";

/** A mapping between spaces of one dimension; see `PartitionMapping`. */
export type SimpleMapping =
  | { readonly kind: "identity" }
  | { readonly kind: "window"; readonly startOffset: number; readonly endOffset: number }
  | { readonly kind: "all" }
  | { readonly kind: "last" }
  | { readonly kind: "static"; readonly upstreamOf: Readonly<Record<string, readonly string[]>> };

/** Why two sides cannot be joined, and how to mend it. */
export interface MappingProblem {
  readonly message: string;
  readonly hint: string;
}

type Problem = MappingProblem;
type Range = readonly [start: number, end: number];

/**
 * The mapping of an edge that names none: `all` if one side is unpartitioned, `window` between windows that are cut
 * differently, else `identity`, which `simpleProblem` then refuses where keys do not agree.
 */
export function simpleDefault(upstream: PartitionSpace, downstream: PartitionSpace): SimpleMapping {
  if (sameSpace(upstream, downstream)) return { kind: "identity" };
  if (upstream.definition === undefined || downstream.definition === undefined) return { kind: "all" };
  const up = windowsOf(upstream);
  const down = windowsOf(downstream);
  if (up !== undefined && down !== undefined && !sameCadence(up, down)) {
    return { kind: "window", startOffset: 0, endOffset: 0 };
  }
  return { kind: "identity" };
}

/**
 * Why a mapping cannot join these two spaces, or `undefined` if it can. A mapping that would let a downstream partition
 * read nothing, where it is meant to read something, is a problem: a gate over nothing would always be open.
 */
export function simpleProblem(
  mapping: SimpleMapping,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
): Problem | undefined {
  switch (mapping.kind) {
    case "identity":
      return identityProblem(upstream, downstream);
    case "window":
      return windowProblem(mapping, upstream, downstream);
    case "all":
    case "last":
      return undefined;
    case "static":
      return staticProblem(mapping.upstreamOf, upstream, downstream);
  }
}

/**
 * The upstream partitions that the downstream partitions of `set` read. `identity` and `window` may name windows that
 * have not ended at `nowMs`: what is needed and not there must be seen to be missing.
 */
export function simpleUpstream(
  mapping: SimpleMapping,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  set: RangeSet,
  nowMs: number,
): RangeSet {
  if (set.length === 0) return rangeSet.empty;
  switch (mapping.kind) {
    case "identity":
      return identical(downstream, upstream, set);
    case "window":
      return windowUpstream(mapping, upstream, downstream, set);
    case "all":
      return rangeSet.range(0, upstream.count(nowMs));
    case "last": {
      const count = upstream.count(nowMs);
      return rangeSet.range(Math.max(count - 1, 0), count);
    }
    case "static":
      return rangeSet.from(staticUpstream(mapping.upstreamOf, upstream, downstream, set));
  }
}

/**
 * The downstream partitions, of those that exist at `nowMs`, that read one of the upstream partitions of `set`: the
 * inverse of `simpleUpstream`.
 */
export function simpleDownstream(
  mapping: SimpleMapping,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  set: RangeSet,
  nowMs: number,
): RangeSet {
  if (set.length === 0) return rangeSet.empty;
  const existing = rangeSet.range(0, downstream.count(nowMs));
  switch (mapping.kind) {
    case "identity":
      return rangeSet.intersection(identical(upstream, downstream, set), existing);
    case "window":
      return rangeSet.intersection(windowDownstream(mapping, upstream, downstream, set), existing);
    case "all":
    case "last": {
      const read = simpleUpstream(mapping, upstream, downstream, existing, nowMs);
      return rangeSet.isEmpty(rangeSet.intersection(read, set)) ? rangeSet.empty : existing;
    }
    case "static":
      return staticDownstream(mapping.upstreamOf, upstream, downstream, set);
  }
}

export const otherMappings =
  "map it with allPartitions, lastPartition or windowOffset, or give both the same partitions";

function identityProblem(upstream: PartitionSpace, downstream: PartitionSpace): Problem | undefined {
  const up = windowsOf(upstream);
  const down = windowsOf(downstream);
  if (upstream.definition?.kind === "dynamic" || downstream.definition?.kind === "dynamic") {
    return dynamicProblem(upstream, downstream);
  }
  if (up === undefined && down === undefined) {
    const missing = keysOf(downstream).filter((key) => upstream.ordinalOf(key) === undefined);
    if (missing.length === 0) return undefined;
    if (downstream.definition === undefined || upstream.definition === undefined) {
      return { message: "one side of the dependency has partitions and the other has none", hint: otherMappings };
    }
    return { message: `upstream has no partition ${listed(missing)}`, hint: otherMappings };
  }
  if (up === undefined || down === undefined) {
    const message = "upstream and downstream have different kinds of partitions, so no key is the same";
    return { message, hint: otherMappings };
  }
  if (!sameCadence(up, down)) {
    const [left, right] = [up, down].map(({ cadence }) => `"${cadence.cron}" in ${cadence.zone.name}`);
    const message = `upstream windows (${left}) and downstream windows (${right}) are cut differently`;
    return { message, hint: "map it with windowOffset, or give both the same cron and timezone" };
  }
  if (down.firstIndex < up.firstIndex) {
    const first = upstream.keyAt(0);
    const message = `downstream starts with ${downstream.keyAt(0)}, before the first upstream partition ${first}`;
    return { message, hint: `start downstream at ${first}` };
  }
  if (down.firstIndex + down.limit > up.firstIndex + up.limit) {
    const { boundaries } = up.cadence;
    const message = `downstream goes on after the last upstream partition ${upstream.keyAt(up.limit - 1)}`;
    return { message, hint: `end downstream at ${boundaries.keyAt(up.firstIndex + up.limit)}` };
  }
  return undefined;
}

/** Keys come and go: only one and the same set has the keys of the other for ever. */
function dynamicProblem(upstream: PartitionSpace, downstream: PartitionSpace): Problem | undefined {
  const [up, down] = [upstream.definition, downstream.definition];
  if (up?.kind === "dynamic" && down?.kind === "dynamic" && up.name === down.name) return undefined;
  const shown = [up, down].map((side) =>
    side?.kind === "dynamic" ? `the dynamic set ${side.name}` : "other partitions",
  );
  return { message: `upstream has ${shown[0] ?? ""}, and downstream ${shown[1] ?? ""}`, hint: otherMappings };
}

const offsetMax = 100_000;

function windowProblem(
  mapping: { startOffset: number; endOffset: number },
  upstream: PartitionSpace,
  downstream: PartitionSpace,
): Problem | undefined {
  if (windowsOf(upstream) === undefined || windowsOf(downstream) === undefined) {
    const message = "a mapping by windows needs time windows on both sides";
    return { message, hint: "map it with allPartitions or lastPartition" };
  }
  const { startOffset, endOffset } = mapping;
  for (const offset of [startOffset, endOffset]) {
    if (Number.isInteger(offset) && Math.abs(offset) <= offsetMax) continue;
    return {
      message: `window offset ${offset} is wrong`,
      hint: `write whole numbers from -${offsetMax} to ${offsetMax}`,
    };
  }
  if (startOffset <= endOffset) return undefined;
  const message = `window offsets ${startOffset} to ${endOffset} run backwards, so nothing would be read`;
  return { message, hint: "write a startOffset that is not greater than the endOffset" };
}

function staticProblem(
  upstreamOf: Readonly<Record<string, readonly string[]>>,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
): Problem | undefined {
  if (downstream.definition?.kind !== "static") {
    const message = "a mapping by keys needs static partitions downstream";
    return { message, hint: "map it with allPartitions, lastPartition or windowOffset" };
  }
  const strange = Object.keys(upstreamOf).filter((key) => downstream.ordinalOf(key) === undefined);
  if (strange.length > 0) {
    return {
      message: `the mapping names ${listed(strange)}, which downstream has not`,
      hint: "remove it, or add the key",
    };
  }
  const forgotten = keysOf(downstream).filter((key) => !Object.hasOwn(upstreamOf, key));
  if (forgotten.length > 0) {
    const hint = "list the upstream keys of every downstream key, [] where it reads none";
    return { message: `the mapping says nothing of ${listed(forgotten)}`, hint };
  }
  if (upstream.definition?.kind === "dynamic") {
    const message = `the keys of the dynamic set ${upstream.definition.name} come and go, so that no table can name them`;
    return { message, hint: "map it with allPartitions, or give both the same partitions" };
  }
  const missing = Object.values(upstreamOf)
    .flat()
    .filter((key) => upstream.ordinalOf(key) === undefined);
  if (missing.length === 0) return undefined;
  return { message: `upstream has no partition ${listed(missing)}`, hint: "correct the key in the mapping" };
}

function keysOf(space: PartitionSpace): readonly string[] {
  return space.definition?.kind === "static" ? space.definition.keys : [""];
}

function listed(keys: readonly string[]): string {
  const few = keys.slice(0, 3).map((key) => JSON.stringify(key));
  return few.join(", ") + (keys.length > 3 ? ` and ${keys.length - 3} more` : "");
}

/** The partitions of `to` with the keys that `set` has in `from`; those that `to` has not are left out. */
function identical(from: PartitionSpace, to: PartitionSpace, set: RangeSet): RangeSet {
  const source = windowsOf(from);
  const target = windowsOf(to);
  if (source !== undefined && target !== undefined) {
    const shift = source.firstIndex - target.firstIndex;
    return clipped(
      set.map(([start, end]) => [start + shift, end + shift]),
      target.limit,
    );
  }
  if (sameSpace(from, to)) return set;
  const ordinals: number[] = [];
  for (const ordinal of rangeSet.ordinals(set)) {
    const match = to.ordinalOf(from.keyAt(ordinal));
    if (match !== undefined) ordinals.push(match);
  }
  return rangeSet.from(ordinals);
}

function windowUpstream(
  mapping: { startOffset: number; endOffset: number },
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  set: RangeSet,
): RangeSet {
  const up = windowsOf(upstream);
  const down = windowsOf(downstream);
  if (up === undefined || down === undefined) return rangeSet.empty;
  // Windows follow each other without a hole, so a range of them reads one range, as long as no offset runs backwards.
  // Computed on boundary indexes, which go on before the start: only what is left at last is clipped to the space.
  return clipped(
    set.map(([start, end]) => {
      const startMs = down.cadence.boundaries.at(down.firstIndex + start);
      const endMs = down.cadence.boundaries.at(down.firstIndex + end);
      const first = up.cadence.boundaries.indexAtOrBefore(startMs) + mapping.startOffset;
      const last = up.cadence.boundaries.indexAtOrBefore(endMs - 1) + mapping.endOffset;
      return [first - up.firstIndex, last + 1 - up.firstIndex];
    }),
    up.limit,
  );
}

function windowDownstream(
  mapping: { startOffset: number; endOffset: number },
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  set: RangeSet,
): RangeSet {
  const up = windowsOf(upstream);
  if (up === undefined || windowsOf(downstream) === undefined) return rangeSet.empty;
  const { boundaries } = up.cadence;
  // A window [s, e) reads [indexOf(s) + startOffset, indexOf(e - 1) + endOffset]; that meets [start, end) if and only
  // if it shares time with the upstream windows from start - endOffset up to end - startOffset.
  return rangeSet.from(
    set.map(([start, end]) =>
      downstream.overlapping(
        boundaries.at(up.firstIndex + start - mapping.endOffset),
        boundaries.at(up.firstIndex + end - mapping.startOffset),
      ),
    ),
  );
}

function clipped(ranges: readonly Range[], limit: number): RangeSet {
  const inside = ranges.map(([start, end]): Range => [Math.max(start, 0), Math.min(end, limit)]);
  return rangeSet.from(inside.filter(([start, end]) => start < end));
}

function* staticUpstream(
  upstreamOf: Readonly<Record<string, readonly string[]>>,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  set: RangeSet,
): Generator<number> {
  for (const ordinal of rangeSet.ordinals(set)) {
    const key = downstream.keyAt(ordinal);
    // From the wire: a key such as "constructor" must not find what every object has.
    if (!Object.hasOwn(upstreamOf, key)) continue;
    for (const upstreamKey of upstreamOf[key] ?? []) {
      const found = upstream.ordinalOf(upstreamKey);
      if (found !== undefined) yield found;
    }
  }
}

function staticDownstream(
  upstreamOf: Readonly<Record<string, readonly string[]>>,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  set: RangeSet,
): RangeSet {
  const ordinals: number[] = [];
  for (const [key, upstreamKeys] of Object.entries(upstreamOf)) {
    const ordinal = downstream.ordinalOf(key);
    const reads = upstreamKeys.some((upstreamKey) => rangeSet.has(set, upstream.ordinalOf(upstreamKey) ?? -1));
    if (ordinal !== undefined && reads) ordinals.push(ordinal);
  }
  return rangeSet.from(ordinals);
}
