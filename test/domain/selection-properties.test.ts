import fc from "fast-check";
import { expect, it } from "vitest";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { formatSelection, parseSelection, select, type Selection } from "../../control-plane/src/domain/selection.ts";
import { assetOf, keyOf, locationsOf } from "../support/graph-definitions.ts";
import { naiveSelect, type NaiveGraph } from "../support/naive-graph.ts";

/** Assets of three teams without cycles: each reads some of those before it. */
const graphs: fc.Arbitrary<NaiveGraph> = fc
  .array(
    fc.record({
      team: fc.constantFrom("a", "b", "c"),
      reads: fc.array(fc.nat(30), { maxLength: 3 }),
      group: fc.constantFrom("g", "h i"),
      kinds: fc.subarray(["k1", "k2"]),
      tags: fc.dictionary(fc.constantFrom("t", "u"), fc.constantFrom("1", "2 3")),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((rows) => {
    const keys = rows.map(({ team }, i) => `${team}/n${i}`);
    return rows.map(({ reads, group, kinds, tags }, i) => {
      const dependencies = i === 0 ? [] : [...new Set(reads.map((read) => keys[read % i]!))];
      return assetOf(keys[i]!, dependencies, { group, kinds, tags });
    });
  });

const anyText = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
const distances = fc.oneof(fc.constant("all" as const), fc.integer({ min: 0, max: 3 }));

/** Trees of every kind of part, over names that the graphs have and over some that they have not. */
function selections(value: (known: string[]) => fc.Arbitrary<string>): fc.Arbitrary<Selection> {
  const filter = (by: "team" | "group" | "kind" | "status", known: string[]): fc.Arbitrary<Selection> =>
    value(known).map((text) => ({ kind: "filter", by, value: text }));
  const { tree } = fc.letrec<{ tree: Selection; leaf: Selection }>((tie) => ({
    leaf: fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.constantFrom("a", "b", "c"), fc.nat(15))
          .map(([team, i]): Selection => ({ kind: "key", key: keyOf(`${team}/n${i}`) })),
      },
      fc
        .constantFrom("a/*", "*", "*1*", "b/n*", "*/n1*2", "c*n*n*")
        .map((pattern): Selection => ({ kind: "glob", pattern })),
      filter("team", ["a", "b", "x"]),
      filter("group", ["g", "h i"]),
      filter("kind", ["k1", "k2"]),
      filter("status", ["even", "odd"]),
      fc
        .tuple(value(["t", "u"]), fc.option(value(["1", "2 3"])))
        .map(([name, text]): Selection => (text === null ? { kind: "tag", name } : { kind: "tag", name, value: text })),
    ),
    tree: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      tie("leaf"),
      fc
        .record({ of: tie("tree"), upstream: distances, downstream: distances })
        .map((around): Selection =>
          around.upstream === 0 && around.downstream === 0
            ? { kind: "not", of: around.of }
            : { kind: "around", ...around },
        ),
      tie("tree").map((of): Selection => ({ kind: "not", of })),
      fc.array(tie("tree"), { minLength: 2, maxLength: 3 }).map((of): Selection => ({ kind: "and", of })),
      fc.array(tie("tree"), { minLength: 2, maxLength: 3 }).map((of): Selection => ({ kind: "or", of })),
    ),
  }));
  return tree;
}

const status = (key: string): string => (key.length % 2 === 0 ? "even" : "odd");

it("selects what the definition of each part says, on any graph", () => {
  fc.assert(
    fc.property(
      graphs,
      selections((known) => fc.constantFrom(...known)),
      (naive, selection) => {
        const graph = buildGraph(locationsOf(naive), new Map());
        const { nodes } = select(graph, selection, { statusOf: ({ key }) => status(key) });
        expect(new Set(nodes.map(({ key }) => key))).toEqual(naiveSelect(naive, selection, status));
        expect(nodes).toEqual(graph.order.filter((node) => nodes.includes(node)));
      },
    ),
    { numRuns: 1_500 },
  );
});

it("names as unknown exactly the parts that match no asset", () => {
  const leaves = (selection: Selection): Selection[] => {
    switch (selection.kind) {
      case "key":
      case "glob":
      case "filter":
      case "tag":
        return [selection];
      case "around":
      case "not":
        return leaves(selection.of);
      case "and":
      case "or":
        return selection.of.flatMap(leaves);
    }
  };
  fc.assert(
    fc.property(
      graphs,
      selections((known) => fc.constantFrom(...known)),
      (naive, selection) => {
        const { unknown } = select(buildGraph(locationsOf(naive), new Map()), selection, { statusOf: () => "even" });
        const lost = leaves(selection).filter(
          (leaf) => !(leaf.kind === "filter" && leaf.by === "status") && naiveSelect(naive, leaf, status).size === 0,
        );
        expect(unknown.map(({ key }) => key)).toEqual([...new Set(lost.map(formatSelection))]);
      },
    ),
    { numRuns: 500 },
  );
});

it("reads back every selection that it writes, whatever text the values hold", () => {
  fc.assert(
    fc.property(
      selections(() => anyText),
      (selection) => {
        expect(parseSelection(formatSelection(selection))).toEqual({ ok: true, selection });
      },
    ),
    { numRuns: 1_500 },
  );
});

it("answers any text with a selection or with a fault inside the text, and never throws", () => {
  const pieces = fc.constantFrom(
    "a/b",
    "a/*",
    "+",
    "2",
    "1",
    "(",
    ")",
    ",",
    " ",
    "and",
    "or",
    "not",
    "team:",
    "tag:x=",
    '"',
    "\\",
    "x",
    "é",
  );
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join("")),
      (text) => {
        const result = parseSelection(text);
        if (result.ok) expect(parseSelection(formatSelection(result.selection))).toEqual(result);
        else {
          expect(result.column).toBeGreaterThanOrEqual(1);
          expect(result.column).toBeLessThanOrEqual(text.length + 1);
          expect(result.message).not.toBe("");
          expect(result.hint).not.toBe("");
        }
      },
    ),
    { numRuns: 3_000 },
  );
});
