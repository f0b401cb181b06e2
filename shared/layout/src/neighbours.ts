/** Directed edges between nodes that are numbered from 0: edge `e` leads from `from[e]` to `to[e]`. */
export interface Edges {
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** Lists of numbers, one a node, in two flat arrays: those of node `n` lie from `start[n]` to before `start[n + 1]`. */
export interface Neighbours {
  readonly start: Int32Array;
  readonly list: Int32Array;
}

/** For each node the other ends of the edges that start at it, in the order of the edges. */
export function neighbours(count: number, from: Int32Array, to: Int32Array): Neighbours {
  const start = new Int32Array(count + 1);
  for (const node of from) start[node + 1]!++;
  for (let node = 0; node < count; node++) start[node + 1]! += start[node]!;
  const next = start.slice();
  const list = new Int32Array(from.length);
  for (let e = 0; e < from.length; e++) list[next[from[e]!]!++] = to[e]!;
  return { start, list };
}

/** How many there are of one node. */
export function degree({ start }: Neighbours, node: number): number {
  return start[node + 1]! - start[node]!;
}
