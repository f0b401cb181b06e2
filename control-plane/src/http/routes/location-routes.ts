import type { z } from "zod";
import type { AssetNode } from "../../domain/graph.ts";
import { type PartitionStatus, type StatusRange, worstStatus } from "../../domain/status.ts";
import { type LocationRow, listDefinitionErrors, listLocations, readLocation } from "../../storage/locations-read.ts";
import { requestReload } from "../../storage/reload-location.ts";
import type { ApiContext } from "../api-context.ts";
import { loadStatuses } from "../asset-statuses.ts";
import type { location } from "../contract/location.ts";
import type { definitionProblem } from "../contract/shapes.ts";
import { mutate } from "../mutation.ts";
import { presentDefinitionProblem } from "../present-asset.ts";
import { presentOwner } from "../present-reason.ts";
import { presentTime, presentTimeOrNull } from "../present-run.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";

type DefinitionProblemAnswer = z.input<typeof definitionProblem>;

/** What the graph refuses, and what did not load, by location: each once. */
async function problemsByLocation(context: ApiContext): Promise<ReadonlyMap<string, DefinitionProblemAnswer[]>> {
  const found = new Map<string, Map<string, DefinitionProblemAnswer>>();
  const add = (name: string, problem: DefinitionProblemAnswer) => {
    const ofLocation = found.get(name) ?? new Map<string, DefinitionProblemAnswer>();
    const identity = `${problem.kind} ${problem.key} ${problem.code}`;
    found.set(name, ofLocation);
    if (!ofLocation.has(identity)) ofLocation.set(identity, problem);
  };
  for (const row of await listDefinitionErrors(context.db)) {
    if (row.error === null) continue;
    const { code, message, hint, file, line } = row.error;
    add(row.location, { kind: row.kind, key: row.key, code, message, hint, file: file ?? null, line: line ?? null });
  }
  for (const error of context.graph().errors) {
    add(error.location, presentDefinitionProblem(error.kind, error.key, error));
  }
  return new Map([...found].map(([name, problems]) => [name, [...problems.values()]]));
}

function presentLocation(
  context: ApiContext,
  row: LocationRow,
  problems: DefinitionProblemAnswer[],
): z.input<typeof location> {
  const { order, warnings } = context.graph();
  return {
    name: row.name,
    team: row.team,
    state: row.state,
    address: row.address,
    error: row.error === null ? null : { code: row.error.code, message: row.error.message, hint: row.error.hint },
    definitionsHash: row.definitions_hash,
    buildId: row.build_id,
    instanceId: row.instance_id,
    pid: row.pid,
    sdkVersion: row.sdk_version,
    assets: order.filter((node) => node.location === row.name && !node.retired).length,
    checks: order.reduce((sum, node) => sum + node.checks.filter((check) => check.location === row.name).length, 0),
    problems,
    warnings: warnings
      .filter((warning) => warning.location === row.name)
      .map((warning) => presentDefinitionProblem(warning.kind, warning.key, warning)),
    lastSeenAt: presentTimeOrNull(row.last_seen_at),
    loadedAt: presentTimeOrNull(row.loaded_at),
    reloadRequestedAt: presentTimeOrNull(row.reload_requested_at),
    removed: row.removed_at !== null,
  };
}

async function findLocation(context: ApiContext, name: string): Promise<LocationRow> {
  const row = await readLocation(context.db, name);
  if (row !== undefined) return row;
  const names = (await listLocations(context.db)).map((known) => known.name);
  const hint = names.length === 0 ? "workspace.yaml lists them under load_from." : `There are: ${names.join(", ")}.`;
  throw new Problem("location.unknown", `There is no code location ${name}.`, hint);
}

export const locationRoutes: Pick<Handlers, "listLocations" | "getLocation" | "reloadLocation" | "listTeams"> = {
  async listLocations(context) {
    const [rows, problems] = await Promise.all([listLocations(context.db), problemsByLocation(context)]);
    return {
      items: rows.map((row) => presentLocation(context, row, problems.get(row.name) ?? [])),
      problems: context.workspace().problems.map(({ message, hint, file, line, column }) => ({
        message,
        hint,
        file,
        line,
        column,
      })),
    };
  },

  async getLocation(context, { params }) {
    const row = await findLocation(context, params.name);
    return presentLocation(context, row, (await problemsByLocation(context)).get(row.name) ?? []);
  },

  async reloadLocation(context, request) {
    const { name } = request.params;
    const row = await findLocation(context, name);
    if (row.removed_at !== null) {
      throw new Problem("location.removed", `${name} is no longer in workspace.yaml.`, "Enter it there again.");
    }
    return mutate(context, request, 202, async (tx) => {
      const requestedAt = await requestReload(tx, name);
      return {
        answer: { name, requestedAt: presentTime(requestedAt ?? new Date(context.now())) },
        audit: { action: "location.reload", subject: name, details: {} },
        channels: ["headgate_locations"],
      };
    });
  },

  async listTeams(context) {
    const { order } = context.graph();
    const [rows, statuses] = await Promise.all([listLocations(context.db), loadStatuses(context, order)]);
    const { teams, entries } = context.workspace();
    const names = new Set([
      ...Object.keys(teams),
      ...entries.map((entry) => entry.team),
      ...rows.map((row) => row.team),
      ...order.map((node) => node.team),
    ]);
    return {
      items: [...names].sort().map((team) => ({
        ...presentOwner(context, team),
        locations: rows.filter((row) => row.team === team && row.removed_at === null).map((row) => row.name),
        assets: order.filter((node) => node.team === team).length,
        statuses: statusCounts(order.filter((node) => node.team === team).map((node) => statuses.get(node) ?? [])),
        readers: readersOf(order, team),
      })),
    };
  },
};

function statusCounts(all: readonly (readonly StatusRange[])[]): Partial<Record<PartitionStatus, number>> {
  const counts: Partial<Record<PartitionStatus, number>> = {};
  for (const status of all.map(worstStatus)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Other teams with assets that read one of `team`, by name. */
function readersOf(order: readonly AssetNode[], team: string): { team: string; assets: number }[] {
  const counts = new Map<string, number>();
  for (const node of order) {
    if (node.team === team || !node.upstream.some(({ upstream }) => upstream.team === team)) continue;
    counts.set(node.team, (counts.get(node.team) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reader, assets]) => ({ team: reader, assets }));
}
