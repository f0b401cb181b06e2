import { parseAssetKey } from "@headgate/model";
import type { AssetNode } from "../../domain/graph.ts";
import type { GateView } from "../../domain/gate.ts";
import { ancestors, why } from "../../domain/root-reasons.ts";
import { type QueueRules, noQueueRules, tagBucket } from "../../domain/run-queue.ts";
import { type StepFacts, type Wait, queueWaits, stepWaits, waitCommand, waitText } from "../../domain/wait.ts";
import { loadGateView } from "../../storage/gate-state.ts";
import { listHolders, listPools } from "../../storage/pools.ts";
import { countQueue } from "../../storage/queue-read.ts";
import { type RunRow, readRun } from "../../storage/runs-read.ts";
import { type WaitingStep, readPlace, readTagged, readWaitingSteps } from "../../storage/waits-read.ts";
import type { ApiContext } from "../api-context.ts";
import { presentReason } from "../present-reason.ts";
import { presentTimeOrNull } from "../present-run.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";

/** Steps that are told one by one, runs and steps that hold what one waits for. */
const stepsMax = 50;
const holdersMax = 5;

export const explainRoute: Pick<Handlers, "explainRun"> = {
  async explainRun(context, { params }) {
    const run = await readRun(context.db, params.id);
    if (run === undefined) {
      throw new Problem(
        "run.unknown",
        `There is no run ${params.id}.`,
        "`npx headgate run list` prints the newest runs.",
      );
    }
    const about = { run: run.id, state: run.state, team: run.team };
    if (run.ended_at !== null) return { ...about, holdsSlot: false, waits: [], steps: [], others: 0 };
    const queue = run.slot === "held" ? undefined : await queueWaitsOf(context, run);
    const shown = (wait: Wait) => presentWait(context, wait);
    // A run that has not started waits as a whole; of one that has, each step has its own reason.
    if (run.state === "queued") {
      return { ...about, holdsSlot: false, waits: (queue ?? []).map(shown), steps: [], others: run.step_count };
    }
    const { steps, others } = await readWaitingSteps(context.pool, run.id, stepsMax);
    const facts = await factsOf(context, run, steps, queue);
    return {
      ...about,
      holdsSlot: run.slot === "held",
      waits: run.slot === "wanted" ? (queue ?? []).map(shown) : [],
      steps: steps.map((step, n) => {
        const waits = stepWaits(facts[n] as StepFacts).map(shown);
        return { index: step.index, asset: step.asset, partition: step.partition, state: step.state, waits };
      }),
      others,
    };
  },
};

async function queueWaitsOf(context: ApiContext, run: RunRow): Promise<Wait[]> {
  const rules = context.workspace().queue ?? noQueueRules;
  const [place, counts, limits] = await Promise.all([
    readPlace(context.pool, run.id),
    countQueue(context.pool),
    limitsOf(context, rules, run),
  ]);
  const teams = counts.map(({ team, held, queued }) => ({ team, held, asking: queued }));
  return queueWaits(rules, { team: run.team, ...place, teams, limits });
}

/** The tag limits that concern the run. */
async function limitsOf(context: ApiContext, { tagLimits }: QueueRules, run: RunRow) {
  const concern = tagLimits.filter((limit, index) => tagBucket(limit, index, run.tags) !== undefined);
  return Promise.all(
    concern.map(async (limit) => {
      const own = limit.perValue ? run.tags[limit.key] : limit.value;
      const tagged = await readTagged(context.pool, limit, own, holdersMax);
      return { tag: own === undefined ? limit.key : `${limit.key}=${own}`, limit: limit.limit, ...tagged };
    }),
  );
}

async function factsOf(
  context: ApiContext,
  run: RunRow,
  steps: readonly WaitingStep[],
  queue: readonly Wait[] | undefined,
): Promise<StepFacts[]> {
  const nodes = steps.map(({ asset }) => {
    const key = parseAssetKey(asset);
    return key === undefined ? undefined : context.graph().asset(key);
  });
  const keys = ancestors(nodes.filter((node) => node !== undefined)).map(({ key }) => key);
  const [view, pools] = await Promise.all([loadGateView(context.pool, keys), readPools(context, nodes)]);
  const nowMs = context.now();
  return steps.map((step, n) => {
    const node = nodes[n];
    const pool = step.kind === "checks" ? undefined : pools.get(node?.definition.pool ?? "");
    return {
      retrying: step.state === "retrying",
      attempts: step.attempts,
      location: {
        name: step.location,
        state: step.location_state ?? "unreachable",
        ...(step.last_seen_at === null ? {} : { lastSeenMs: step.last_seen_at.getTime() }),
        inFlight: step.in_flight,
      },
      ...(step.busy_run === null || step.busy_run === run.id
        ? {}
        : { inTheWay: { run: step.busy_run, about: nameOf(step) } }),
      reasons: step.kind === "checks" || node === undefined ? [] : gateReasons(context, node, step, view, nowMs),
      ...(pool === undefined ? {} : { pool }),
      ...(queue === undefined ? {} : { queue }),
    };
  });
}

function gateReasons(context: ApiContext, node: AssetNode, { partition }: WaitingStep, view: GateView, nowMs: number) {
  return why(context.graph(), node, partition, view, nowMs);
}

/** The pools with a limit that these assets name, each with who holds its slots. */
async function readPools(context: ApiContext, nodes: readonly (AssetNode | undefined)[]) {
  const named = new Set(nodes.flatMap((node) => node?.definition.pool ?? []));
  const pools = new Map<string, NonNullable<StepFacts["pool"]>>();
  if (named.size === 0) return pools;
  for (const { name, slots, held } of await listPools(context.pool)) {
    if (slots === null || !named.has(name)) continue;
    const holders = await listHolders(context.pool, name, holdersMax);
    pools.set(name, {
      name,
      slots,
      held,
      holders: holders.map((holder) => ({ run: holder.run, about: nameOf(holder) })),
    });
  }
  return pools;
}

function nameOf({ asset, partition }: { readonly asset: string; readonly partition: string }): string {
  return partition === "" ? asset : `${asset} ${partition}`;
}

function presentWait(context: ApiContext, wait: Wait) {
  return {
    kind: wait.kind,
    message: waitText(wait),
    command: waitCommand(wait),
    runs:
      wait.kind === "tagLimit"
        ? [...wait.runs]
        : wait.kind === "pool"
          ? wait.holders.map(({ run }) => run)
          : wait.kind === "attempt"
            ? [wait.run]
            : [],
    since:
      wait.kind === "location" && wait.lastSeenMs !== undefined ? presentTimeOrNull(new Date(wait.lastSeenMs)) : null,
    reasons: wait.kind === "gate" ? wait.reasons.map((reason) => presentReason(context, reason)) : [],
  };
}
