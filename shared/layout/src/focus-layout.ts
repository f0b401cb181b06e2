import { canonicalGraph, tile, type GraphLayout, type GraphToLayOut } from "./graph-layout.ts";
import { layeredLayout } from "./layered-layout.ts";

/** A few nodes by themselves, as ranks from left to right. */
export function focusLayout(graph: GraphToLayOut): GraphLayout {
  const count = graph.keys.length;
  const { given, edges } = canonicalGraph(graph);
  const laid = layeredLayout(count, edges, {
    widths: new Int32Array(count).fill(tile.width),
    heights: new Int32Array(count).fill(tile.height),
    columnGap: tile.columnGap,
    rowGap: tile.rowGap,
  });
  const x = new Int32Array(count);
  const y = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    x[given[i]!] = laid.x[i]!;
    y[given[i]!] = laid.y[i]!;
  }
  const passages = new Map([...laid.passages].map(([node, ways]) => [given[node]!, ways]));
  return { width: laid.width, height: laid.height, x, y, passages };
}
