import { createHash } from "node:crypto";
import { type GroupedLayout, groupedLayout } from "@headgate/layout";
import { rangeSet } from "@headgate/model";
import type { z } from "zod";
import { type AssetNode, type Edge, type Graph, requiredChecks } from "../domain/graph.ts";
import type { graphLayout } from "./contract/graph.ts";

/** The picture of one graph, without what is happening in it. */
export interface GraphPicture {
  readonly hash: string;
  /** By key: the numbers of assets are places here. */
  readonly nodes: readonly AssetNode[];
  readonly numberOf: ReadonlyMap<AssetNode, number>;
  /** Edges between the same two assets are one. */
  readonly edgeOf: ReadonlyMap<Edge, number>;
  readonly layout: z.input<typeof graphLayout>;
  readonly grouped: Omit<GroupedLayout, "x" | "y" | "passages">;
}

const modes = { strict: 0, lastValidated: 1, orderOnly: 2 } as const;
/** How many layouts are kept: that of now, and those that a page may be about to ask for. */
const layoutsMax = 4;

const pictures = new WeakMap<Graph, GraphPicture>();
const layouts = new Map<string, Pick<GraphPicture, "layout" | "grouped">>();

/** The picture of a graph. What it shows is laid out once, however often an equal graph is read. */
export function graphPicture(graph: Graph): GraphPicture {
  const known = pictures.get(graph);
  if (known !== undefined) return known;
  const nodes = [...graph.order].sort((a, b) => (a.key < b.key ? -1 : 1));
  const numberOf = new Map(nodes.map((node, i) => [node, i]));
  const { edges, edgeOf } = edgesOf(nodes, numberOf);
  const content = contentOf(nodes, edges);
  const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32);
  const laid = layouts.get(hash) ?? laidOut(hash, content);
  layouts.delete(hash);
  layouts.set(hash, laid);
  for (const oldest of layouts.keys()) {
    if (layouts.size <= layoutsMax) break;
    layouts.delete(oldest);
  }
  const picture = { hash, nodes, numberOf, edgeOf, ...laid };
  pictures.set(graph, picture);
  return picture;
}

/** The layout of this hash, if it is that of a graph of late. */
export function findLayout(hash: string): z.input<typeof graphLayout> | undefined {
  return layouts.get(hash)?.layout;
}

/** Pairs of assets with the strictest mode between them. An asset that reads itself has no edge in the picture. */
function edgesOf(nodes: readonly AssetNode[], numberOf: ReadonlyMap<AssetNode, number>) {
  const edges: [from: number, to: number, mode: number][] = [];
  const edgeOf = new Map<Edge, number>();
  for (const [to, node] of nodes.entries()) {
    const byUpstream = new Map<AssetNode, number>();
    for (const edge of node.upstream) {
      if (edge.upstream === node) continue;
      const mode = modes[edge.dependency.mode];
      const found = byUpstream.get(edge.upstream) ?? edges.push([numberOf.get(edge.upstream) ?? 0, to, mode]) - 1;
      byUpstream.set(edge.upstream, found);
      edgeOf.set(edge, found);
      const pair = edges[found];
      if (pair !== undefined) pair[2] = Math.min(pair[2], mode);
    }
  }
  return { edges, edgeOf };
}

type Content = ReturnType<typeof contentOf>;

function contentOf(nodes: readonly AssetNode[], edges: readonly [from: number, to: number, mode: number][]) {
  const teams = [...new Set(nodes.map((node) => node.team))].sort();
  const locations = [...new Set(nodes.map((node) => node.location))].sort();
  const teamNumbers = new Map(teams.map((team, i) => [team, i]));
  const locationNumbers = new Map(locations.map((location, i) => [location, i]));
  return {
    keys: nodes.map((node) => node.key),
    teams,
    team: nodes.map((node) => teamNumbers.get(node.team) ?? 0),
    locations,
    location: nodes.map((node) => locationNumbers.get(node.location) ?? 0),
    checks: nodes.map((node) => requiredChecks(node, node.team).length),
    edges,
  };
}

function laidOut(hash: string, content: Content): Pick<GraphPicture, "layout" | "grouped"> {
  const { keys, edges, team, teams } = content;
  const { x, y, passages, ...grouped } = groupedLayout(
    { keys, edges: edges.map(([from, to]) => [from, to]) },
    team.map((number) => teams[number] ?? ""),
  );
  const layout = {
    ...content,
    hash,
    edges: edges.flat(),
    x: [...x],
    y: [...y],
    passages: [...passages].sort(([a], [b]) => a - b).map(([node, ways]) => [node, ...ways]),
  };
  return { layout, grouped };
}

/** Numbers of assets as runs: first, length, first, length. */
export function runsOf(nodes: readonly AssetNode[], { numberOf }: GraphPicture): number[] {
  const set = rangeSet.from(nodes.map((node) => numberOf.get(node) ?? 0));
  return set.flatMap(([start, end]) => [start, end - start]);
}
