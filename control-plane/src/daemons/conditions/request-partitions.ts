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
import { type ConditionRequest, type RequestedRead, writeRequests } from "../../storage/automation.ts";
import type { StoredEvaluation } from "../../storage/condition-evaluations.ts";
import { lockConditionStates } from "../../storage/condition-states.ts";
import { type NewRun, appendRunQueued, insertRuns } from "../../storage/create-run.ts";
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
 * Requests partitions: a run a team, in one transaction with what says that it was done. In the transaction, nothing that
 * matters can move any more: the states of the conditions are locked, so that no other daemon requests the same, and the
 * gates of all that is read stand still, so that none is closed.
 */
export async function requestPartitions(
  memory: ConditionMemory,
  wanted: readonly Wanted[],
  options: RequestOptions,
): Promise<RequestOutcome> {
  const nodes = [...new Set(wanted.map(({ node }) => node))];
  const outcome = await withTransaction(options.pool, async (tx): Promise<RequestOutcome> => {
    const revisions = await lockConditionStates(
      tx,
      nodes.map(({ key }) => key),
      nodes.flatMap((node) => node.upstream.map((edge) => edge.upstream.key)),
    );
    const moved = nodes.filter((node) => revisions.get(node.key) !== memory.stateOf(node).revision);
    if (moved.length > 0) {
      memory.doubtStates(moved.map(({ key }) => key));
      memory.doubt(wanted.filter(({ node }) => moved.includes(node)).map(placeOf));
      return { kind: "stale" };
    }
    const ready = await judged(tx, memory, wanted);
    if (ready === undefined) return { kind: "stale" };
    return write(tx, memory, nodes, ready, options);
  }).catch((error: unknown) => {
    if (!(error instanceof RequestedElsewhereError)) throw error;
    memory.doubt(wanted.map(placeOf));
    return { kind: "stale" } as const;
  });
  if (outcome.kind === "requested") {
    // That they are being made by now, the log says.
    for (const node of nodes) memory.remember(node, nextState(memory, node, requestedOf(wanted, node)));
  }
  return outcome;
}

/** Another daemon has requested the same, in whatever way. */
class RequestedElsewhereError extends Error {}

interface Ready {
  readonly view: GateView;
  readonly requests: readonly (Wanted & ConditionRequest)[];
}

/** Judges every request by what is recorded now; undefined if one of them is made already, or its gate is closed. */
async function judged(
  tx: pg.PoolClient,
  memory: ConditionMemory,
  wanted: readonly Wanted[],
): Promise<Ready | undefined> {
  const { nowMs } = memory.facts;
  const upstream = new Map<string, Place>();
  const partitions = new Map<Wanted, Map<Edge, readonly string[]>>();
  for (const one of wanted) {
    const byEdge = new Map<Edge, readonly string[]>();
    partitions.set(one, byEdge);
    for (const edge of one.node.upstream) {
      const keys = mappedPartitions(edge, one.ordinal, nowMs);
      byEdge.set(edge, keys);
      for (const partition of keys) {
        upstream.set(`${edge.upstream.key}\n${partition}`, { asset: edge.upstream.key, partition });
      }
    }
  }
  const { busy, versions } = await readRequestGround(tx, wanted.map(placeOf), [...upstream.values()]);
  const view: GateView = { versions: (asset, partition) => versions.get(`${asset}\n${partition}`) ?? [] };
  const requests: (Wanted & ConditionRequest)[] = [];
  const doubtful: Place[] = [];
  for (const one of wanted) {
    const partitionsOf = (edge: Edge): readonly string[] => partitions.get(one)?.get(edge) ?? [];
    const verdict = judgeGate(one.node.upstream, partitionsOf, view, new Map(), nowMs);
    if (verdict.kind !== "open" || busy.has(`${one.node.key}\n${one.partition}`)) {
      doubtful.push(placeOf(one));
      for (const edge of one.node.upstream) {
        doubtful.push(...partitionsOf(edge).map((partition) => ({ asset: edge.upstream.key, partition })));
      }
      continue;
    }
    const reads = one.node.upstream.flatMap((edge, n) =>
      (verdict.edges[n]?.versions ?? []).map((pinned) => readOf(memory, one, edge, pinned, view)),
    );
    requests.push({ ...one, ...requestOf(memory, one, reads) });
  }
  if (doubtful.length > 0) {
    memory.doubt(doubtful);
    return undefined;
  }
  return { view, requests };
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
  const blocked = memory.facts.asset(node).state(ordinal)?.blockedRun ?? "";
  const parts = [node.hash, ...reads.map(({ version }) => version), ...ticks.map(String), blocked];
  return {
    asset: node.key,
    partition,
    fingerprint: createHash("sha256").update(parts.join("\n")).digest("base64url"),
    definition: node.hash,
    evaluatedAtMs: memory.facts.nowMs,
    reads,
  };
}

async function write(
  tx: pg.PoolClient,
  memory: ConditionMemory,
  nodes: readonly AssetNode[],
  { view, requests }: Ready,
  options: RequestOptions,
): Promise<RequestOutcome> {
  const runs: NewRun[] = [];
  const evaluations: StoredEvaluation[] = [];
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
    evaluations.push(...targets.flatMap(({ node, set }) => requestingEvaluation(memory, node, set, id, options)));
    for (const { asset, partition, fingerprint, definition, evaluatedAtMs, reads } of ofTeam) {
      claims.push({ asset, partition, fingerprint, definition, evaluatedAtMs, reads, run: id });
    }
  }
  await insertRuns(tx, runs);
  const states = nodes.map((node) => storedState(node, nextState(memory, node, requestedOf(requests, node))));
  if ((await writeRequests(tx, { requests: claims, states, evaluations })) < claims.length) {
    throw new RequestedElsewhereError();
  }
  if (runs.length > 0) await appendRunQueued(tx, runs);
  return { kind: "requested", count: claims.length };
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
