import type pg from "pg";
import { checkId, type Graph, isVisibleTo } from "../domain/asset-graph.ts";
import {
  type DefinitionsSnapshot,
  definitionsSnapshot,
  type SnapshotDefinition,
} from "../domain/definitions-snapshot.ts";
import { buildGraph } from "../domain/graph.ts";
import { type DefinitionRow, locationSegment, readDefinitionRows } from "./definition-rows.ts";

/** The definitions that are stored, with what vanished as far as it still serves or gates. Primary only. */
export async function readSnapshot(db: Pick<pg.Pool | pg.PoolClient, "query">): Promise<DefinitionsSnapshot> {
  const { locations, owners, established } = await readDefinitionRows(db);
  const graph = buildGraph(locations.map(locationSegment), owners, {
    established: (reader, upstream) => established.has(reader, upstream),
  });
  return definitionsSnapshot({
    locations: locations
      .map(({ location, team, rows }) => ({
        name: location,
        team,
        definitions: rows.filter((row) => row.retiredMs === null || isInUse(graph, row, team)).map(snapshotDefinition),
      }))
      .filter(({ definitions }) => definitions.length > 0),
    // A key that was released is nobody's.
    owners: [...owners].flatMap(([asset, { team, location }]) =>
      location === null ? [] : [{ asset, team, location }],
    ),
    keptEdges: graph.order.flatMap((node) =>
      node.upstream
        .filter(({ upstream }) => upstream.retired || !isVisibleTo(upstream.definition, upstream.team, node.team))
        .map(({ upstream }) => ({ reader: node.key, upstream: upstream.key })),
    ),
  });
}

/** A row without what only its moment explains. */
export function snapshotDefinition({ kind, key, hash, body, error, retiredMs }: DefinitionRow): SnapshotDefinition {
  return {
    kind,
    key,
    ...(hash === null || body === null ? {} : { hash, definition: body }),
    ...(error === null ? {} : { error }),
    ...(retiredMs === null ? {} : { retired: true }),
  };
}

function isInUse(graph: Graph, { body }: DefinitionRow, team: string): boolean {
  switch (body?.kind) {
    case "asset":
      return graph.asset(body.key)?.retired === true;
    case "check": {
      const id = checkId(body.asset, team, body.name);
      return graph.asset(body.asset)?.checks.some((check) => check.id === id) === true;
    }
    case "schedule": // What is retired ticks no more.
    case "sensor":
    case undefined:
      return false;
  }
}
