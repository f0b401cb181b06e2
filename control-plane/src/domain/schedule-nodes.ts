import { type AssetKey, ModelError, type TickTimes, parseAssetKey, teamOf, tickTimes } from "@headgate/model";
import type { AssetNode, GraphError, LocationSegment, ScheduleNode, StoredDefinition } from "./asset-graph.ts";
import { type DefinitionSite, type Problem, anotherTeamsPrefix } from "./definition-problems.ts";
import type { ScheduleDefinition } from "./definitions.ts";
import type { NearestKeys } from "./nearest-key.ts";
import { parseSelection } from "./parse-selection.ts";
import {
  duplicateSchedule,
  invalidTarget,
  invalidTimes,
  missingTarget,
  refusedTarget,
  statusInTarget,
  targetOfAnotherTeam,
} from "./schedule-problems.ts";
import type { Selection } from "./selection-syntax.ts";

export interface ScheduleContext {
  readonly assets: ReadonlyMap<AssetKey, AssetNode>;
  /** The first cause of the refusal of each key that is not among `assets`. */
  readonly rootOf: (key: AssetKey) => GraphError | undefined;
  readonly nearest: NearestKeys;
  readonly refuse: (error: GraphError) => void;
  readonly warn: (error: GraphError) => void;
}

/**
 * The schedules of all locations, by name. A target that is missing or refused is a warning, and no reason to forget how
 * far the schedule has come: its ticks fail and say why, and the next one after the mending is fired as it would have been.
 */
export function scheduleNodes(
  segments: readonly LocationSegment[],
  context: ScheduleContext,
): ReadonlyMap<string, ScheduleNode> {
  const nodes: ScheduleNode[] = [];
  const locationOf = new Map<string, string>();
  for (const { location, team, schedules = [] } of segments) {
    for (const stored of schedules) {
      if (stored.retired === true) continue;
      const { name, source } = stored.definition;
      const site: DefinitionSite = { key: name, team, location, source };
      const first = locationOf.get(name);
      const made = first === undefined ? scheduleNode(stored, site, context) : duplicateSchedule(site, first);
      if ("code" in made) {
        context.refuse({ ...made, location, kind: "schedule", key: name });
      } else {
        locationOf.set(name, location);
        nodes.push(made);
      }
    }
  }
  nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
  return new Map(nodes.map((node) => [node.name, node]));
}

function scheduleNode(
  { definition, hash, error }: StoredDefinition<ScheduleDefinition>,
  site: DefinitionSite,
  context: ScheduleContext,
): ScheduleNode | Problem {
  const { key: name, team, location } = site;
  const key = parseAssetKey(name);
  if (key === undefined || teamOf(key) !== team) return anotherTeamsPrefix(site);
  const parsed = parseSelection(definition.selection);
  if (!parsed.ok) return invalidTarget(site, parsed.message, parsed.hint);
  if (selectsByStatus(parsed.selection)) return statusInTarget(site);
  const times = timesOf(definition);
  if (times instanceof ModelError) return invalidTimes(site, times);
  for (const target of namedKeys(parsed.selection)) {
    const problem = targetProblem(target, site, context);
    if (problem !== undefined) context.warn({ ...problem, location, kind: "schedule", key: name });
  }
  return { name, team, location, definition, hash, times, ...(error && { error }) };
}

function timesOf({ crons, timezone }: ScheduleDefinition): TickTimes | ModelError {
  try {
    return tickTimes(crons, timezone);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
}

function targetProblem(
  key: AssetKey,
  site: DefinitionSite,
  { assets, rootOf, nearest }: ScheduleContext,
): Problem | undefined {
  const node = assets.get(key);
  if (node !== undefined) return node.team === site.team ? undefined : targetOfAnotherTeam(site, key);
  const root = rootOf(key);
  if (root !== undefined) return refusedTarget(site, key, root);
  return missingTarget(
    site,
    key,
    nearest.nearest(key, (near) => assets.get(near)?.team === site.team),
  );
}

/** The keys that the target is a list of; what filters and patterns select is found at each tick. */
function namedKeys(selection: Selection): readonly AssetKey[] {
  if (selection.kind === "key") return [selection.key];
  if (selection.kind === "or") return selection.of.flatMap(namedKeys);
  return [];
}

function selectsByStatus(selection: Selection): boolean {
  switch (selection.kind) {
    case "filter":
      return selection.by === "status";
    case "around":
    case "not":
      return selectsByStatus(selection.of);
    case "and":
    case "or":
      return selection.of.some(selectsByStatus);
    case "key":
    case "glob":
    case "tag":
      return false;
  }
}
