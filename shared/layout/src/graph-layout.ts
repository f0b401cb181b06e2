import type { Edges } from "./neighbours.ts";

/** A graph to lay out. The order of the nodes and of the edges makes no difference to the picture. */
export interface GraphToLayOut {
  /** Each once. */
  readonly keys: readonly string[];
  /** Pairs of places in `keys`, without a cycle among the nodes of one group. Edges that lead back to their node are left out. */
  readonly edges: readonly (readonly [from: number, to: number])[];
}

/** Where things stand: left upper corners, in whole units from 0. A unit is a CSS pixel at scale 1. */
export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  /** In the order of the keys. */
  readonly x: Int32Array;
  readonly y: Int32Array;
  /**
   * For nodes with long edges the ways kept free for them: where a rank begins, where it ends, and how far down, three
   * numbers a rank, from left to right. An edge follows those that begin before its reader.
   */
  readonly passages: ReadonlyMap<number, Int32Array>;
}

/** The size of every node, and what lies between nodes. */
export const tile = { width: 208, height: 56, columnGap: 80, rowGap: 16 } as const;

/** The nodes in the order of their keys: what is computed of it does not depend on the order in which they came. */
export interface CanonicalGraph {
  /** Canonical place to given place. */
  readonly given: Int32Array;
  /** In canonical places, each once, ordered, without loops. */
  readonly edges: Edges;
}

export function canonicalGraph({ keys, edges }: GraphToLayOut): CanonicalGraph {
  const given = Int32Array.from(keys.keys()).sort((a, b) => (keys[a]! < keys[b]! ? -1 : 1));
  const place = new Int32Array(keys.length);
  for (let i = 0; i < given.length; i++) place[given[i]!] = i;
  // One number an edge sorts fastest; both halves stay exact for 90 million nodes.
  const codes = Float64Array.from(
    edges.filter(([from, to]) => from !== to),
    ([from, to]) => place[from]! * keys.length + place[to]!,
  ).sort();
  const distinct = codes.filter((code, i) => i === 0 || code !== codes[i - 1]);
  return {
    given,
    edges: {
      from: Int32Array.from(distinct, (code) => Math.floor(code / keys.length)),
      to: Int32Array.from(distinct, (code) => code % keys.length),
    },
  };
}
