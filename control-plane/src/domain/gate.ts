import type { AssetKey } from "@headgate/model";
import type { CheckNode, Edge } from "./graph.ts";
import { requiredChecks } from "./graph.ts";
import type { Reason } from "./reason.ts";

/*
 * The gate: may a step read these versions? One pure function, asked when a run is planned, when a step becomes ready
 * and once more for the transaction that leases it. Unknown is closed.
 */

/** One metadata entry as it was reported. */
export interface MetadataView {
  readonly name: string;
  readonly kind: string;
  readonly value: unknown;
}

/** The newest result of one version of a check for one version of an asset. */
export interface ResultView {
  readonly id: string;
  readonly team: string;
  readonly name: string;
  readonly checkVersion: number;
  readonly outcome: "passed" | "warned" | "failed" | "errored";
  /** Null: it was reported by API. */
  readonly runId: string | null;
  readonly seq: number;
  readonly description: string;
  readonly metadata: readonly MetadataView[];
}

/** A waiver that was neither revoked nor seen to have ended; whether `untilMs` has passed is judged at every use. */
export interface WaiverView {
  readonly id: string;
  readonly team: string;
  readonly name: string;
  readonly reason: string;
  readonly actor: string;
  readonly untilMs: number;
}

/** Where a value is; see ValueReference in session.proto. */
export interface ValueView {
  readonly scheme: string;
  readonly place: string;
  readonly mediaType: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

/** One version with all that the gate judges it by, as the SQL function version_state() returns it. */
export interface VersionView {
  readonly id: string;
  readonly seq: number;
  readonly partition: string;
  /** Null: it was reported by API. */
  readonly runId: string | null;
  readonly createdAtMs: number;
  readonly dataVersion: string;
  readonly codeVersion: string;
  readonly value: ValueView | null;
  readonly metadata: readonly MetadataView[];
  /** Waivers under which it, or anything upstream of it, was read. */
  readonly waivers: readonly string[];
  readonly results: readonly ResultView[];
  readonly liveWaivers: readonly WaiverView[];
}

export type VersionState = "unchecked" | "pending" | "passed" | "failed" | "errored" | "waived";

export interface Judgement {
  readonly state: VersionState;
  readonly open: boolean;
  /** Why it is not open; empty when it is. */
  readonly reasons: readonly Reason[];
  /** Checks that have no result of their current version. */
  readonly missing: readonly CheckNode[];
  /** Ids of the waivers that it is open by. */
  readonly waivers: readonly string[];
}

/** Reads versions for the gate; the planner gets a reader, never a writer. */
export interface GateView {
  /** Of one partition, newest first, discarded ones left out; undefined: not known to this reader yet. */
  versions(asset: AssetKey, partition: string): readonly VersionView[] | undefined;
}

/** Compute reports its verdicts with the version: one that is not there by then will not come. */
const verdictWithinMs = 10_000;

const precedence = { failed: 0, errored: 1, pending: 2 } as const;

/** The state of a version by these checks. Source: semantics, "The gate", states and precedence. */
export function judge(asset: AssetKey, version: VersionView, required: readonly CheckNode[], nowMs: number): Judgement {
  const reasons: Reason[] = [];
  const missing: CheckNode[] = [];
  const waivers: string[] = [];
  let worst: keyof typeof precedence | undefined;
  let judged = 0;
  for (const check of required) {
    if (check.definition.newVersionsOnly && version.createdAtMs < check.firstSeenMs) continue;
    judged++;
    const current = version.results.find((r) => isResultOf(r, check));
    if (current?.outcome === "passed" || current?.outcome === "warned") continue;
    const waiver = version.liveWaivers.find((w) => w.team === check.team && w.name === check.name && w.untilMs > nowMs);
    if (waiver !== undefined) {
      waivers.push(waiver.id);
      continue;
    }
    const about = {
      asset,
      partition: version.partition,
      version: version.id,
      ...(version.runId === null ? { external: true as const } : { run: version.runId }),
      team: check.team,
      check: check.name,
      ...(check.definition.reportedBy === undefined ? {} : { reportedBy: check.definition.reportedBy }),
    };
    let state: keyof typeof precedence;
    if (current === undefined) {
      state = "pending";
      missing.push(check);
      const comes = check.definition.reportedBy !== "compute" || nowMs - version.createdAtMs < verdictWithinMs;
      reasons.push({ kind: comes ? "pending" : "checkNotRun", ...about });
    } else if (current.outcome === "failed") {
      state = "failed";
      const { description, metadata } = current;
      reasons.push({ kind: "checkFailed", ...about, result: current.id, description, metadata });
    } else {
      state = "errored";
      reasons.push({ kind: "checkErrored", ...about, result: current.id, description: current.description });
    }
    if (worst === undefined || precedence[state] < precedence[worst]) worst = state;
  }
  if (worst !== undefined) return { state: worst, open: false, reasons, missing, waivers };
  const state = judged === 0 ? "unchecked" : waivers.length > 0 ? "waived" : "passed";
  return { state, open: true, reasons, missing, waivers };
}

/** Whether it is a result of the check's current version. */
export function isResultOf(result: ResultView, { team, name, definition }: CheckNode): boolean {
  return result.team === team && result.name === name && result.checkVersion === definition.version;
}

/** A version that a step will read through an edge. */
export interface PinnedVersion {
  readonly version: VersionView;
  /** The waivers it is open by, and those that it inherited. */
  readonly waivers: readonly string[];
}

/** A version that waits for checks, and which. */
export interface PendingVersion {
  readonly asset: AssetKey;
  readonly version: VersionView;
  readonly missing: readonly CheckNode[];
  /** The step waits for this version and no newer one. */
  readonly pinned: boolean;
}

export type EdgeVerdict =
  | { readonly kind: "open"; readonly versions: readonly PinnedVersion[]; readonly leftOut: readonly string[] }
  /** Checks are outstanding; `pending` says which. */
  | { readonly kind: "wait"; readonly reasons: readonly Reason[]; readonly pending: readonly PendingVersion[] }
  | { readonly kind: "closed"; readonly reasons: readonly Reason[] }
  /** The reader does not know this upstream asset yet. */
  | { readonly kind: "unknown"; readonly asset: AssetKey };

/** Versions that a run has read before: it reads the same again, so that a diamond does not mix versions. */
export type Pins = ReadonlyMap<string, string>;

export function pinKey(asset: AssetKey, partition: string): string {
  return `${asset}\n${partition}`;
}

/**
 * Judges one edge of one step.
 *
 * @param partitions the mapped upstream partition keys, in order, as resolved when the run was created
 */
export function judgeEdge(
  edge: Edge,
  partitions: readonly string[],
  view: GateView,
  pins: Pins,
  nowMs: number,
): EdgeVerdict {
  const { upstream, downstream, dependency } = edge;
  const required = requiredChecks(upstream, downstream.team);
  const versions: PinnedVersion[] = [];
  const leftOut: string[] = [];
  const reasons: Reason[] = [];
  const pending: PendingVersion[] = [];
  /** Partitions of what has no versions and no check that gates: there is nothing to read, and nothing to wait for. */
  let unversioned = 0;
  for (const partition of partitions) {
    const known = view.versions(upstream.key, partition);
    if (known === undefined) return { kind: "unknown", asset: upstream.key };
    if (known.length === 0 && required.length === 0 && upstream.definition.external?.unversioned === true) {
      unversioned++;
      continue;
    }
    const pin = pins.get(pinKey(upstream.key, partition));
    const pinned = pin === undefined ? undefined : known.find((v) => v.id === pin);
    const lastValidated = dependency.mode === "lastValidated";
    const candidates = pinned !== undefined ? [pinned] : lastValidated ? known : known.slice(0, 1);
    const failed =
      pinned === undefined || lastValidated ? undefined : failedSince(upstream.key, known, pinned, required, nowMs);
    if (failed !== undefined) {
      leftOut.push(partition);
      reasons.push(...failed.reasons);
      continue;
    }
    let newest: Judgement | undefined;
    let chosen: PinnedVersion | undefined;
    for (const version of candidates) {
      const judgement = judge(upstream.key, version, required, nowMs);
      newest ??= judgement;
      if (!judgement.open) continue;
      chosen = { version, waivers: [...new Set([...judgement.waivers, ...version.waivers])] };
      break;
    }
    if (chosen !== undefined) {
      versions.push(chosen);
      continue;
    }
    leftOut.push(partition);
    const first = candidates[0];
    if (first === undefined || newest === undefined) {
      const external = upstream.definition.external === undefined ? {} : { external: true as const };
      reasons.push({ kind: "neverMaterialized", asset: upstream.key, partition, ...external });
    } else {
      reasons.push(...newest.reasons);
      if (newest.reasons.every((reason) => reason.kind === "pending")) {
        pending.push({ asset: upstream.key, version: first, missing: newest.missing, pinned: !lastValidated });
      }
    }
  }
  const needed = neededOf(edge, partitions.length);
  if (versions.length + unversioned >= needed) return { kind: "open", versions, leftOut };
  if (versions.length + unversioned + pending.length >= needed) return { kind: "wait", reasons, pending };
  // What is merely pending would not be enough: say what is shut.
  const shut = reasons.filter((reason) => reason.kind !== "pending");
  if (shut.length === 0) {
    const partition = partitions[0] ?? "";
    const open = versions.length + unversioned;
    return { kind: "closed", reasons: [{ kind: "noValidatedVersion", asset: upstream.key, partition, open, needed }] };
  }
  return { kind: "closed", reasons: shut };
}

/**
 * How many partitions must be open of `mapped` that an edge leads to. An asset that reads itself has nothing before its
 * start, so that its first partitions need no more than there are.
 */
export function neededOf(edge: Edge, mapped: number): number {
  if (edge.atLeast !== 0) return edge.upstream === edge.downstream ? Math.min(edge.atLeast, mapped) : edge.atLeast;
  // No partition to read yet is not the same as nothing to read: only a window may reach to before the first one.
  return mapped === 0 && edge.mapping.kind !== "window" ? 1 : mapped;
}

/** The newest version after the pinned one that failed: whoever reads strictly is blocked by it, too. */
function failedSince(
  asset: AssetKey,
  known: readonly VersionView[],
  pinned: VersionView,
  required: readonly CheckNode[],
  nowMs: number,
): Judgement | undefined {
  for (const version of known) {
    if (version.seq <= pinned.seq) return undefined;
    const judgement = judge(asset, version, required, nowMs);
    if (judgement.state === "failed") return judgement;
  }
  return undefined;
}

/** The verdict over all edges of a step. Closed before waiting: nobody waits for what cannot open. */
export type GateVerdict =
  | { readonly kind: "open"; readonly edges: readonly Extract<EdgeVerdict, { kind: "open" }>[] }
  | { readonly kind: "wait"; readonly reasons: readonly Reason[]; readonly pending: readonly PendingVersion[] }
  | { readonly kind: "closed"; readonly reasons: readonly Reason[] }
  | { readonly kind: "unknown"; readonly assets: readonly AssetKey[] };

/** Judges all edges of a step; `partitionsOf` gives the mapped partition keys of each edge. */
export function judgeGate(
  edges: readonly Edge[],
  partitionsOf: (edge: Edge) => readonly string[],
  view: GateView,
  pins: Pins,
  nowMs: number,
): GateVerdict {
  const open: Extract<EdgeVerdict, { kind: "open" }>[] = [];
  const closed: Reason[] = [];
  const waiting: Reason[] = [];
  const pending: PendingVersion[] = [];
  const unknown: AssetKey[] = [];
  for (const edge of edges) {
    const verdict = judgeEdge(edge, partitionsOf(edge), view, pins, nowMs);
    switch (verdict.kind) {
      case "open":
        open.push(verdict);
        break;
      case "wait":
        waiting.push(...verdict.reasons);
        pending.push(...verdict.pending);
        break;
      case "closed":
        closed.push(...verdict.reasons);
        break;
      case "unknown":
        unknown.push(verdict.asset);
        break;
    }
  }
  if (unknown.length > 0) return { kind: "unknown", assets: unknown };
  if (closed.length > 0) return { kind: "closed", reasons: closed };
  if (waiting.length > 0) return { kind: "wait", reasons: waiting, pending };
  return { kind: "open", edges: open };
}
