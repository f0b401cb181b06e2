import { type RangeSet, downstreamPartitions, rangeSet, upstreamPartitions } from "@headgate/model";
import { neededOf } from "../gate.ts";
import type { Edge } from "../graph.ts";
import type { AssetFacts, Reading } from "./asset-facts.ts";
import type { PartitionState } from "./partition-state.ts";

/** What is true of one edge, for the partitions of its reader. */
export class EdgeFacts {
  readonly edge: Edge;
  readonly upstream: AssetFacts;
  readonly #reading: Reading;
  /** By partition of the reader: the newest version of each upstream partition that it was made or requested with. */
  readonly #handled = new Map<number, ReadonlyMap<number, number>>();
  /** Partitions of the reader that are in `#handled`. */
  #handledSet: RangeSet = rangeSet.empty;
  /** Of those, the upstream partitions that have a newer version to read; none is left out. */
  readonly #pending = new Map<number, RangeSet>();
  #pendingSet: RangeSet = rangeSet.empty;
  /** For edges that need a number of partitions: which readers have it, with which open ones. */
  #counted: { readonly open: RangeSet; readonly satisfied: RangeSet; readonly existing: RangeSet } | undefined;

  constructor(edge: Edge, upstream: AssetFacts) {
    this.edge = edge;
    this.upstream = upstream;
    this.#reading = upstream.reading(edge);
  }

  /** Partitions of the reader that read one of these. */
  readersOf(set: RangeSet, nowMs: number): RangeSet {
    const { mapping, upstream, downstream } = this.edge;
    return downstreamPartitions(mapping, upstream.space, downstream.space, set, nowMs);
  }

  readBy(set: RangeSet, nowMs: number): RangeSet {
    const { mapping, upstream, downstream } = this.edge;
    return upstreamPartitions(mapping, upstream.space, downstream.space, set, nowMs);
  }

  /** Looks at every partition of the reader again. */
  fill(readers: Iterable<readonly [ordinal: number, state: PartitionState]>, nowMs: number): void {
    this.#handled.clear();
    this.#pending.clear();
    this.#counted = undefined;
    for (const [ordinal, state] of readers) {
      const handled = this.#handledOf(state);
      if (handled.size > 0) this.#handled.set(ordinal, handled);
    }
    this.#handledSet = rangeSet.from(this.#handled.keys());
    for (const ordinal of this.#handled.keys()) {
      const pending = this.#pendingOf(ordinal, nowMs);
      if (pending.length > 0) this.#pending.set(ordinal, pending);
    }
    this.#pendingSet = rangeSet.from(this.#pending.keys());
  }

  /** Something of these partitions of the upstream is another. */
  upstreamChanged(set: RangeSet, nowMs: number): void {
    const readers = rangeSet.intersection(this.readersOf(set, nowMs), this.#handledSet);
    for (const reader of rangeSet.ordinals(readers)) {
      const handled = this.#handled.get(reader);
      const read = rangeSet.intersection(this.readBy(rangeSet.of(reader), nowMs), set);
      let pending = this.#pending.get(reader) ?? rangeSet.empty;
      for (const ordinal of rangeSet.ordinals(read)) {
        const isNewer = (this.#reading.seqs.get(ordinal) ?? 0) > (handled?.get(ordinal) ?? 0);
        pending = isNewer
          ? rangeSet.union(pending, rangeSet.of(ordinal))
          : rangeSet.difference(pending, rangeSet.of(ordinal));
      }
      this.#keep(reader, pending);
    }
  }

  /** Something of this partition of the reader is another. */
  readerChanged(ordinal: number, state: PartitionState, nowMs: number): void {
    const handled = this.#handledOf(state);
    if (handled.size === 0) {
      this.#handled.delete(ordinal);
      this.#handledSet = rangeSet.difference(this.#handledSet, rangeSet.of(ordinal));
      this.#keep(ordinal, rangeSet.empty);
      return;
    }
    this.#handled.set(ordinal, handled);
    this.#handledSet = rangeSet.union(this.#handledSet, rangeSet.of(ordinal));
    this.#keep(ordinal, this.#pendingOf(ordinal, nowMs));
  }

  /** Readers with something to read that they were neither made from nor requested for. */
  updated(nowMs: number): RangeSet {
    const unhandled = rangeSet.difference(this.readersOf(this.#reading.readable, nowMs), this.#handledSet);
    return rangeSet.union(unhandled, this.#pendingSet);
  }

  /** What a reader has not handled yet. */
  pendingOf(reader: number, nowMs: number): RangeSet {
    if (this.#handled.has(reader)) return this.#pending.get(reader) ?? rangeSet.empty;
    return rangeSet.intersection(this.readBy(rangeSet.of(reader), nowMs), this.#reading.readable);
  }

  /** Upstream partitions whose version that would be read became open at this time or later. */
  openedFrom(timeMs: number): RangeSet {
    return this.#reading.openedAtMs.from(timeMs);
  }

  /**
   * Readers whose every partition on this edge may be read; `also` counts as open. Agrees with `judgeEdge`, which is
   * asked partition by partition before anything is requested.
   */
  satisfied(existing: RangeSet, also: RangeSet, nowMs: number): RangeSet {
    const open = rangeSet.union(this.#reading.open, this.upstream.openUnseen(this.#reading.team, nowMs));
    if (this.edge.atLeast !== 0) return this.#satisfiedByNumber(existing, open, also, nowMs);
    const read = this.readBy(existing, nowMs);
    const closed = rangeSet.difference(rangeSet.difference(read, open), also);
    // Who reads nothing at all is not satisfied, unless by a window that reaches to before the first partition.
    const readers = this.edge.mapping.kind === "window" ? existing : this.readersOf(read, nowMs);
    return rangeSet.intersection(existing, rangeSet.difference(readers, this.readersOf(closed, nowMs)));
  }

  #satisfiedByNumber(existing: RangeSet, open: RangeSet, also: RangeSet, nowMs: number): RangeSet {
    const before = this.#counted;
    let { satisfied, moved } =
      before === undefined || !rangeSet.equals(before.existing, existing)
        ? { satisfied: rangeSet.empty, moved: existing }
        : {
            satisfied: before.satisfied,
            moved: this.readersOf(
              rangeSet.union(rangeSet.difference(open, before.open), rangeSet.difference(before.open, open)),
              nowMs,
            ),
          };
    satisfied = this.#recounted(satisfied, rangeSet.intersection(moved, existing), open, nowMs);
    this.#counted = { open, satisfied, existing };
    if (also.length === 0) return satisfied;
    moved = rangeSet.intersection(this.readersOf(also, nowMs), existing);
    return this.#recounted(satisfied, moved, rangeSet.union(open, also), nowMs);
  }

  #recounted(satisfied: RangeSet, moved: RangeSet, open: RangeSet, nowMs: number): RangeSet {
    const enough: number[] = [];
    for (const reader of rangeSet.ordinals(moved)) {
      const read = this.readBy(rangeSet.of(reader), nowMs);
      const needed = neededOf(this.edge, rangeSet.size(read));
      if (rangeSet.size(rangeSet.intersection(read, open)) >= needed) enough.push(reader);
    }
    return rangeSet.union(rangeSet.difference(satisfied, moved), rangeSet.from(enough));
  }

  #handledOf(state: PartitionState): ReadonlyMap<number, number> {
    const { upstream } = this.edge;
    const newest = new Map<number, number>();
    for (const { asset, partition, seq } of state.handled) {
      if (asset !== upstream.key) continue;
      const ordinal = upstream.space.ordinalOf(partition);
      if (ordinal !== undefined && seq > (newest.get(ordinal) ?? 0)) newest.set(ordinal, seq);
    }
    return newest;
  }

  #pendingOf(reader: number, nowMs: number): RangeSet {
    const handled = this.#handled.get(reader);
    const read = rangeSet.intersection(this.readBy(rangeSet.of(reader), nowMs), this.#reading.readable);
    if (handled === undefined) return read;
    const known: number[] = [];
    for (const [ordinal, seq] of handled) if ((this.#reading.seqs.get(ordinal) ?? 0) <= seq) known.push(ordinal);
    return rangeSet.difference(read, rangeSet.from(known));
  }

  #keep(reader: number, pending: RangeSet): void {
    if (pending.length === 0) {
      if (!this.#pending.delete(reader)) return;
      this.#pendingSet = rangeSet.difference(this.#pendingSet, rangeSet.of(reader));
    } else {
      this.#pending.set(reader, pending);
      this.#pendingSet = rangeSet.union(this.#pendingSet, rangeSet.of(reader));
    }
  }
}
