import { neighbours, type Edges, type Neighbours } from "./neighbours.ts";

/**
 * What stands in the ranks: the nodes, numbered as they are, and after them the places where long edges pass through a
 * rank between their ends. The long edges of one node share theirs.
 */
export interface RankedItems {
  /** How many of the items are nodes. */
  readonly nodes: number;
  readonly rankOf: Int32Array;
  /** For each item what it is linked to in the rank before. */
  readonly before: Neighbours;
  /** For each item what it is linked to in the rank after. */
  readonly after: Neighbours;
  /** For each node with long edges its first passage, which the others follow, a rank each; -1: none. */
  readonly firstPassage: Int32Array;
  readonly passagesOf: Int32Array;
}

/** Passages that are made for so many nodes; the longest edges go without once there would be more. */
const passagesMaxOf = (nodes: number): number => 2_000 + 4 * nodes;

/** @param ranks such that each edge leads to a higher one */
export function rankedItems(ranks: Int32Array, { from, to }: Edges): RankedItems {
  const nodes = ranks.length;
  const spans = new Int32Array(nodes);
  for (let e = 0; e < from.length; e++) {
    const node = from[e]!;
    spans[node] = Math.max(spans[node]!, ranks[to[e]!]! - ranks[node]! - 1);
  }
  const spanMax = longestSpan(spans, passagesMaxOf(nodes));
  const firstPassage = new Int32Array(nodes).fill(-1);
  const rankOf: number[] = [...ranks];
  const linkFrom: number[] = [];
  const linkTo: number[] = [];
  for (let node = 0; node < nodes; node++) {
    const passages = spans[node]!;
    if (passages === 0 || passages > spanMax) continue;
    firstPassage[node] = rankOf.length;
    for (let n = 0; n < passages; n++) {
      linkFrom.push(n === 0 ? node : rankOf.length - 1);
      linkTo.push(rankOf.length);
      rankOf.push(ranks[node]! + 1 + n);
    }
  }
  for (let e = 0; e < from.length; e++) {
    const node = from[e]!;
    const between = ranks[to[e]!]! - ranks[node]! - 1;
    if (between > 0 && firstPassage[node] === -1) continue;
    linkFrom.push(between === 0 ? node : firstPassage[node]! + between - 1);
    linkTo.push(to[e]!);
  }
  const links = { from: Int32Array.from(linkFrom), to: Int32Array.from(linkTo) };
  return {
    nodes,
    rankOf: Int32Array.from(rankOf),
    before: neighbours(rankOf.length, links.to, links.from),
    after: neighbours(rankOf.length, links.from, links.to),
    firstPassage,
    passagesOf: Int32Array.from(spans, (span) => (span > spanMax ? 0 : span)),
  };
}

/** The longest span up to which all passages together are no more than `max`. */
function longestSpan(spans: Int32Array, max: number): number {
  let total = 0;
  let longest = 0;
  for (const span of spans.slice().sort()) {
    total += span;
    if (total > max) break;
    longest = span;
  }
  // Of several equally long ones either all have passages or none.
  const all = spans.reduce((sum, span) => sum + (span <= longest ? span : 0), 0);
  return all > max ? longest - 1 : longest;
}
