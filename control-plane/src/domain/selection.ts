import type { AssetKey } from "@headgate/model";
import type { AssetNode, Graph } from "./asset-graph.ts";
import { nearestKeys, type NearestKeys } from "./nearest-key.ts";
import { formatSelection, type Distance, type Selection } from "./selection-syntax.ts";

export { parseSelection } from "./parse-selection.ts";
export type { ParsedSelection } from "./parse-selection.ts";
export { formatSelection } from "./selection-syntax.ts";
export type { Selection } from "./selection-syntax.ts";

export interface SelectOptions {
  /** The status of an asset, or its statuses where its partitions differ. Without it `status:` is unknown. */
  readonly statusOf?: (node: AssetNode) => string | readonly string[];
  /** Every status there is; a `status:` that is none of them is unknown. Absent: any word may be one. */
  readonly statuses?: readonly string[];
}

/** A part of the selection that no asset of the graph matches: a misspelling more often than a wish. */
export interface UnknownPart {
  /** The key, or the glob or filter as `formatSelection` writes it. */
  readonly key: string;
  readonly message: string;
  readonly hint: string;
  /** Keys that were probably meant, nearest first. */
  readonly suggestions: readonly AssetKey[];
}

export interface Selected {
  /** Upstream first, each once. Retired assets are among them: they can be looked at, not computed. */
  readonly nodes: readonly AssetNode[];
  /** In the order of the text. A caller that acts refuses when there is one. */
  readonly unknown: readonly UnknownPart[];
}

/** The assets of a selection. Linear in the graph for each part of it that is no plain key. */
export function select(graph: Graph, selection: Selection, options: SelectOptions = {}): Selected {
  const unknown = new Map<string, UnknownPart>();
  const marks = new Uint8Array(graph.order.length);
  mark({ graph, options, unknown, nearest: nearestKeys(graph.assets.keys()) }, selection, marks);
  return { nodes: graph.order.filter(({ index }) => marks[index] === 1), unknown: [...unknown.values()] };
}

interface Search {
  readonly graph: Graph;
  readonly options: SelectOptions;
  readonly unknown: Map<string, UnknownPart>;
  readonly nearest: NearestKeys;
}

/** 1 for each asset that is chosen, by index. */
type Marks = Uint8Array;

/** Marks the assets of the selection; marks that are there stay. */
function mark(search: Search, selection: Selection, marks: Marks): void {
  const { order } = search.graph;
  switch (selection.kind) {
    case "key":
      return markKey(search, selection.key, marks);
    case "glob":
      return markMatches(search, selection, ({ key }) => globMatches(selection.pattern, key), marks);
    case "filter":
      return markFiltered(search, selection, marks);
    case "tag": {
      const { name, value } = selection;
      // From the wire: a tag named "constructor" is on an asset only if its definition says so.
      const has = ({ definition: { tags } }: AssetNode): boolean =>
        Object.hasOwn(tags, name) && (value === undefined || tags[name] === value);
      return markMatches(search, selection, has, marks);
    }
    case "around":
      return markAround(search, selection, marks);
    case "not": {
      const inner = marked(search, selection.of);
      for (const { index } of order) if (inner[index] === 0) marks[index] = 1;
      return;
    }
    case "and": {
      const parts = selection.of.map((part) => marked(search, part));
      for (const { index } of order) if (parts.every((part) => part[index] === 1)) marks[index] = 1;
      return;
    }
    case "or":
      for (const part of selection.of) mark(search, part, marks);
  }
}

function marked(search: Search, selection: Selection): Marks {
  const marks = new Uint8Array(search.graph.order.length);
  mark(search, selection, marks);
  return marks;
}

function markKey(search: Search, key: AssetKey, marks: Marks): void {
  const node = search.graph.asset(key);
  if (node !== undefined) {
    marks[node.index] = 1;
    return;
  }
  if (search.unknown.has(key)) return;
  search.unknown.set(key, unknownKey(search, key));
}

function unknownKey({ graph, nearest }: Search, key: AssetKey): UnknownPart {
  const error = graph.errors.find((candidate) => candidate.kind === "asset" && candidate.key === key);
  if (error !== undefined) {
    const hint = `Mend its definition in location ${error.location} (${error.code}): ${error.hint}`;
    return { key, message: `${key} is refused: ${error.message}`, hint, suggestions: [] };
  }
  const near = nearest.nearest(key);
  const didYouMean = near.length > 0 ? `Did you mean ${near.join(" or ")}? ` : "";
  const hint = `${didYouMean}headgate asset list shows every asset.`;
  return { key, message: `there is no asset ${key}`, hint, suggestions: near };
}

function markFiltered(search: Search, selection: Selection & { kind: "filter" }, marks: Marks): void {
  const { by, value } = selection;
  switch (by) {
    case "team":
      return markMatches(search, selection, ({ team }) => team === value, marks);
    case "group":
      return markMatches(search, selection, ({ definition }) => definition.group === value, marks);
    case "kind":
      return markMatches(search, selection, ({ definition }) => definition.kinds.includes(value), marks);
    case "status":
      return markStatus(search, selection, marks);
  }
}

/** A status that no asset has now is an answer, not a misspelling; one that does not exist is. */
function markStatus(search: Search, selection: Selection & { kind: "filter" }, marks: Marks): void {
  const { graph, options, unknown } = search;
  const { statusOf, statuses } = options;
  const { value } = selection;
  const text = formatSelection(selection);
  if (statusOf === undefined) {
    const hint = "Name the assets in another way: by key, glob, team:, group:, tag: or kind:.";
    unknown.set(text, { key: text, message: "status: is not known here", hint, suggestions: [] });
    return;
  }
  if (statuses !== undefined && !statuses.includes(value)) {
    const hint = `There are ${statuses.map((status) => `status:${status}`).join(", ")}.`;
    unknown.set(text, { key: text, message: `there is no status "${value}"`, hint, suggestions: [] });
    return;
  }
  for (const node of graph.order) {
    const status = statusOf(node);
    if (typeof status === "string" ? status === value : status.includes(value)) marks[node.index] = 1;
  }
}

function markMatches(
  { graph, unknown }: Search,
  selection: Selection,
  matches: (node: AssetNode) => boolean,
  marks: Marks,
): void {
  let found = false;
  for (const node of graph.order) {
    if (!matches(node)) continue;
    found = true;
    marks[node.index] = 1;
  }
  if (found) return;
  const text = formatSelection(selection);
  const hint =
    "Correct it, or leave it away; headgate asset list shows every asset with its team, group, tags and kinds.";
  unknown.set(text, { key: text, message: `${text} matches no asset`, hint, suggestions: [] });
}

function markAround(search: Search, selection: Selection & { kind: "around" }, marks: Marks): void {
  const { order } = search.graph;
  const centre = marked(search, selection.of);
  const start = order.filter(({ index }) => centre[index] === 1);
  for (const { index } of start) marks[index] = 1;
  walk(start, centre.slice(), selection.upstream, (node) => node.upstream.map((edge) => edge.upstream), marks);
  walk(start, centre, selection.downstream, (node) => node.downstream.map((edge) => edge.downstream), marks);
}

/** Breadth first, an edge a round. `seen` is the walk's own: what another part marked does not stop it. */
function walk(
  start: readonly AssetNode[],
  seen: Marks,
  distance: Distance,
  neighbours: (node: AssetNode) => readonly AssetNode[],
  marks: Marks,
): void {
  const roundsMax = distance === "all" ? Infinity : distance;
  let frontier = start;
  for (let round = 0; round < roundsMax && frontier.length > 0; round++) {
    const next: AssetNode[] = [];
    for (const node of frontier) {
      for (const neighbour of neighbours(node)) {
        if (seen[neighbour.index] === 1) continue;
        seen[neighbour.index] = 1;
        marks[neighbour.index] = 1;
        next.push(neighbour);
      }
    }
    frontier = next;
  }
}

/** `*` stands for any characters. Never slower than the product of the two lengths, whatever the pattern. */
function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let starAt = 0;
  while (t < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      starAt = t;
    } else if (pattern[p] === text[t]) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++starAt;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
