import type { Edges } from "./neighbours.ts";

/**
 * Which edges to turn a deaf ear to so that the others have no cycle: 1 for each of them. Weighty edges are kept where
 * there is a choice. For graphs of some hundred nodes.
 *
 * Source: Eades, Lin, Smyth, "A fast and effective heuristic for the feedback arc set problem", 1993.
 */
export function backEdges(count: number, { from, to }: Edges, weights: ArrayLike<number>): Uint8Array {
  const place = sequence(count, { from, to }, weights);
  return Uint8Array.from(from, (node, e) => (place[node]! < place[to[e]!]! ? 0 : 1));
}

/** The place of each node in a sequence along which most of the weight leads onwards. */
function sequence(count: number, { from, to }: Edges, weights: ArrayLike<number>): Int32Array {
  const incoming = new Float64Array(count);
  const outgoing = new Float64Array(count);
  for (let e = 0; e < from.length; e++) {
    if (from[e] === to[e]) continue;
    outgoing[from[e]!]! += weights[e]!;
    incoming[to[e]!]! += weights[e]!;
  }
  const place = new Int32Array(count).fill(-1);
  let first = 0;
  let last = count - 1;
  for (let left = count; left > 0; left--) {
    const { node, sink } = nextOf(place, incoming, outgoing);
    place[node] = sink ? last-- : first++;
    for (let e = 0; e < from.length; e++) {
      if (from[e] === node) incoming[to[e]!]! -= weights[e]!;
      if (to[e] === node) outgoing[from[e]!]! -= weights[e]!;
    }
  }
  return place;
}

/** A source, else a sink, else whoever gives most more than it takes; the lowest number of several. */
function nextOf(
  place: Int32Array,
  incoming: Float64Array,
  outgoing: Float64Array,
): { readonly node: number; readonly sink: boolean } {
  let sink = -1;
  let best = -1;
  for (let node = 0; node < place.length; node++) {
    if (place[node] !== -1) continue;
    if (incoming[node] === 0) return { node, sink: false };
    if (outgoing[node] === 0 && sink === -1) sink = node;
    if (best === -1 || outgoing[node]! - incoming[node]! > outgoing[best]! - incoming[best]!) best = node;
  }
  return sink === -1 ? { node: best, sink: false } : { node: sink, sink: true };
}
