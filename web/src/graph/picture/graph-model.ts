import type { Answer, Routes } from "../../../../control-plane/src/http/contract.ts";

export type Layout = Answer<Routes["getGraphLayout"]>;
export type Overview = Answer<Routes["getGraphOverview"]>;
export type Statuses = Answer<Routes["getGraphStatuses"]>;

/** Lists of numbers, one an asset, in two flat arrays. */
export interface Lists {
  readonly start: Int32Array;
  readonly list: Int32Array;
}

/** The graph as it stands, by numbers: what does not change while nobody deploys. */
export interface GraphModel {
  readonly hash: string;
  /** Asset keys in ascending order; the numbers of assets are places here. */
  readonly keys: readonly string[];
  /** The keys without their team. */
  readonly names: readonly string[];
  readonly numberOf: ReadonlyMap<string, number>;
  readonly teams: readonly string[];
  readonly team: Int32Array;
  readonly locations: readonly string[];
  readonly location: Int32Array;
  /** How many checks hold each gate. */
  readonly checks: Int32Array;
  readonly x: Int32Array;
  readonly y: Int32Array;
  /** By edge. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly mode: Uint8Array;
  /** Edges that end at each asset, and that start there. */
  readonly into: Lists;
  readonly outOf: Lists;
  readonly passages: ReadonlyMap<number, readonly number[]>;
}

/** Modes of edges, as the layout numbers them. */
export const edgeModes = ["strict", "lastValidated", "orderOnly"] as const;

export function graphModel(layout: Layout): GraphModel {
  const { hash, keys, teams, locations, edges } = layout;
  const edgeCount = edges.length / 3;
  const from = new Int32Array(edgeCount);
  const to = new Int32Array(edgeCount);
  const mode = new Uint8Array(edgeCount);
  for (let e = 0; e < edgeCount; e++) {
    from[e] = edges[3 * e]!;
    to[e] = edges[3 * e + 1]!;
    mode[e] = edges[3 * e + 2]!;
  }
  return {
    hash,
    keys,
    names: keys.map((key) => key.slice(key.indexOf("/") + 1)),
    numberOf: new Map(keys.map((key, i) => [key, i])),
    teams,
    team: Int32Array.from(layout.team),
    locations,
    location: Int32Array.from(layout.location),
    checks: Int32Array.from(layout.checks),
    x: Int32Array.from(layout.x),
    y: Int32Array.from(layout.y),
    from,
    to,
    mode,
    into: edgesBy(to, keys.length),
    outOf: edgesBy(from, keys.length),
    passages: new Map(layout.passages.map(([asset = 0, ...ways]) => [asset, ways])),
  };
}

function edgesBy(end: Int32Array, count: number): Lists {
  const start = new Int32Array(count + 1);
  for (const asset of end) start[asset + 1]!++;
  for (let i = 0; i < count; i++) start[i + 1]! += start[i]!;
  const next = start.slice();
  const list = new Int32Array(end.length);
  for (const [e, asset] of end.entries()) list[next[asset]!++] = e;
  return { start, list };
}

/** The edges of one list. */
export function* edgesOf({ start, list }: Lists, asset: number): Generator<number> {
  for (let i = start[asset]!; i < start[asset + 1]!; i++) yield list[i]!;
}
