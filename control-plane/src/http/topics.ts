import type { EventTopics } from "../storage/events-read.ts";
import { Problem } from "./problem.ts";

const topicsMax = 200;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Reads `run:<id>,asset:<key>,location:<name>,kind:<kind>`; undefined if nothing is asked for, which means every event.
 *
 * @throws Problem for anything else
 */
export function parseTopics(text: string | undefined): EventTopics | undefined {
  const entries = (text ?? "").split(",").filter((entry) => entry.trim() !== "");
  if (entries.length === 0) return undefined;
  if (entries.length > topicsMax) throw refused(`${entries.length} topics are more than ${topicsMax}`);
  const topics = {
    runs: new Set<string>(),
    assets: new Set<string>(),
    locations: new Set<string>(),
    kinds: new Set<string>(),
  };
  for (const entry of entries) {
    const [, word = "", value = ""] = /^\s*(\w+):(.+?)\s*$/.exec(entry) ?? [];
    if (word === "run" && uuid.test(value)) topics.runs.add(value.toLowerCase());
    else if (word === "asset") topics.assets.add(value);
    else if (word === "location") topics.locations.add(value);
    else if (word === "kind") topics.kinds.add(value);
    else throw refused(`${entry} is not a topic`);
  }
  return topics;
}

function refused(what: string): Problem {
  const hint = "Topics are run:<id>, asset:<key>, location:<name> and kind:<kind>, with commas between them.";
  return new Problem("request.invalid", `In topics, ${what}.`, hint);
}
