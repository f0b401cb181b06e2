import { degree, neighbours, type Edges } from "./neighbours.ts";

/**
 * The rank of each node: every edge leads to a higher one. Sources are pulled towards their first reader, so that edges
 * are short.
 *
 * @param edges without a cycle and without loops; nodes of a cycle would stay at rank 0
 */
export function longestPathRanks(count: number, { from, to }: Edges): Int32Array {
  const down = neighbours(count, from, to);
  const up = neighbours(count, to, from);
  const ranks = new Int32Array(count);
  const waitsFor = Int32Array.from({ length: count }, (_, node) => degree(up, node));
  const queue = new Int32Array(count);
  let tail = 0;
  for (let node = 0; node < count; node++) if (waitsFor[node] === 0) queue[tail++] = node;
  for (let head = 0; head < tail; head++) {
    const node = queue[head]!;
    for (let i = down.start[node]!; i < down.start[node + 1]!; i++) {
      const reader = down.list[i]!;
      ranks[reader] = Math.max(ranks[reader]!, ranks[node]! + 1);
      if (--waitsFor[reader]! === 0) queue[tail++] = reader;
    }
  }
  for (let node = 0; node < count; node++) {
    if (degree(up, node) > 0 || degree(down, node) === 0) continue;
    let nearest = Infinity;
    for (let i = down.start[node]!; i < down.start[node + 1]!; i++) {
      nearest = Math.min(nearest, ranks[down.list[i]!]!);
    }
    ranks[node] = nearest - 1;
  }
  return ranks;
}
