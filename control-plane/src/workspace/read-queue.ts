import type { Node } from "yaml";
import { type QueueRules, type TagLimit, type TeamRule, noQueueRules } from "../domain/run-queue.ts";
import { keyText, NodeReader, type Reading } from "./node-reader.ts";
import { count, name, tagName, tagValue, truth, weight } from "./value-rules.ts";

/** The section `queue`; undefined: it is wrong, and whoever had one before goes on with that. */
export function readQueue(node: Node | undefined, reading: Reading): QueueRules | undefined {
  if (node === undefined) return noQueueRules;
  const reader = new NodeReader(reading);
  const map = reader.map(node, "queue", ["max_runs", "teams", "tag_limits"]);
  if (map === undefined) return undefined;
  const maxRuns = numberOf(map.text("max_runs", count));
  const teams = readTeamRules(reader, map.node("teams"));
  const list = map.node("tag_limits");
  const items = list === undefined ? [] : (reader.list(list, "queue: tag_limits") ?? []);
  const tagLimits = items.flatMap((item) => readTagLimit(reader, item) ?? []);
  return reader.failed ? undefined : { ...(maxRuns === undefined ? {} : { maxRuns }), teams, tagLimits };
}

function readTeamRules(reader: NodeReader, node: Node | undefined): Record<string, TeamRule> {
  const teams: Record<string, TeamRule> = {};
  if (node === undefined) return teams;
  for (const pair of reader.anyMap(node, "queue: teams")?.items ?? []) {
    const team = keyText(pair) ?? "";
    const what = `queue: team ${team}`;
    if (!name.pattern.test(team)) {
      const hint = `it must be ${name.expected}`;
      reader.problem(pair.key as Node, "workspace.wrong_value", `queue: teams: "${team}" is no name of a team`, hint);
      continue;
    }
    const map = reader.map(reader.resolve(pair.value) ?? (pair.key as Node), what, ["weight", "max_runs"]);
    const maxRuns = numberOf(map?.text("max_runs", count));
    teams[team] = {
      weight: numberOf(map?.text("weight", weight)) ?? 1,
      ...(maxRuns === undefined ? {} : { maxRuns }),
    };
  }
  return teams;
}

function readTagLimit(reader: NodeReader, node: Node): TagLimit | undefined {
  const map = reader.map(node, "queue: a tag limit", ["key", "value", "per_value", "limit"]);
  if (map === undefined) return undefined;
  const key = map.required("key", map.text("key", tagName));
  const limit = map.required("limit", numberOf(map.text("limit", count)));
  const value = map.text("value", tagValue);
  const perValue = map.text("per_value", truth) === "true";
  if (value !== undefined && perValue) {
    const hint = "leave value out: each value of the tag has the limit for itself";
    return reader.problem(node, "workspace.wrong_value", "queue: a tag limit has both value and per_value", hint);
  }
  if (key === undefined || limit === undefined) return undefined;
  return { key, ...(value === undefined ? {} : { value }), perValue, limit };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
