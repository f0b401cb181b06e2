import { createHash } from "node:crypto";
import { rangeSet } from "@headgate/model";
import type pg from "pg";
import { cronsOf } from "../../domain/conditions/condition.ts";
import { lastTickMs } from "../../domain/conditions/cron-ticks.ts";
import { explain } from "../../domain/conditions/explain.ts";
import { type GateView, type PinnedVersion, type VersionView, judge, judgeGate } from "../../domain/gate.ts";
import type { AssetNode, Edge } from "../../domain/graph.ts";
import { requiredChecks } from "../../domain/graph.ts";
import { planSteps } from "../../domain/plan.ts";
import { mappedPartitions } from "../../domain/root-reasons.ts";
import { type ConditionRequest, type RequestedRead, requestRuns } from "../../storage/automation.ts";
import type { StoredEvaluation } from "../../storage/condition-evaluations.ts";
import { lockConditionStates } from "../../storage/condition-states.ts";
import type { NewRun } from "../../storage/create-run.ts";
import { withTransaction } from "../../storage/database.ts";
import { type Place, readRequestGround } from "../../storage/partition-facts.ts";
import type { ConditionMemory } from "./condition-memory.ts";
import { nextState, storedState } from "./state-change.ts";

/** One partition that a condition requests. */
export interface Wanted {
  readonly node: AssetNode;
  readonly ordinal: number;
  readonly partition: string;
}

export interface RequestOptions {
  readonly pool: pg.Pool;
  readonly newId: () => string;
  /** No plan can be made for these, as long as definitions are what they are. */
  readonly refused: (nodes: readonly AssetNode[], error: Error) => void;
}

export type RequestOutcome =
  | { readonly kind: "requested"; readonly count: number }
  /** Something was other than remembered; what was in doubt is read again. */
  | { readonly kind: "stale" };

/**
 * Requests partitions: a run a team, in one transaction with what says that it was done. In the transaction nothing that
 * matters can move any more: the states of the conditions are locked, so that no other daemon requests the same, and the
 * gates of all that is read stand still, so that none is closed. Memory is judged first, and the database compares gate
 * epochs; where one has moved, everything is judged once more by what is recorded.
 */
export async function requestPartitions(
  memory: ConditionMemory,
  wanted: readonly Wanted[],
  options: RequestOptions,
): Promise<RequestOutcome> {
  const nodes = [...new Set(wanted.map(({ node }) => node))];
  const remembered = judged(memory, wanted, { versions: memory.facts, busy: new Set() });
  const claimed =
    (remembered.kind === "ready"
      ? await write(options.pool, memory, nodes, remembered, gatesOf(memory, nodes), options)
      : undefined) ?? (await requestOnFreshGround(memory, wanted, nodes, options));
  if (claimed === undefined) return { kind: "stale" };
  // That they are being made by now, the log says.
  for (const node of nodes) memory.remember(node, nextState(memory, node, requestedOf(claimed, node)));
  return { kind: "requested", count: claimed.length };
}

/** Undefined: something is other than remembered; what was in doubt is read again. */
async function requestOnFreshGround(
  memory: ConditionMemory,
  wanted: readonly Wanted[],
  nodes: readonly AssetNode[],
  options: RequestOptions,
): Promise<readonly Wanted[] | undefined> {
  const upstream = nodes.flatMap((node) => node.upstream.map((edge) => edge.upstream.key));
  const keys = nodes.map(({ key }) => key);
  return withTransaction(options.pool, async (tx) => {
    const revisions = await lockConditionStates(tx, keys, upstream);
    const moved = nodes.filter((node) => revisions.get(node.key) !== memory.stateOf(node).revision);
    if (moved.length > 0) {
      memory.doubtStates(moved.map(({ key }) => key));
      memory.doubt(wanted.filter(({ node }) => moved.includes(node)).map(placeOf));
      return undefined;
    }
    const { busy, versions } = await readRequestGround(tx, wanted.map(placeOf), placesRead(memory, wanted));
    const view: GateView = { versions: (asset, partition) => versions.get(`${asset}\n${partition}`) ?? [] };
    const fresh = judged(memory, wanted, { versions: view, busy });
    if (fresh.kind === "doubtful") {
      memory.doubt(fresh.places);
      return undefined;
    }
    const claimed = await write(tx, memory, nodes, fresh, {}, options);
    if (claimed === undefined) memory.doubt(wanted.map(placeOf));
    return claimed;
  });
}

interface Ready {
  readonly kind: "ready";
  readonly view: GateView;
  readonly requests: readonly (Wanted & ConditionRequest)[];
}

/** Judges every request; doubtful if one of them is made already, or its gate is closed. */
function judged(
  memory: ConditionMemory,
  wanted: readonly Wanted[],
  { versions: view, busy }: { readonly versions: GateView; readonly busy: ReadonlySet<string> },
): Ready | { readonly kind: "doubtful"; readonly places: readonly Place[] } {
  const { nowMs } = memory.facts;
  const requests: (Wanted & ConditionRequest)[] = [];
  const doubtful: Wanted[] = [];
  for (const one of wanted) {
    const partitionsOf = (edge: Edge): readonly string[] => mappedPartitions(edge, one.ordinal, nowMs);
    const verdict = judgeGate(one.node.upstream, partitionsOf, view, new Map(), nowMs);
    if (verdict.kind !== "open" || busy.has(`${one.node.key}\n${one.partition}`)) {
      doubtful.push(one);
      continue;
    }
    const reads = one.node.upstream.flatMap((edge, n) =>
      (verdict.edges[n]?.versions ?? []).map((pinned) => readOf(memory, one, edge, pinned, view)),
    );
    requests.push({ ...one, ...requestOf(memory, one, reads) });
  }
  if (doubtful.length === 0) return { kind: "ready", view, requests };
  return { kind: "doubtful", places: [...doubtful.map(placeOf), ...placesRead(memory, doubtful)] };
}

/** What these would read, each once. */
function placesRead(memory: ConditionMemory, wanted: readonly Wanted[]): readonly Place[] {
  const places = new Map<string, Place>();
  for (const { node, ordinal } of wanted) {
    for (const edge of node.upstream) {
      for (const partition of mappedPartitions(edge, ordinal, memory.facts.nowMs)) {
        places.set(`${edge.upstream.key}\n${partition}`, { asset: edge.upstream.key, partition });
      }
    }
  }
  return [...places.values()];
}

/** The gate epochs that what is remembered of everything upstream stands on. */
function gatesOf(memory: ConditionMemory, nodes: readonly AssetNode[]): Readonly<Record<string, number>> {
  const keys = nodes.flatMap((node) => node.upstream.map((edge) => edge.upstream.key));
  return Object.fromEntries(keys.map((key) => [key, memory.epoch(key)]));
}

/** What will be read through an edge, with the open versions that it stands for, too. */
function readOf(
  memory: ConditionMemory,
  { node, ordinal }: Wanted,
  edge: Edge,
  { version }: PinnedVersion,
  view: GateView,
): RequestedRead {
  const { partition } = version;
  const handled = (memory.facts.asset(node).state(ordinal)?.handled ?? [])
    .filter((one) => one.asset === edge.upstream.key && one.partition === partition)
    .reduce((newest, { seq }) => Math.max(newest, seq), 0);
  const required = requiredChecks(edge.upstream, node.team);
  const between = ({ seq }: VersionView): boolean => handled > 0 && seq > handled && seq < version.seq;
  const coalesced = (view.versions(edge.upstream.key, partition) ?? [])
    .filter((known) => between(known) && judge(edge.upstream.key, known, required, memory.facts.nowMs).open)
    .map(({ id }) => id);
  return {
    asset: edge.upstream.key,
    partition,
    version: version.id,
    seq: version.seq,
    ...(coalesced.length === 0 ? {} : { coalesced }),
  };
}

function requestOf(memory: ConditionMemory, one: Wanted, reads: readonly RequestedRead[]): ConditionRequest {
  const { node, ordinal, partition } = one;
  const { automation } = node.definition;
  const crons = automation === undefined ? [] : cronsOf(automation);
  const ticks = crons.map((cron) => lastTickMs(cron, memory.facts.nowMs));
  // Whoever knows the same newest request says the same, once; after another one it may be said again, such as when a
  // definition comes back.
  const after = memory.facts.asset(node).state(ordinal)?.lastRun ?? "";
  const parts = [node.hash, ...reads.map(({ version }) => version), ...ticks.map(String), after];
  return {
    asset: node.key,
    partition,
    fingerprint: createHash("sha256").update(parts.join("\n")).digest("base64url"),
    definition: node.hash,
    evaluatedAtMs: memory.facts.nowMs,
    reads,
  };
}

/** What was requested; undefined: nothing was written, since something has moved. */
async function write(
  db: Pick<pg.Pool | pg.PoolClient, "query">,
  memory: ConditionMemory,
  nodes: readonly AssetNode[],
  { view, requests }: Ready,
  gates: Readonly<Record<string, number>>,
  options: RequestOptions,
): Promise<readonly Wanted[] | undefined> {
  const runs: NewRun[] = [];
  const evaluations: StoredEvaluation[] = [];
  const claimed: Wanted[] = [];
  const claims: (ConditionRequest & { run: string })[] = [];
  for (const [team, ofTeam] of groupBy(requests, ({ node }) => node.team)) {
    const id = options.newId();
    const byNode = groupBy(ofTeam, ({ node }) => node);
    const targets = [...byNode].map(([node, ofNode]) => {
      return { node, set: rangeSet.from(ofNode.map(({ ordinal }) => ordinal)) };
    });
    const planned = planSteps(memory.graph, targets, view, memory.facts.nowMs);
    if (!planned.ok) {
      options.refused(
        targets.map(({ node }) => node),
        new Error(`${planned.code}: ${planned.message}`),
      );
      continue;
    }
    const selection = targets.map(({ node }) => node.key).join(" or ");
    runs.push({ id, source: "automation", actor: `automation:${team}`, selection, plan: planned.plan });
    claimed.push(...ofTeam);
    evaluations.push(...targets.flatMap(({ node, set }) => requestingEvaluation(memory, node, set, id, options)));
    for (const { asset, partition, fingerprint, definition, evaluatedAtMs, reads } of ofTeam) {
      claims.push({ asset, partition, fingerprint, definition, evaluatedAtMs, reads, run: id });
    }
  }
  const written = await requestRuns(db, {
    revisions: Object.fromEntries(nodes.map((node) => [node.key, memory.stateOf(node).revision])),
    gates,
    runs,
    requests: claims,
    states: nodes.map((node) => storedState(node, nextState(memory, node, requestedOf(claimed, node)))),
    evaluations,
  });
  return written ? claimed : undefined;
}

function requestingEvaluation(
  memory: ConditionMemory,
  node: AssetNode,
  set: readonly (readonly [number, number])[],
  runId: string,
  { newId }: RequestOptions,
): StoredEvaluation[] {
  const evaluation = memory.evaluation(node);
  if (evaluation === undefined) return [];
  return [
    {
      id: newId(),
      asset: node.key,
      evaluatedAtMs: memory.facts.nowMs,
      requestedCount: rangeSet.size(set),
      runId,
      explanation: explain(node.space, evaluation.truth),
    },
  ];
}

function requestedOf(wanted: readonly Wanted[], node: AssetNode) {
  return rangeSet.from(wanted.filter((one) => one.node === node).map(({ ordinal }) => ordinal));
}

function placeOf({ node, partition }: Wanted): Place {
  return { asset: node.key, partition };
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
