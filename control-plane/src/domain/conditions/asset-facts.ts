import { type RangeSet, rangeSet } from "@headgate/model";
import { type VersionState, judge } from "../gate.ts";
import type { AssetNode, Edge } from "../graph.ts";
import { requiredChecks } from "../graph.ts";
import type { PartitionState } from "./partition-state.ts";
import { TimeIndex } from "./time-index.ts";

/** What is true or false of a partition, whoever looks. */
const factNames = [
  "present",
  "inProgress",
  "checking",
  "failed",
  "checkPending",
  "checkFailed",
  "codeVersionChanged",
  "requested",
] as const;
type FactName = (typeof factNames)[number];

/** What readers of one team may read of an asset, by the mode of their edges. */
export class Reading {
  readonly team: string;
  readonly lastValidated: boolean;
  /** Partitions that may be read. */
  open: RangeSet = rangeSet.empty;
  /** Those of them that have a version to read: what has none by nature is open and has none. */
  readable: RangeSet = rangeSet.empty;
  /** Sequence number of the version that would be read. */
  readonly seqs = new Map<number, number>();
  /** When that version became open. */
  readonly openedAtMs = new TimeIndex();

  constructor(team: string, lastValidated: boolean) {
    this.team = team;
    this.lastValidated = lastValidated;
  }
}

/** Range sets over the partitions of one asset, kept partition by partition. */
export class AssetFacts {
  readonly node: AssetNode;
  readonly #sets: Record<FactName, RangeSet>;
  readonly #states = new Map<number, PartitionState>();
  readonly #readings = new Map<string, Reading>();
  /** When it was last requested or made, and requested. */
  readonly handledAtMs = new TimeIndex();
  readonly requestedAtMs = new TimeIndex();
  /** Sequence number of the newest version. */
  readonly madeAtSeq = new TimeIndex();

  constructor(node: AssetNode) {
    this.node = node;
    this.#sets = Object.fromEntries(factNames.map((name) => [name, rangeSet.empty])) as Record<FactName, RangeSet>;
  }

  set(name: FactName): RangeSet {
    return this.#sets[name];
  }

  state(ordinal: number): PartitionState | undefined {
    return this.#states.get(ordinal);
  }

  get known(): Iterable<readonly [ordinal: number, state: PartitionState]> {
    return this.#states;
  }

  /** What the reader of an edge may read; to be asked for before the first state is set. */
  reading({ dependency, downstream }: Edge): Reading {
    const lastValidated = dependency.mode === "lastValidated";
    const key = `${downstream.team} ${String(lastValidated)}`;
    let reading = this.#readings.get(key);
    if (reading === undefined) this.#readings.set(key, (reading = new Reading(downstream.team, lastValidated)));
    return reading;
  }

  /** Replaces what is known of every partition. */
  fill(states: ReadonlyMap<number, PartitionState>, nowMs: number): void {
    this.#states.clear();
    const members = new Map<FactName, number[]>(factNames.map((name) => [name, []]));
    for (const [ordinal, state] of states) {
      this.#states.set(ordinal, state);
      const facts = this.#factsOf(state, nowMs);
      for (const name of factNames) if (facts[name]) members.get(name)?.push(ordinal);
    }
    for (const name of factNames) this.#sets[name] = rangeSet.from(members.get(name) ?? []);
    this.#fillTimes();
    for (const reading of this.#readings.values()) this.#fillReading(reading, nowMs);
  }

  /** Replaces what is known of one partition. */
  update(ordinal: number, state: PartitionState, nowMs: number): void {
    this.#states.set(ordinal, state);
    const facts = this.#factsOf(state, nowMs);
    for (const name of factNames) this.#sets[name] = withMember(this.#sets[name], ordinal, facts[name]);
    this.handledAtMs.set(ordinal, handledAt(state));
    this.requestedAtMs.set(ordinal, state.request?.atMs);
    this.madeAtSeq.set(ordinal, state.versions[0]?.seq);
    for (const reading of this.#readings.values()) {
      const found = this.#readableOf(reading, state, nowMs);
      reading.open = withMember(reading.open, ordinal, found !== undefined);
      reading.readable = withMember(reading.readable, ordinal, found !== undefined && found.seq > 0);
      if (found === undefined || found.seq === 0) reading.seqs.delete(ordinal);
      else reading.seqs.set(ordinal, found.seq);
      reading.openedAtMs.set(ordinal, found?.openedAtMs);
    }
  }

  #factsOf(state: PartitionState, nowMs: number): Record<FactName, boolean> {
    const { node } = this;
    const newest = state.versions[0];
    const verdict: VersionState | undefined =
      newest === undefined ? undefined : judge(node.key, newest, requiredChecks(node, node.team), nowMs).state;
    return {
      present: newest !== undefined,
      inProgress: state.inProgress,
      checking: state.checking,
      failed: state.failedAtMs !== undefined && state.failedAtMs > (newest?.createdAtMs ?? -Infinity),
      checkPending: verdict === "pending",
      checkFailed: verdict === "failed",
      codeVersionChanged: newest !== undefined && newest.codeVersion !== node.definition.codeVersion,
      requested: state.request !== undefined && state.request.definition === node.hash,
    };
  }

  #fillTimes(): void {
    const pick = (index: TimeIndex, valueOf: (state: PartitionState) => number | undefined): void => {
      const values: [number, number][] = [];
      for (const [ordinal, state] of this.#states) {
        const value = valueOf(state);
        if (value !== undefined) values.push([ordinal, value]);
      }
      index.fill(values);
    };
    pick(this.handledAtMs, handledAt);
    pick(this.requestedAtMs, (state) => state.request?.atMs);
    pick(this.madeAtSeq, (state) => state.versions[0]?.seq);
  }

  #fillReading(reading: Reading, nowMs: number): void {
    const open: number[] = [];
    const times: [number, number][] = [];
    reading.seqs.clear();
    for (const [ordinal, state] of this.#states) {
      const found = this.#readableOf(reading, state, nowMs);
      if (found === undefined) continue;
      open.push(ordinal);
      if (found.seq > 0) reading.seqs.set(ordinal, found.seq);
      times.push([ordinal, found.openedAtMs]);
    }
    reading.open = rangeSet.from(open);
    reading.readable = rangeSet.from(reading.seqs.keys());
    reading.openedAtMs.fill(times);
  }

  /** The version that would be read: as `judgeEdge` chooses it where nothing is pinned. */
  #readableOf(
    { team, lastValidated }: Reading,
    { versions }: PartitionState,
    nowMs: number,
  ): { readonly seq: number; readonly openedAtMs: number } | undefined {
    const required = requiredChecks(this.node, team);
    for (const version of lastValidated ? versions : versions.slice(0, 1)) {
      if (!judge(this.node.key, version, required, nowMs).open) continue;
      return { seq: version.seq, openedAtMs: version.judgedAtMs };
    }
    return undefined;
  }

  /** Partitions that are open though nothing is known of them: of what has no versions, and no check that gates. */
  openUnseen(team: string, nowMs: number): RangeSet {
    const { external } = this.node.definition;
    if (external?.unversioned !== true || requiredChecks(this.node, team).length > 0) return rangeSet.empty;
    return rangeSet.difference(rangeSet.range(0, this.node.space.count(nowMs)), this.#sets.present);
  }
}

function handledAt(state: PartitionState): number | undefined {
  const times = [state.request?.atMs, state.versions[0]?.createdAtMs].filter((at) => at !== undefined);
  return times.length === 0 ? undefined : Math.max(...times);
}

function withMember(set: RangeSet, ordinal: number, member: boolean): RangeSet {
  if (rangeSet.has(set, ordinal) === member) return set;
  return member ? rangeSet.union(set, rangeSet.of(ordinal)) : rangeSet.difference(set, rangeSet.of(ordinal));
}
