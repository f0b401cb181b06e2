import { noQueueRules, teamRule } from "../../domain/run-queue.ts";
import { countQueue, countTagged } from "../../storage/queue-read.ts";
import type { Handlers } from "../request.ts";

export const queueRoutes: Pick<Handlers, "getQueue"> = {
  async getQueue(context) {
    const rules = context.workspace().queue ?? noQueueRules;
    const counts = new Map((await countQueue(context.pool)).map((count) => [count.team, count]));
    const teams = [...new Set([...counts.keys(), ...Object.keys(rules.teams)])].sort();
    return {
      maxRuns: rules.maxRuns ?? null,
      teams: teams.map((team) => {
        const { weight, maxRuns = null } = teamRule(rules, team);
        const { queued = 0, held = 0, waiting = 0 } = counts.get(team) ?? {};
        return { team, weight, maxRuns, queued, held, waiting };
      }),
      tagLimits: await Promise.all(
        rules.tagLimits.map(async (limit) => ({
          key: limit.key,
          value: limit.value ?? null,
          perValue: limit.perValue,
          limit: limit.limit,
          held: (await countTagged(context.pool, limit)).map(({ value, held }) => ({ value, runs: held })),
        })),
      ),
    };
  },
};
