import { canonicalJson } from "@headgate/model";
import type { Graph, GraphError, ScheduleNode } from "./asset-graph.ts";
import type { ScheduleDefinition } from "./definitions.ts";

/** A schedule that is another, or is there on one side alone. */
export interface ScheduleChange {
  readonly name: string;
  readonly team: string;
  readonly location: string;
  /** What is other about it; empty where it is new or gone. */
  readonly texts: readonly string[];
}

export interface ScheduleChanges {
  readonly added: readonly ScheduleChange[];
  readonly removed: readonly ScheduleChange[];
  readonly changed: readonly ScheduleChange[];
}

/** What became of the schedules, by name. One that the newer side refuses is told there. */
export function scheduleChanges(before: Graph, after: Graph, refused: readonly GraphError[]): ScheduleChanges {
  const [was, is] = [before.schedules, after.schedules];
  const untold = new Set(refused.filter(({ kind }) => kind === "schedule").map(({ key }) => key));
  return {
    added: [...is.values()].filter(({ name }) => !was.has(name)).map((node) => told(node, [])),
    removed: [...was.values()].filter(({ name }) => !is.has(name) && !untold.has(name)).map((node) => told(node, [])),
    changed: [...is.values()].flatMap((node) => {
      const older = was.get(node.name);
      const texts = older === undefined ? [] : differences(older, node);
      return texts.length === 0 ? [] : [told(node, texts)];
    }),
  };
}

function told({ name, team, location }: ScheduleNode, texts: readonly string[]): ScheduleChange {
  return { name, team, location, texts };
}

function differences(older: ScheduleNode, newer: ScheduleNode): string[] {
  const [was, is] = [older.definition, newer.definition];
  const texts: string[] = [];
  const say = (what: string, before: string, after: string): void => {
    if (before !== after) texts.push(`${what} ${before} → ${after}`);
  };
  say("times", older.times.text, newer.times.text);
  say("target", was.selection, is.selection);
  say("location", older.location, newer.location);
  say("runs", runsText(was), runsText(is));
  say("missed ticks fired", String(was.catchUpMax), String(is.catchUpMax));
  say("priority", String(was.priority), String(is.priority));
  say("status", was.startsOff ? "off" : "on", is.startsOff ? "off" : "on");
  if (canonicalJson(was.config) !== canonicalJson(is.config)) texts.push("config");
  if (canonicalJson(was.tags) !== canonicalJson(is.tags)) texts.push("tags");
  return texts;
}

function runsText({ partitioned }: ScheduleDefinition): string {
  return partitioned ? "one a closed window" : "one a tick";
}
