import { z } from "zod";
import { partitionStatus, timeOrNull } from "./shapes.ts";

/*
 * The picture of the asset graph, in three parts by how often they change: boxes of teams first, for the first paint;
 * where every asset stands, which a content hash names for good; and statuses, of which only those are sent that changed.
 * Assets, edges, teams and locations are numbered by their place in the layout's lists.
 */

const box = { x: z.int(), y: z.int(), width: z.int(), height: z.int() };

export const graphOverview = z
  .object({
    hash: z.string().describe("of the layout that it belongs to"),
    width: z.int(),
    height: z.int(),
    teams: z.array(z.object({ team: z.string(), assets: z.int(), ...box })).describe("by name"),
    edges: z
      .array(
        z.object({
          from: z.int(),
          to: z.int(),
          count: z.int().describe("edges between assets"),
          back: z.boolean().describe("it leads against the direction in which the boxes stand"),
        }),
      )
      .describe("between teams, by their places in `teams`"),
    locations: z.array(
      z.object({
        name: z.string(),
        team: z.string(),
        state: z.enum(["loading", "healthy", "unreachable", "refused"]),
        lastSeenAt: timeOrNull,
      }),
    ),
  })
  .meta({ id: "GraphOverview", description: "units are CSS pixels at scale 1" });

export const graphLayout = z
  .object({
    hash: z.string(),
    keys: z.array(z.string()).describe("asset keys in ascending order; what follows has an entry for each"),
    x: z.array(z.int()),
    y: z.array(z.int()),
    teams: z.array(z.string()),
    team: z.array(z.int()),
    locations: z.array(z.string()),
    location: z.array(z.int()),
    checks: z.array(z.int()).describe("how many checks hold the gate of readers of the asset's own team"),
    edges: z
      .array(z.int())
      .describe("three numbers an edge: from, to, and 0 for strict, 1 for lastValidated, 2 for orderOnly"),
    passages: z
      .array(z.array(z.int()))
      .describe("asset, then begin, end and height of each rank that its long edges pass on a way kept free for them"),
  })
  .meta({ id: "GraphLayout", description: "where every asset stands: left upper corners" });

const ranges = z.array(z.int()).describe("assets as runs: first, length, first, length, ...");

export const graphGate = z
  .object({
    asset: z.int(),
    checks: z
      .array(z.object({ team: z.string(), name: z.string(), state: z.enum(["failed", "errored", "notRun"]) }))
      .describe("those that hold it closed"),
    edges: z.array(z.int()).describe("edges that it shuts"),
    blocked: ranges,
    assets: z.int().describe("that wait behind it"),
    teams: z.int().describe("that have some of them"),
  })
  .meta({ id: "GraphGate" });

export const graphSelection = z
  .object({ hash: z.string(), assets: ranges, count: z.int() })
  .meta({ id: "GraphSelection", description: "the assets of a selection, by their numbers in the layout" });

export const graphStatuses = z
  .object({
    hash: z.string().describe("of the layout whose numbers these are"),
    revision: z.string().describe("`after` of the next question"),
    full: z.boolean().describe("false: only what changed since `after`; gates are always all"),
    words: z.array(partitionStatus),
    statuses: z
      .array(z.array(z.int()))
      .describe("asset, then a place in `words` and how many of its partitions, what most needs an eye first"),
    shaded: ranges.describe("assets that a closed gate upstream holds back, as runs: first, length, ..."),
    evaluating: z.array(z.int()).describe("assets with a version whose checks have not all spoken yet"),
    gates: z.array(graphGate).describe("closed gates, those that hold most first, 100 at most"),
    gateCount: z.int(),
  })
  .meta({ id: "GraphStatuses" });
