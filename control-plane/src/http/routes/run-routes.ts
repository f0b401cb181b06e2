import type { Kysely } from "kysely";
import type pg from "pg";
import type { Graph } from "../../domain/graph.ts";
import { plan } from "../../domain/plan.ts";
import { planChecks } from "../../domain/plan-checks.ts";
import { type PlanRequest, planTargets } from "../../domain/plan-targets.ts";
import type { Plan } from "../../domain/planned-step.ts";
import { remedies } from "../../domain/reason-text.ts";
import { stepIdentity, withoutSucceeded } from "../../domain/retry-plan.ts";
import { requestCancel } from "../../storage/cancel-run.ts";
import { type NewRun, appendRunQueued, insertRun } from "../../storage/create-run.ts";
import { listRunEvents } from "../../storage/events-read.ts";
import { listLogs } from "../../storage/logs-read.ts";
import { onTransaction } from "../../storage/on-transaction.ts";
import { type RunRow, listRuns, readRun } from "../../storage/runs-read.ts";
import type { Schema } from "../../storage/schema.ts";
import { assetsOfRun, countSteps, lastAttempts, listSteps, succeededSteps } from "../../storage/steps-read.ts";
import type { ApiContext } from "../api-context.ts";
import { encodeCursor, idCursor, indexCursor, numberCursor, numbersCursor } from "../cursor.ts";
import { findAsset, keysSelection, withoutStatus } from "../find-asset.ts";
import { checkConfig } from "../check-config.ts";
import { type Change, mutate } from "../mutation.ts";
import { planProblem, viewFor } from "../plan-view.ts";
import { presentReason } from "../present-reason.ts";
import { type RunAnswer, presentEvent, presentLog, presentRun, presentRuns, presentStep } from "../present-run.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";

type RunRouteName =
  | "plan"
  | "createRun"
  | "listRuns"
  | "getRun"
  | "listSteps"
  | "listRunEvents"
  | "listRunLogs"
  | "cancelRun"
  | "retryRun"
  | "runChecks";

async function findRun(context: ApiContext, id: string): Promise<RunRow> {
  const row = await readRun(context.db, id);
  if (row === undefined) {
    throw new Problem("run.unknown", `There is no run ${id}.`, "`npx headgate run list` prints the newest runs.");
  }
  return row;
}

/** Plans on a fresh reading of the gates. */
async function planNow(
  db: Pick<pg.Pool | pg.PoolClient, "query">,
  graph: Graph,
  request: PlanRequest,
  nowMs: number,
): Promise<Plan> {
  const targets = planTargets(graph, request, nowMs);
  if (!targets.ok) throw planProblem(targets);
  const result = plan(graph, request, await viewFor(db, targets.targets), nowMs);
  if (!result.ok) throw planProblem(result);
  return result.plan;
}

async function answerRun(db: Kysely<Schema>, id: string): Promise<RunAnswer> {
  const row = await readRun(db, id);
  if (row === undefined) throw new Error(`run ${id} is not where this transaction has seen it`);
  return presentRun(row, (await countSteps(db, [id])).get(id));
}

/** Writes a run and answers it as it was created; its event comes last. */
async function launch(tx: pg.PoolClient, run: NewRun): Promise<Change<RunAnswer>> {
  await insertRun(tx, run);
  return {
    answer: await answerRun(onTransaction(tx), run.id),
    finish: (last) => appendRunQueued(last, [run]),
    channels: ["headgate_runs"],
  };
}

const options = ({ partitions }: { partitions?: string | undefined }) =>
  partitions === undefined ? {} : { partitions };

export const runRoutes: Pick<Handlers, RunRouteName> = {
  async plan(context, { body }) {
    const graph = context.graph();
    const planned = await planNow(
      context.pool,
      graph,
      { selection: await withoutStatus(context, body.selection), ...options(body) },
      context.now(),
    );
    if (body.config !== undefined) checkConfig(graph, body.config, planned);
    const { steps, leftOut = [] } = planned;
    const count = (kind: string) => steps.filter((step) => step.forecast.kind === kind).length;
    const reasons = steps.flatMap(({ forecast }) => (forecast.kind === "runs" ? [] : forecast.reasons));
    return {
      steps: steps.map(({ index, kind, asset, team, location, partition, after, checks, forecast, ...more }) => ({
        index,
        kind,
        asset,
        team,
        location,
        partition,
        after: [...after],
        checks: [...checks],
        forecast: forecast.kind,
        reasons: forecast.kind === "runs" ? [] : forecast.reasons.map((reason) => presentReason(context, reason)),
        computation: more.computation?.first ?? null,
        added: more.added ?? false,
      })),
      runs: count("runs"),
      waits: count("waits"),
      blocked: count("blocked"),
      leftOut: [...leftOut],
      remedies: [...remedies(reasons)],
    };
  },

  async createRun(context, request) {
    const { selection, config, tags, priority, whenOpen } = request.body;
    return mutate(context, request, 201, async (tx) => {
      const planRequest = { selection: await withoutStatus(context, selection, tx), ...options(request.body) };
      const planned = await planNow(tx, context.graph(), planRequest, context.now());
      checkConfig(context.graph(), config, planned);
      return launch(tx, {
        id: context.newId(),
        source: "manual",
        actor: request.actor.name,
        selection,
        ...options(request.body),
        config,
        tags,
        priority,
        whenOpen,
        plan: planned,
      });
    });
  },

  async listRuns(context, { query }) {
    const { limit, after, ...filter } = query;
    const position = idCursor(after);
    const page = await listRuns(context.db, filter, { limit, ...(position === undefined ? {} : { after: position }) });
    return {
      items: await presentRuns(context.db, page.items),
      next: page.next === undefined ? null : encodeCursor(page.next),
    };
  },

  async getRun(context, { params }) {
    const row = await findRun(context, params.id);
    return presentRun(row, (await countSteps(context.db, [row.id])).get(row.id));
  },

  async listSteps(context, { params, query }) {
    const { id } = await findRun(context, params.id);
    const after = indexCursor(query.after);
    const page = await listSteps(context.db, id, query.state, {
      limit: query.limit,
      ...(after === undefined ? {} : { after }),
    });
    const indexes = page.items.map((row) => row.index);
    const attempts = await lastAttempts(context.db, id, indexes);
    return {
      items: page.items.map((row) => presentStep(context, row, attempts.get(row.index))),
      next: page.next === undefined ? null : encodeCursor(page.next),
    };
  },

  async listRunEvents(context, { params, query }) {
    const { id } = await findRun(context, params.id);
    const after = numberCursor(query.after);
    const page = await listRunEvents(context.db, id, { limit: query.limit, ...(after === undefined ? {} : { after }) });
    return { items: page.items.map(presentEvent), next: page.next === undefined ? null : encodeCursor(page.next) };
  },

  async listRunLogs(context, { params, query }) {
    const run = await findRun(context, params.id);
    const { limit, after, ...filter } = query;
    const [step = 0, attempt = 0, sequence = 0] = numbersCursor(after, 3) ?? [];
    const page = await listLogs(context.db, run.id, filter, {
      limit,
      ...(after === undefined ? {} : { after: { step, attempt, sequence } }),
    });
    const last = page.items.at(-1);
    const position = last === undefined ? undefined : [last.step, last.attempt, last.sequence];
    const more = page.next !== undefined || run.ended_at === null;
    return {
      items: page.items.map(presentLog),
      next: !more ? null : position === undefined ? (after ?? null) : encodeCursor(position),
    };
  },

  async cancelRun(context, request) {
    const { id } = await findRun(context, request.params.id);
    return mutate(context, request, 202, async (tx) => {
      const outcome = await requestCancel(tx, id, request.actor.name);
      const events = [{ kind: "run_cancel_requested", runId: id, payload: { actor: request.actor.name } }];
      switch (outcome.kind) {
        case "unknown":
          throw new Problem("run.unknown", `There is no run ${id}.`, "`npx headgate run list` prints the newest runs.");
        case "ended":
          throw new Problem("run.ended", `Run ${id} has ended: ${outcome.state}.`, "There is nothing left to cancel.");
        case "canceled":
          events.push({ kind: "run_canceled", runId: id, payload: { actor: request.actor.name } });
          break;
        case "requested":
        case "alreadyRequested":
          break;
      }
      const db = onTransaction(tx);
      return {
        answer: await answerRun(db, id),
        ...(outcome.kind === "alreadyRequested"
          ? {}
          : { audit: { action: "run.cancel", subject: id, details: {} }, events }),
        channels: ["headgate_runs"],
      };
    });
  },

  async retryRun(context, request) {
    const { fromFailure } = request.body;
    const source = await findRun(context, request.params.id);
    // What had that status then is what is launched again.
    const planSelection = source.selection.includes("status:")
      ? keysSelection(await assetsOfRun(context.db, source.id))
      : source.selection;
    return mutate(context, request, 201, async (tx) => {
      if (source.ended_at === null) {
        const hint = `Wait for it, or cancel it: npx headgate run cancel ${source.id}`;
        throw new Problem("run.not_ended", `Run ${source.id} is still ${source.state}.`, hint);
      }
      const partitions = source.partitions === "" ? undefined : source.partitions;
      const whole = await planNow(
        tx,
        context.graph(),
        { selection: planSelection, ...options({ partitions }) },
        context.now(),
      );
      const done = fromFailure ? await succeededSteps(onTransaction(tx), source.id) : [];
      const identities = done.map((step) =>
        stepIdentity({ ...step, asset: step.asset_key as never, partition: step.partition_key }),
      );
      const planned = withoutSucceeded(context.graph(), whole, new Set(identities));
      if (planned.steps.length === 0) {
        const hint = `To run all of it again: npx headgate run retry ${source.id}`;
        throw new Problem("run.nothing_to_retry", `Every step of run ${source.id} succeeded.`, hint);
      }
      return launch(tx, {
        id: context.newId(),
        source: "retry",
        actor: request.actor.name,
        selection: source.selection,
        partitions: source.partitions,
        config: source.config,
        tags: source.tags,
        priority: source.priority,
        whenOpen: source.when_open,
        retryOf: source.id,
        plan: planned,
      });
    });
  },

  async runChecks(context, request) {
    const { asset, check, version, partitions, tags, priority } = request.body;
    const node = findAsset(context, asset);
    return mutate(context, request, 201, async (tx) => {
      const view = await viewFor(tx, [{ node, set: [] }]);
      // A check of another team is written team:name; names decide here, and the asset's checks are few.
      const name = check?.slice(check.indexOf(":") + 1);
      const result = planChecks(
        context.graph(),
        {
          asset,
          ...(name === undefined ? {} : { check: name }),
          ...(version === undefined ? {} : { versionId: version }),
          ...options({ partitions }),
        },
        view,
        context.now(),
      );
      if (!result.ok) throw planProblem(result);
      return launch(tx, {
        id: context.newId(),
        source: "manual",
        actor: request.actor.name,
        selection: `"${asset}"`,
        ...options({ partitions }),
        tags,
        priority,
        plan: result.plan,
      });
    });
  },
};
