import type { Answer, Routes } from "../../http/contract.ts";
import { type CommandContext, print } from "../command-context.ts";
import { exitStatus } from "../exit-status.ts";
import { table } from "../table.ts";

type Queue = Answer<Routes["getQueue"]>;

/** The run queue: what each team has in it, and the limits. */
export async function queueShow(context: CommandContext): Promise<number> {
  const answer = await context.api.get("getQueue", "/queue");
  print(context, answer, () => {
    const { paint } = context;
    const held = answer.teams.reduce((sum, team) => sum + team.held, 0);
    const parts = [
      `${held} ${held === 1 ? "run holds" : "runs hold"} a slot, of ${mostText(answer.maxRuns)}.\n`,
      table(
        paint,
        ["TEAM", "WEIGHT", "QUEUED", "HOLDING", "WAITING", "AT MOST"],
        answer.teams.map((team) => [
          team.team,
          String(team.weight),
          String(team.queued),
          String(team.held),
          String(team.waiting),
          mostText(team.maxRuns),
        ]),
      ),
    ];
    if (answer.tagLimits.length > 0) {
      parts.push(table(paint, ["TAG", "HOLDING", "AT MOST"], answer.tagLimits.flatMap(limitRows)));
    }
    return parts.join("\n");
  });
  return exitStatus.succeeded;
}

/** One row; of a limit for each value one a value. */
function limitRows({ key, value, perValue, limit, held }: Queue["tagLimits"][number]): string[][] {
  if (perValue && held.length > 0) return held.map((at) => [`${key}=${at.value}`, String(at.runs), String(limit)]);
  const runs = held.reduce((sum, at) => sum + at.runs, 0);
  return [
    [value === null ? `${key}${perValue ? "=(each value)" : ""}` : `${key}=${value}`, String(runs), String(limit)],
  ];
}

function mostText(most: number | null): string {
  return most === null ? "no limit" : String(most);
}
