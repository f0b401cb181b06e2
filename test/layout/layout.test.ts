import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backEdges } from "../../shared/layout/src/back-edges.ts";
import { boxPadding, focusLayout, type GraphLayout, groupedLayout, tile } from "../../shared/layout/src/index.ts";
import { placedApart } from "../../shared/layout/src/placed-apart.ts";
import { randomGraph } from "../support/random-graph.ts";

interface Grouped {
  readonly keys: string[];
  readonly groups: string[];
  readonly edges: [number, number][];
}

/** Up to 40 nodes of up to five groups without a cycle: edges lead from lower to higher numbers. */
const graphs: fc.Arbitrary<Grouped> = fc.integer({ min: 1, max: 40 }).chain((count) =>
  fc
    .record({
      groups: fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: count, maxLength: count }),
      pairs: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 90 }),
    })
    .map(({ groups, pairs }) => ({
      // The numbers do not sort as the keys do.
      keys: groups.map((group, i) => `${group}/${(i * 17) % 41}`),
      groups,
      edges: pairs.map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
    })),
);

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const rectangles = ({ x, y }: GraphLayout): Rectangle[] =>
  Array.from(x, (left, i) => ({ x: left, y: y[i]!, width: tile.width, height: tile.height }));

function overlaps(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function expectApart(all: readonly Rectangle[]): void {
  expect(all.flatMap((a, i) => all.slice(i + 1).filter((b) => overlaps(a, b)))).toEqual([]);
}

function isInside(inner: Rectangle, outer: Rectangle): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

describe("a layout in groups", () => {
  it("lets no two nodes and no two boxes overlap, and keeps each node in the box of its group below the title", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const layout = groupedLayout(graph, graph.groups);
        const nodes = rectangles(layout);
        expectApart(nodes);
        expectApart([...layout.boxes]);
        const strays = nodes.filter((node, i) => {
          const box = layout.boxes.find(({ group }) => group === graph.groups[i])!;
          return !isInside(node, { ...box, y: box.y + boxPadding.top, height: box.height - boxPadding.top });
        });
        expect(strays).toEqual([]);
        expect(layout.boxes.filter((box) => !isInside(box, { ...layout, x: 0, y: 0 }))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it("draws a node to the right of everything that it reads in its group", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { x } = groupedLayout(graph, graph.groups);
        const inside = graph.edges.filter(([from, to]) => from !== to && graph.groups[from] === graph.groups[to]);
        expect(inside.filter(([from, to]) => x[to]! < x[from]! + tile.width)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it("never draws a box left of one that it reads, unless that edge is said to lead back", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { boxes, groupEdges } = groupedLayout(graph, graph.groups);
        const left = (name: string) => boxes.find(({ group }) => group === name)!.x;
        for (const { from, to, back } of groupEdges) {
          expect(from).not.toBe(to);
          if (!back) expect(left(to)).toBeGreaterThanOrEqual(left(from));
        }
        const read = graph.edges.filter(([a, b]) => graph.groups[a] !== graph.groups[b]).map(String);
        expect(groupEdges.reduce((sum, { count }) => sum + count, 0)).toBe(new Set(read).size);
      }),
      { numRuns: 100 },
    );
  });

  it("is the same picture in whatever order nodes and edges come", () => {
    const shuffled = graphs.chain((graph) =>
      fc
        .tuple(
          fc.shuffledSubarray([...graph.keys.keys()], { minLength: graph.keys.length }),
          fc.shuffledSubarray(graph.edges, { minLength: graph.edges.length }),
        )
        .map(([order, edges]) => ({ graph, order, edges })),
    );
    fc.assert(
      fc.property(shuffled, ({ graph, order, edges }) => {
        const place = new Map(order.map((node, i) => [node, i]));
        const keys = order.map((node) => graph.keys[node]!);
        const groups = order.map((node) => graph.groups[node]!);
        const moved = edges.map(([from, to]): [number, number] => [place.get(from)!, place.get(to)!]);
        const a = groupedLayout(graph, graph.groups);
        const b = groupedLayout({ keys, edges: moved }, groups);
        const spots = (all: readonly string[], { x, y, passages }: GraphLayout) =>
          all.map((key, i) => [key, x[i], y[i], [...(passages.get(i) ?? [])]].join()).sort();
        expect(spots(keys, b)).toEqual(spots(graph.keys, a));
        expect(b.boxes).toEqual(a.boxes);
        expect(b.groupEdges).toEqual(a.groupEdges);
      }),
      { numRuns: 100 },
    );
  });

  it("leads long edges past the nodes between their ends", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const layout = groupedLayout(graph, graph.groups);
        const nodes = rectangles(layout);
        for (const ways of layout.passages.values()) {
          for (let n = 0; n < ways.length; n += 3) {
            const way = { x: ways[n]!, y: ways[n + 2]!, width: ways[n + 1]! - ways[n]!, height: 1 };
            expect(nodes.filter((node) => overlaps(node, way))).toEqual([]);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it("stands wide ranks in several columns, and many boxes in a picture that is not a strip", () => {
    const wide = { keys: Array.from({ length: 400 }, (_, i) => `a/${i}`), edges: [] as [number, number][] };
    for (let i = 1; i < 400; i++) wide.edges.push([0, i]);
    const one = groupedLayout(
      wide,
      wide.keys.map(() => "a"),
    );
    expect(one.height).toBeLessThan(40 * (tile.height + tile.rowGap));
    const many = randomGraph(2_000, 40);
    const { width, height } = groupedLayout(many, many.groups);
    expect(width / height).toBeGreaterThan(0.5);
    expect(width / height).toBeLessThan(3.5);
  });

  it("has nothing to draw of nothing", () => {
    const empty = groupedLayout({ keys: [], edges: [] }, []);
    expect({ ...empty, x: [], y: [] }).toMatchObject({ width: 0, height: 0, boxes: [], groupEdges: [] });
  });
});

describe("a layout of a few nodes by themselves", () => {
  it("lets no two nodes overlap and draws every edge from left to right", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const layout = focusLayout(graph);
        expectApart(rectangles(layout));
        const leadsBack = ([from, to]: [number, number]) => from !== to && layout.x[to]! < layout.x[from]! + tile.width;
        expect(graph.edges.filter(leadsBack)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it("draws a chain as one straight line", () => {
    const chain = {
      keys: ["a", "b", "c", "d"],
      edges: [
        [0, 1],
        [1, 2],
        [2, 3],
      ] as [number, number][],
    };
    expect(new Set(focusLayout(chain).y).size).toBe(1);
  });

  it("crosses no edges that need not cross", () => {
    // Two trees whose nodes are numbered the wrong way round.
    const tree = {
      keys: ["x", "y", "1", "2", "3", "4"],
      edges: [
        [0, 5],
        [0, 3],
        [1, 4],
        [1, 2],
      ] as [number, number][],
    };
    const { y } = focusLayout(tree);
    const below = (a: number, b: number) => Math.sign(y[a]! - y[b]!);
    for (const [a, b] of tree.edges) {
      for (const [c, d] of tree.edges) if (a !== c && b !== d) expect(below(a, c)).toBe(below(b, d));
    }
  });
});

it("keeps numbers apart as near to the wishes as any others are", () => {
  const cases = fc.array(fc.record({ wish: fc.nat(60), apart: fc.nat(9), weight: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 1,
    maxLength: 6,
  });
  const cost = (values: ArrayLike<number>, all: readonly { wish: number; weight: number }[]) =>
    all.reduce((sum, { wish, weight }, i) => sum + weight * (values[i]! - wish) ** 2, 0);
  fc.assert(
    fc.property(
      cases,
      fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 6, maxLength: 6 }),
      (all, by) => {
        const apart = all.map((one) => one.apart);
        const placed = placedApart(
          all.map((one) => one.wish),
          all.map((one) => one.weight),
          apart,
        );
        for (let i = 1; i < all.length; i++)
          expect(placed[i]! - placed[i - 1]!).toBeGreaterThanOrEqual(apart[i]! - 1e-9);
        // Any other numbers that are as far apart are no nearer.
        const other = Array.from(placed, (value, i) => value + by[i]!);
        for (let i = 1; i < other.length; i++) other[i] = Math.max(other[i]!, other[i - 1]! + apart[i]!);
        expect(cost(placed, all)).toBeLessThanOrEqual(cost(other, all) + 1e-6);
      },
    ),
    { numRuns: 500 },
  );
});

it("leaves no cycle among the edges that do not lead back, and none leads back where there is no cycle", () => {
  const edgeLists = fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { maxLength: 16 });
  fc.assert(
    fc.property(edgeLists, fc.boolean(), (pairs, acyclic) => {
      const edges = pairs
        .map(([a, b]) => (acyclic ? [Math.min(a, b), Math.max(a, b)] : [a, b]))
        .filter(([a, b]) => a !== b);
      const from = Int32Array.from(edges, ([a]) => a!);
      const to = Int32Array.from(edges, ([, b]) => b!);
      const back = backEdges(
        7,
        { from, to },
        edges.map((_, i) => 1 + (i % 3)),
      );
      const kept = edges.filter((_, e) => back[e] === 0);
      let left = new Set([0, 1, 2, 3, 4, 5, 6]);
      for (let round = 0; round < 7; round++)
        left = new Set([...left].filter((node) => kept.some(([a, b]) => b === node && left.has(a!))));
      expect(left.size).toBe(0);
      if (acyclic) expect(kept.length).toBe(edges.length);
    }),
    { numRuns: 500 },
  );
});
