import { type RangeSet, downstreamPartitions, rangeSet } from "@headgate/model";
import { stepsPerPartition } from "./check-steps.ts";
import type { AssetNode, Edge } from "./graph.ts";
import type { PlanTarget } from "./plan-targets.ts";

/*
 * A backfill: partitions of assets that are made by run after run, each no larger than a run may be. What is asked for
 * and what became of it are range sets, so that a million partitions cost what their ranges cost.
 *
 * running    Runs are created for what can be requested: a partition whose upstream partitions, of this backfill, have
 *            been made or are made by the same run. Left for paused and canceling by a request, and for an end when
 *            nothing is in flight and nothing can be requested any more.
 * paused     No run is created; those there are go on. Left for running and canceling by a request.
 * canceling  Its runs were told to cancel, and none is created. Left for canceled when they have ended.
 *
 * succeeded, failed, blocked, canceled: ends. A partition that failed, or that was blocked, stops those that read it and
 * no others. From failed, blocked and canceled a retry leads back to running.
 */
export type BackfillState = "running" | "paused" | "canceling" | "succeeded" | "failed" | "blocked" | "canceled";

/** What a step that has ended came to. Skipped, since something before it in its run failed, counts as failed. */
export type PartOutcome = "succeeded" | "failed" | "blocked" | "canceled";

/** The partitions of one asset. Those of `target` that are in no other set have not been requested. */
export interface BackfillPart {
  readonly node: AssetNode;
  readonly target: RangeSet;
  /** In runs whose end has not been taken in. */
  readonly inFlight: RangeSet;
  readonly succeeded: RangeSet;
  readonly failed: RangeSet;
  readonly blocked: RangeSet;
  readonly canceled: RangeSet;
}

export const partOutcomes = ["succeeded", "failed", "blocked", "canceled"] as const satisfies readonly PartOutcome[];

export function newPart(node: AssetNode, target: RangeSet): BackfillPart {
  const { empty } = rangeSet;
  return { node, target, inFlight: empty, succeeded: empty, failed: empty, blocked: empty, canceled: empty };
}

/** Not requested yet. */
export function waitingOf(part: BackfillPart): RangeSet {
  const known = rangeSet.union(part.inFlight, rangeSet.union(part.succeeded, fallenOf(part)));
  return rangeSet.difference(part.target, known);
}

/** Requested, and ended without a version that readers could have. */
function fallenOf({ failed, blocked, canceled }: BackfillPart): RangeSet {
  return rangeSet.union(failed, rangeSet.union(blocked, canceled));
}

export interface RunBounds {
  /** Of each asset in one run. */
  readonly partitionsPerRun: number;
  readonly stepsMax: number;
  /** Of what cannot be reached nothing is requested, nor of what reads it. */
  readonly isReachable: (location: string) => boolean;
}

/**
 * What the next run makes: of each asset, upstream first, the first partitions that wait and read nothing of this
 * backfill that has not been made, unless the same run makes it. Empty: nothing can be requested now.
 */
export function nextRun(parts: readonly BackfillPart[], bounds: RunBounds, nowMs: number): PlanTarget[] {
  const look = new Look(parts, nowMs);
  let steps = 0;
  for (const part of look.parts) {
    const ready = rangeSet.difference(waitingOf(part), look.at(part));
    const room = Math.floor((bounds.stepsMax - steps) / stepsPerPartition(part.node));
    const count = bounds.isReachable(part.node.location) ? Math.min(bounds.partitionsPerRun, room) : 0;
    const set = firstOf(ready, count);
    look.chosen.set(part.node, set);
    steps += rangeSet.size(set) * stepsPerPartition(part.node);
  }
  return [...look.chosen].filter(([, set]) => set.length > 0).map(([node, set]) => ({ node, set }));
}

/** By asset, what will not be requested, since what it reads has failed or is blocked. */
export function heldBack(parts: readonly BackfillPart[], nowMs: number): ReadonlyMap<AssetNode, RangeSet> {
  const look = new Look(parts, nowMs);
  for (const part of look.parts) look.at(part);
  return look.lost;
}

/** Walks the assets upstream first, and finds which of their partitions have to wait. */
class Look {
  readonly parts: readonly BackfillPart[];
  readonly chosen = new Map<AssetNode, RangeSet>();
  /** What waits for ever, of the assets that were looked at. */
  readonly lost = new Map<AssetNode, RangeSet>();
  readonly #byNode: ReadonlyMap<AssetNode, BackfillPart>;
  readonly #nowMs: number;

  constructor(parts: readonly BackfillPart[], nowMs: number) {
    this.parts = [...parts].sort((a, b) => a.node.index - b.node.index);
    this.#byNode = new Map(parts.map((part) => [part.node, part]));
    this.#nowMs = nowMs;
  }

  /** What of this asset has to wait for something of this backfill. */
  at(part: BackfillPart): RangeSet {
    const waiting = waitingOf(part);
    let held = rangeSet.empty;
    let lost = rangeSet.empty;
    for (const edge of part.node.upstream) {
      const upstream = this.#byNode.get(edge.upstream);
      if (upstream === undefined || upstream === part) continue;
      const made = rangeSet.union(upstream.succeeded, this.chosen.get(edge.upstream) ?? rangeSet.empty);
      const gone = rangeSet.union(fallenOf(upstream), this.lost.get(edge.upstream) ?? rangeSet.empty);
      const missing = rangeSet.difference(upstream.target, made);
      const isStrict = needsEvery(edge);
      // An edge that is content with some is left to the gate once nothing more comes.
      held = rangeSet.union(held, this.#readers(edge, isStrict ? missing : rangeSet.difference(missing, gone)));
      if (isStrict) lost = rangeSet.union(lost, this.#readers(edge, gone));
    }
    const own = part.node.upstream.filter((edge) => edge.upstream === part.node);
    const strict = own.filter(needsEvery);
    lost = this.#spread(strict, rangeSet.intersection(lost, waiting), fallenOf(part), waiting);
    held = this.#spread(own, rangeSet.intersection(rangeSet.union(held, lost), waiting), part.inFlight, waiting);
    this.lost.set(part.node, lost);
    return rangeSet.union(held, lost);
  }

  #readers({ mapping, upstream, downstream }: Edge, set: RangeSet): RangeSet {
    return downstreamPartitions(mapping, upstream.space, downstream.space, set, this.#nowMs);
  }

  /** `set`, and what of `waiting` reads it or `from` by these edges of an asset to itself, and what reads that. */
  #spread(own: readonly Edge[], set: RangeSet, from: RangeSet, waiting: RangeSet): RangeSet {
    let all = set;
    let news = rangeSet.union(set, from);
    while (own.length > 0 && news.length > 0) {
      let readers = rangeSet.empty;
      for (const edge of own) readers = rangeSet.union(readers, this.#readers(edge, news));
      news = rangeSet.difference(rangeSet.intersection(readers, waiting), all);
      all = rangeSet.union(all, news);
    }
    return all;
  }
}

/** True where one partition that is not made keeps the reader from being made. */
function needsEvery(edge: Edge): boolean {
  return edge.dependency.mode !== "lastValidated" && edge.atLeast === 0;
}

/** The first `count` of a set. */
function firstOf(set: RangeSet, count: number): RangeSet {
  const ranges: [number, number][] = [];
  let left = count;
  for (const [start, end] of set) {
    if (left <= 0) break;
    ranges.push([start, Math.min(end, start + left)]);
    left -= end - start;
  }
  return rangeSet.from(ranges);
}

/** With these partitions requested. */
export function requested(part: BackfillPart, set: RangeSet): BackfillPart {
  const added = rangeSet.intersection(set, part.target);
  return { ...without(part, added), inFlight: rangeSet.union(part.inFlight, added) };
}

/** With what became of partitions that were requested. */
export function settled(part: BackfillPart, outcome: PartOutcome, set: RangeSet): BackfillPart {
  const ended = rangeSet.intersection(set, part.target);
  const rest = without(part, ended);
  return { ...rest, [outcome]: rangeSet.union(rest[outcome], ended) };
}

/** With what failed, was blocked or canceled to be requested again. */
export function retried(part: BackfillPart): BackfillPart {
  return { ...part, failed: rangeSet.empty, blocked: rangeSet.empty, canceled: rangeSet.empty };
}

function without(part: BackfillPart, set: RangeSet): BackfillPart {
  return {
    ...part,
    inFlight: rangeSet.difference(part.inFlight, set),
    succeeded: rangeSet.difference(part.succeeded, set),
    failed: rangeSet.difference(part.failed, set),
    blocked: rangeSet.difference(part.blocked, set),
    canceled: rangeSet.difference(part.canceled, set),
  };
}

/** How a backfill ends of which nothing is in flight and nothing can be requested any more. */
export function endOf(parts: readonly BackfillPart[]): "succeeded" | "failed" | "blocked" | "canceled" {
  const has = (outcome: PartOutcome): boolean => parts.some((part) => part[outcome].length > 0);
  if (has("failed")) return "failed";
  if (has("canceled")) return "canceled";
  return has("blocked") ? "blocked" : "succeeded";
}
