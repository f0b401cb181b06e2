import { type Box, boxesOf, fromBoxes } from "./dimension-boxes.ts";
import type { Dimension, Dimensions } from "./space.ts";
import { sameSpace, windowsOf } from "./partition-space.ts";
import type { PartitionSpace } from "./space.ts";
import { rangeSet } from "./range-set.ts";
import type { RangeSet } from "./range-set.ts";
import { otherMappings, simpleDefault, simpleDownstream, simpleProblem, simpleUpstream } from "./simple-mapping.ts";
import type { MappingProblem, SimpleMapping } from "./simple-mapping.ts";

/** What is read of one dimension of the upstream. */
export interface DimensionMapping {
  /** "" where the upstream has no dimensions. */
  readonly upstream: string;
  /** The reader's dimension that decides. Absent: that of the same name, else the one that is cut in the same way. */
  readonly downstream?: string;
  readonly mapping: SimpleMapping;
}

/** One dimension of the upstream with what decides which of its keys are read. */
export interface Axis {
  readonly upstream: Dimension;
  /** Absent: the same keys are read whatever the reader's partition is. */
  readonly downstream: Dimension | undefined;
  readonly mapping: SimpleMapping;
}

/** What `PartitionMapping` says of dimensions. */
export type AxesMapping =
  | { readonly kind: "identity" }
  | { readonly kind: "window"; readonly startOffset: number; readonly endOffset: number }
  | { readonly kind: "dimensions"; readonly dimensions: readonly DimensionMapping[] };

/** The dimensions of a space; of one without, the single one that has no name; of an unpartitioned asset none. */
export function dimensionsOf(space: PartitionSpace): Dimensions {
  if (space.dimensions !== undefined) return space.dimensions;
  const only = space.definition === undefined ? [] : [{ name: "", space, stride: 1 }];
  return { inKey: only, slowestFirst: only };
}

/**
 * How each dimension of the upstream, slowest first, is read, or why that cannot be said. A dimension that the mapping
 * does not name follows the reader's dimension of the same name; where one side has a single dimension, the one that is
 * cut in the same way. All keys are read of a dimension that follows none.
 */
export function axesOf(
  mapping: AxesMapping,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
): readonly Axis[] | MappingProblem {
  const ofMapping = known.get(mapping) ?? new WeakMap<PartitionSpace, WeakMap<PartitionSpace, ResolvedAxes>>();
  known.set(mapping, ofMapping);
  const ofUpstream = ofMapping.get(upstream) ?? new WeakMap<PartitionSpace, ResolvedAxes>();
  ofMapping.set(upstream, ofUpstream);
  let axes = ofUpstream.get(downstream);
  if (axes === undefined) ofUpstream.set(downstream, (axes = resolvedAxes(mapping, upstream, downstream)));
  return axes;
}

type ResolvedAxes = readonly Axis[] | MappingProblem;

/** They are asked for once a partition, and looking at keys is slow. */
const known = new WeakMap<AxesMapping, WeakMap<PartitionSpace, WeakMap<PartitionSpace, ResolvedAxes>>>();

function resolvedAxes(mapping: AxesMapping, upstream: PartitionSpace, downstream: PartitionSpace): ResolvedAxes {
  const up = dimensionsOf(upstream);
  const down = dimensionsOf(downstream);
  const given = mapping.kind === "dimensions" ? mapping.dimensions : [];
  const strange = given.find(({ upstream: name }) => up.inKey.every((dimension) => dimension.name !== name));
  if (strange !== undefined) return unknownDimension("upstream", strange.upstream, up);
  const axes: Axis[] = [];
  for (const dimension of up.slowestFirst) {
    const own = given.find(({ upstream: name }) => name === dimension.name);
    const axis = own === undefined ? defaultAxis(mapping, dimension, up, down) : givenAxis(own, dimension, up, down);
    if ("message" in axis) return axis;
    axes.push(axis);
  }
  return joinedProblem(mapping, axes, down) ?? axes;
}

function defaultAxis(
  mapping: AxesMapping,
  upstream: Dimension,
  up: Dimensions,
  down: Dimensions,
): Axis | MappingProblem {
  const matches = matching(upstream, up, down);
  if (matches.length > 1) return ambiguous(matches);
  const [downstream] = matches;
  if (downstream === undefined) {
    if (mapping.kind === "identity" || (mapping.kind === "window" && windowsOf(upstream.space) !== undefined)) {
      return { message: `the reader has no dimension for ${shown(upstream)} of the upstream`, hint: otherMappings };
    }
    return { upstream, downstream, mapping: { kind: "all" } };
  }
  if (mapping.kind === "identity") return { upstream, downstream, mapping };
  if (mapping.kind === "window" && windowsOf(upstream.space) !== undefined) return { upstream, downstream, mapping };
  return { upstream, downstream, mapping: simpleDefault(upstream.space, downstream.space) };
}

function givenAxis(
  { downstream: name, mapping }: DimensionMapping,
  upstream: Dimension,
  up: Dimensions,
  down: Dimensions,
): Axis | MappingProblem {
  if (mapping.kind === "all" || mapping.kind === "last") return { upstream, downstream: undefined, mapping };
  if (name !== undefined) {
    const downstream = down.inKey.find((dimension) => dimension.name === name);
    return downstream === undefined ? unknownDimension("the reader", name, down) : { upstream, downstream, mapping };
  }
  const matches = down.inKey.length === 1 ? down.inKey : matching(upstream, up, down);
  if (matches.length > 1) return ambiguous(matches);
  const [downstream] = matches;
  if (downstream !== undefined) return { upstream, downstream, mapping };
  const message = `the reader has no dimension for ${shown(upstream)} of the upstream`;
  return { message, hint: "name the reader's dimension with `from`, or read all or the last of it" };
}

/** The reader's dimensions that a dimension of the upstream may follow: at most one where both have names. */
function matching(upstream: Dimension, up: Dimensions, down: Dimensions): readonly Dimension[] {
  const isNamed = (dimensions: Dimensions): boolean => dimensions.inKey.length > 1;
  if (isNamed(up) && isNamed(down)) return down.inKey.filter(({ name }) => name === upstream.name);
  const fits = down.inKey.filter((dimension) => isCutAlike(upstream.space, dimension.space));
  const [only] = fits;
  if (!isNamed(up) || only === undefined) return fits;
  // Two dimensions that a single one could decide: neither can be told to be meant.
  const rivals = up.inKey.filter(({ space }) => isCutAlike(space, only.space));
  return rivals.length > 1 ? rivals : fits;
}

/** Both windows of time, however they are cut, or the same keys. */
function isCutAlike(a: PartitionSpace, b: PartitionSpace): boolean {
  if (windowsOf(a) !== undefined) return windowsOf(b) !== undefined;
  if (a.definition?.kind === "dynamic")
    return b.definition?.kind === "dynamic" && a.definition.name === b.definition.name;
  if (a.definition?.kind !== "static" || b.definition?.kind !== "static") return sameSpace(a, b);
  return (
    a.definition.keys.length === b.definition.keys.length &&
    a.definition.keys.every((key) => b.ordinalOf(key) !== undefined)
  );
}

/** What is wrong with the axes together. */
function joinedProblem(mapping: AxesMapping, axes: readonly Axis[], down: Dimensions): MappingProblem | undefined {
  const followed = axes.flatMap(({ downstream }) => downstream ?? []);
  const twice = followed.find((dimension, n) => followed.indexOf(dimension) !== n);
  if (twice !== undefined) {
    const message = `two dimensions of the upstream follow ${shown(twice)} of the reader`;
    return { message, hint: "let one of them read all or the last of it" };
  }
  if (mapping.kind === "window" && axes.every(({ upstream }) => windowsOf(upstream.space) === undefined)) {
    const message = "a mapping by windows needs time windows on both sides";
    return { message, hint: "map it with allPartitions or mappedDimensions" };
  }
  const isSaid = mapping.kind === "dimensions" && mapping.dimensions.length > 0;
  if (followed.length === 0 && down.inKey.length > 0 && !isSaid) {
    return { message: "upstream and downstream have no dimension in common", hint: otherMappings };
  }
  for (const { upstream, downstream, mapping: of } of axes) {
    const problem = downstream && simpleProblem(of, upstream.space, downstream.space);
    if (problem !== undefined) return { ...problem, message: `${shown(upstream)}: ${problem.message}` };
  }
  return undefined;
}

function shown({ name, space }: Dimension): string {
  return name === "" ? `the ${space.definition?.kind === "timeWindow" ? "window" : "key"}` : `dimension ${name}`;
}

function unknownDimension(side: string, name: string, { inKey }: Dimensions): MappingProblem {
  const known = inKey.map((dimension) => dimension.name).filter((other) => other !== "");
  const hint = known.length === 0 ? "it has no dimensions of its own" : `it has ${known.join(", ")}`;
  return { message: `${side} has no dimension ${JSON.stringify(name)}`, hint };
}

function ambiguous(dimensions: readonly Dimension[]): MappingProblem {
  const names = dimensions.map(({ name }) => name).join(" and ");
  return { message: `dimensions ${names} could both be meant`, hint: "say which with mappedDimensions" };
}

function placeOf(dimensions: readonly Dimension[], { name }: Dimension): number {
  return dimensions.findIndex((dimension) => dimension.name === name);
}

/** The upstream partitions that the downstream partitions of `set` read through these axes. */
export function axesUpstream(
  axes: readonly Axis[],
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  set: RangeSet,
  nowMs: number,
): RangeSet {
  const down = dimensionsOf(downstream).slowestFirst;
  // Each dimension of the reader decides one of the upstream at most, so that a box reads a box.
  const boxes = boxesOf(down, set).map((box): Box =>
    axes.map(({ upstream: of, downstream: by, mapping }) => {
      const chosen = by === undefined ? rangeSet.of(0) : (box[placeOf(down, by)] ?? rangeSet.empty);
      return simpleUpstream(mapping, of.space, by?.space ?? of.space, chosen, nowMs);
    }),
  );
  return fromBoxes(dimensionsOf(upstream).slowestFirst, boxes);
}

/** The downstream partitions, of those that exist at `nowMs`, that read one of the upstream partitions of `set`. */
export function axesDownstream(
  axes: readonly Axis[],
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  set: RangeSet,
  nowMs: number,
): RangeSet {
  const down = dimensionsOf(downstream).slowestFirst;
  const boxes = boxesOf(dimensionsOf(upstream).slowestFirst, set).map((box): Box => {
    const readers = down.map(({ space }) => rangeSet.range(0, space.count(nowMs)));
    for (const [n, { upstream: of, downstream: by, mapping }] of axes.entries()) {
      const read = box[n] ?? rangeSet.empty;
      if (by === undefined) {
        const always = simpleUpstream(mapping, of.space, of.space, rangeSet.of(0), nowMs);
        if (rangeSet.isEmpty(rangeSet.intersection(always, read))) return down.map(() => rangeSet.empty);
        continue;
      }
      const place = placeOf(down, by);
      const found = simpleDownstream(mapping, of.space, by.space, read, nowMs);
      readers[place] = rangeSet.intersection(readers[place] ?? rangeSet.empty, found);
    }
    return readers;
  });
  if (down.length === 0) return boxes.length > 0 ? rangeSet.of(0) : rangeSet.empty;
  return fromBoxes(down, boxes);
}
