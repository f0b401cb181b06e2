import type { AssetKey } from "@headgate/model";
import { teamOf } from "@headgate/model";
import type { AssetNode, GraphError, LocationSegment, ScheduleNode, SensorNode } from "./asset-graph.ts";
import { type DefinitionSite, anotherTeamsPrefix, problem } from "./definition-problems.ts";
import type { DefinitionError } from "./definitions.ts";
import type { NearestKeys } from "./nearest-key.ts";

export interface SensorContext {
  readonly assets: ReadonlyMap<AssetKey, AssetNode>;
  /** Their names are taken. */
  readonly schedules: ReadonlyMap<string, ScheduleNode>;
  readonly nearest: NearestKeys;
  readonly refuse: (error: GraphError) => void;
}

/**
 * The sensors of all locations, by name. Of two with one name the first location's counts. One that targets what it may
 * not, or what is not there, is refused; what vanished is not there.
 *
 * @param segments ordered by location name
 */
export function linkSensors(segments: readonly LocationSegment[], context: SensorContext): Map<string, SensorNode> {
  const sensors = new Map<string, SensorNode>();
  for (const { location, team, sensors: stored = [] } of segments) {
    for (const { definition, hash, error, retired } of stored) {
      if (retired === true) continue;
      const { name } = definition;
      const at = { key: name, team, location, source: definition.source };
      const targets: AssetNode[] = [];
      const wrong =
        ownProblem(at, sensors.get(name) ?? context.schedules.get(name)) ??
        targetProblem(at, definition.targets, targets, context);
      if (wrong !== undefined) context.refuse({ ...wrong, location, kind: "sensor", key: name });
      else sensors.set(name, { name, team, location, definition, hash, targets, ...(error && { error }) });
    }
  }
  return new Map([...sensors].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function ownProblem(at: DefinitionSite, first: SensorNode | ScheduleNode | undefined): DefinitionError | undefined {
  if (teamOf(at.key as AssetKey) !== at.team) return anotherTeamsPrefix(at);
  if (first === undefined) return undefined;
  return problem(
    "definition.duplicate_sensor",
    at,
    `${at.key} names a ${first.definition.kind} of location ${first.location} too. That one counts.`,
    "Rename or remove one of the two.",
  );
}

/** What is wrong with the first bad target; the good ones go into `found`. */
function targetProblem(
  at: DefinitionSite,
  targets: readonly AssetKey[],
  found: AssetNode[],
  { assets, nearest }: SensorContext,
): DefinitionError | undefined {
  for (const target of targets) {
    const node = assets.get(target);
    if (teamOf(target) !== at.team) {
      return problem(
        "definition.target_of_another_team",
        at,
        `Sensor ${at.key} targets ${target} of team ${teamOf(target)}.`,
        "A sensor asks for assets of its own team. Their readers follow by conditions of their own teams.",
      );
    }
    if (node === undefined || node.retired) {
      const near = nearest.nearest(target);
      return problem(
        "definition.missing_target",
        at,
        `Sensor ${at.key} targets ${target}, which no location defines, or which did not load.`,
        `${near.length === 0 ? "" : `Did you mean ${near.join(" or ")}? `}List the asset in \`assets\`, or mend it.`,
      );
    }
    if (node.definition.external !== undefined) {
      return problem(
        "definition.target_not_computed",
        at,
        `Sensor ${at.key} targets ${target}, which is external: no step makes it.`,
        "Target the assets that read it, and report its versions by API.",
      );
    }
    found.push(node);
  }
  return undefined;
}
