import type { ScheduleNode } from "../../domain/graph.ts";
import { type TickPlan, planTick, tickTargets } from "../../domain/tick-plan.ts";
import { appendEvents } from "../../storage/append-events.ts";
import { onTransaction } from "../../storage/on-transaction.ts";
import { insertPlannedTicks, plannedTick, tickEvents } from "../../storage/planned-ticks.ts";
import { switchAutomation } from "../../storage/switch-automation.ts";
import { listTicks, readTick } from "../../storage/ticks-read.ts";
import type { ApiContext } from "../api-context.ts";
import { encodeCursor, idCursor, keyCursor } from "../cursor.ts";
import { found, requireOwner } from "../gate-change.ts";
import { type Change, mutate } from "../mutation.ts";
import { planProblem } from "../plan-view.ts";
import { type ScheduleAnswer, type TickAnswer, presentSchedules, presentTicks } from "../present-schedule.ts";
import { presentTime } from "../present-run.ts";
import { Problem } from "../problem.ts";
import type { ApiRequest, Handlers } from "../request.ts";

type ScheduleRouteName =
  | "listSchedules"
  | "getSchedule"
  | "listScheduleTicks"
  | "previewSchedule"
  | "startSchedule"
  | "stopSchedule"
  | "triggerSchedule";

const launchesShownMax = 1_000;
/** A preview ends early where it would plan more. */
const previewStepsMax = 50_000;
const channel = "headgate_schedules";

export const scheduleRoutes: Pick<Handlers, ScheduleRouteName> = {
  async listSchedules(context, { query }) {
    const { limit, team } = query;
    const after = keyCursor(query.after) ?? "";
    const nodes = [...context.graph().schedules.values()].filter(
      (node) => node.name > after && (team === undefined || node.team === team),
    );
    const last = nodes[limit - 1];
    return {
      items: await presentSchedules(context, nodes.slice(0, limit)),
      next: nodes.length > limit && last !== undefined ? encodeCursor(last.name) : null,
    };
  },

  async getSchedule(context, { params }) {
    const node = findSchedule(context, params.name);
    const targets = tickTargets(context.graph(), node);
    const [answer] = await presentSchedules(context, [node]);
    return {
      ...found(answer),
      launches: targets.ok ? targets.nodes.slice(0, launchesShownMax).map(({ key }) => key) : [],
      refusal: targets.ok ? null : { code: targets.code, message: targets.message, hint: targets.hint },
    };
  },

  async listScheduleTicks(context, { params, query }) {
    const { name } = findSchedule(context, params.name);
    const after = idCursor(query.after);
    const page = await listTicks(context.db, name, query.state, {
      limit: query.limit,
      ...(after === undefined ? {} : { after }),
    });
    return {
      items: await presentTicks(context, page.items),
      next: page.next === undefined ? null : encodeCursor(page.next),
    };
  },

  async previewSchedule(context, { params, query }) {
    const node = findSchedule(context, params.name);
    const graph = context.graph();
    const items = [];
    let atMs = query.after === undefined ? context.now() : Date.parse(query.after);
    let steps = 0;
    for (let n = 0; n < query.count && steps < previewStepsMax; n++) {
      atMs = node.times.after(atMs);
      if (atMs === Infinity) break;
      const tick = previewed(planTick(graph, node, atMs, atMs));
      items.push({ at: presentTime(new Date(atMs)), local: node.times.format(atMs), ...tick });
      steps += tick.runs.reduce((sum, run) => sum + run.steps, 0);
    }
    return Promise.resolve({ timezone: node.times.timezone, items });
  },

  startSchedule: (context, request) => switched(context, request, true),
  stopSchedule: (context, request) => switched(context, request, false),

  async triggerSchedule(context, request) {
    const node = findSchedule(context, request.params.name);
    requireOwner(request.actor, node.team, `the schedule ${node.name}`);
    const { at } = request.body;
    return mutate(context, request, 201, async (tx): Promise<Change<TickAnswer>> => {
      const nowMs = context.now();
      const instantMs = at === undefined ? node.times.before(nowMs + 1) : Date.parse(at);
      const plan = planTick(context.graph(), node, instantMs, nowMs);
      if (plan.kind === "refused") throw planProblem({ ok: false, ...plan });
      const tick = plannedTick(node, { askedBy: request.actor.name }, plan, () => context.newId());
      await insertPlannedTicks(tx, [tick]);
      const db = onTransaction(tx);
      const [answer] = await presentTicks(context, [found(await readTick(db, tick.tick.id))], db);
      const details = { tick: tick.tick.id, at: new Date(instantMs).toISOString(), runs: tick.tick.runCount };
      return {
        answer: found(answer),
        audit: { action: "schedule.trigger", subject: node.name, details },
        finish: (last) => appendEvents(last, tickEvents(tick)),
        channels: ["headgate_runs"],
      };
    });
  },
};

function previewed(plan: TickPlan) {
  switch (plan.kind) {
    case "launch": {
      const runs = plan.runs.map(({ selection, partitions, plan: { steps } }) => {
        return { selection, partitions, steps: steps.length };
      });
      return { outcome: "launches" as const, reason: "", runs };
    }
    case "skip":
      return { outcome: "skips" as const, reason: plan.reason, runs: [] };
    case "refused":
      return { outcome: "fails" as const, reason: plan.message, runs: [] };
  }
}

async function switched(
  context: ApiContext,
  request: ApiRequest<"startSchedule"> | ApiRequest<"stopSchedule">,
  isOn: boolean,
): Promise<ScheduleAnswer> {
  const node = findSchedule(context, request.params.name);
  const { actor } = request;
  requireOwner(actor, node.team, `the schedule ${node.name}`);
  return mutate(context, request, 200, async (tx) => {
    const changed = await switchAutomation(tx, node.name, isOn, actor.name, context.now());
    const [answer] = await presentSchedules(context, [node], onTransaction(tx));
    if (!changed) return { answer: found(answer) };
    const word = isOn ? "start" : "stop";
    const payload = { automation: node.name, automationKind: "schedule", actor: actor.name };
    return {
      answer: found(answer),
      audit: { action: `schedule.${word}`, subject: node.name, details: {} },
      events: [{ kind: isOn ? "schedule_started" : "schedule_stopped", location: node.location, payload }],
      channels: [channel],
    };
  });
}

/** @throws Problem `schedule.unknown` */
function findSchedule(context: ApiContext, name: string): ScheduleNode {
  const node = context.graph().schedules.get(name);
  if (node !== undefined) return node;
  const refused = context.graph().errors.find((error) => error.kind === "schedule" && error.key === name);
  throw refused === undefined
    ? new Problem("schedule.unknown", `No schedule ${name} is defined.`, "`npx headgate schedule list` prints them.")
    : new Problem("schedule.unknown", `The schedule ${name} is refused: ${refused.message}`, refused.hint);
}
